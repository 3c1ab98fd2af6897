"""A small transformer as functions of its parameters, with a leading replica dimension on everything.

Shapes: N replicas, B rows, T tokens, d width, H heads, V vocabulary, L layers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

import torch
import torch.nn.functional as F
from torch import Tensor

from curriculum_rl.errors import ConfigError
from curriculum_rl.learners.first_order import first_order_only

Activation = Literal["relu2", "gelu", "silu"]


@dataclass(frozen=True)
class TransformerConfig:
    """Size of the native transformer.

    Attributes:
        vocab_size: V, at least 2.
        layers: L, at least 1.
        width: d, a multiple of `heads`; multiples of 16 keep a replica's bits independent of its neighbours.
        heads: attention heads, at least 1; widths of 32 or more per head are fast.
        context: the longest row in tokens, at least 1.
        activation: of the feed-forward layers, four times as wide as d.
    """

    vocab_size: int
    layers: int = 2
    width: int = 128
    heads: int = 4
    context: int = 64
    activation: Activation = "relu2"

    def __post_init__(self) -> None:
        for name, least in (("vocab_size", 2), ("layers", 1), ("width", 1), ("heads", 1), ("context", 1)):
            value = getattr(self, name)
            if value < least:
                raise ConfigError(f"learner {name} must be at least {least}, not {value}")
        if self.width % self.heads:
            raise ConfigError(f"learner width {self.width} is not divisible by heads {self.heads}")
        if self.activation not in get_args(Activation):
            raise ConfigError(
                f"learner activation must be one of {', '.join(get_args(Activation))}, not {self.activation!r}"
            )


def shapes(config: TransformerConfig) -> dict[str, tuple[int, ...]]:
    """Shape of each parameter of one replica; no biases, no LayerNorm gains, the head is the embedding."""
    d = config.width
    blocks: dict[str, tuple[int, ...]] = {"embedding": (config.vocab_size, d), "position": (config.context, d)}
    for layer in range(config.layers):
        blocks |= {
            f"qkv.{layer}": (d, 3 * d),
            f"attention_out.{layer}": (d, d),
            f"up.{layer}": (d, 4 * d),
            f"down.{layer}": (4 * d, d),
        }
    return blocks


def initialise(parameters: Mapping[str, Tensor], config: TransformerConfig, seeds: Sequence[int]) -> None:
    """Draw each replica's parameters in place from its own seed (on the CPU, so that every device starts alike).

    Embeddings have standard deviation .02, inner matrices 1/sqrt(fan in), and the two matrices that write to the
    residual stream 1/sqrt(2 L fan in), which keeps its variance from growing with depth.

    Source: Radford et al. 2019 (GPT-2), section 2.3, for the scaling of the residual layers.
    """
    for n, seed in enumerate(seeds):
        generator = torch.Generator().manual_seed(seed)
        for name, block in parameters.items():
            fan_in = block.shape[-2]
            kind = name.split(".")[0]
            std = {"embedding": 0.02, "position": 0.02, "qkv": fan_in**-0.5, "up": fan_in**-0.5}.get(
                kind, (2 * config.layers * fan_in) ** -0.5
            )
            block[n].copy_(torch.randn(block.shape[1:], generator=generator).mul_(std))


def attention_mask(input_ids: Tensor, causal: Tensor, pad_id: int) -> Tensor:
    """Which keys each position may read, as an additive mask.

    Causal rows read up to themselves; bidirectional rows read every token that is not padding; everybody reads itself,
    so that a row of padding alone has finite values.

    Args:
        input_ids: (N, B, T).
        causal: (N, B) bool.
        pad_id: the token that bidirectional rows never read.

    Returns:
        (N B, 1, T, T) float32, 0 where a key may be read and -inf where not.
    """
    length = input_ids.shape[-1]
    square = torch.ones(length, length, dtype=torch.bool, device=input_ids.device)
    present = (input_ids != pad_id)[:, :, None, :]
    allowed = torch.where(causal[:, :, None, None], square.tril(), present) | square.diag().diag()
    mask = torch.zeros(allowed.shape, device=input_ids.device).masked_fill_(~allowed, float("-inf"))
    return mask.view(-1, 1, length, length)


def hidden_states(
    parameters: Mapping[str, Tensor], config: TransformerConfig, input_ids: Tensor, mask: Tensor | None
) -> Tensor:
    """Last hidden states, normalised: their products with the embedding are the logits.

    Args:
        parameters: (N, *shape) by name, as `shapes` says.
        config: the sizes.
        input_ids: (N, B, T) int64 in [0, V), T <= context.
        mask: (N B, 1, T, T) of `attention_mask`, or None where all rows are causal.

    Returns:
        (N, B T, d).
    """
    N, B, T = input_ids.shape
    d, vocab = config.width, config.vocab_size
    replica = torch.arange(N, device=input_ids.device)[:, None]
    rows = (input_ids.reshape(N, B * T) + replica * vocab).reshape(-1)
    tokens = parameters["embedding"].view(N * vocab, d).index_select(0, rows).view(N, B, T, d)
    x = _norm((tokens + parameters["position"][:, None, :T]).view(N, B * T, d))
    for layer in range(config.layers):
        y = _attention(torch.bmm(_norm(x), parameters[f"qkv.{layer}"]), config.heads, (N, B, T), mask)
        x = torch.baddbmm(x, y, parameters[f"attention_out.{layer}"])
        y = _activate(torch.bmm(_norm(x), parameters[f"up.{layer}"]), config.activation)
        x = torch.baddbmm(x, y, parameters[f"down.{layer}"])
    return _norm(x)


def forward_flops(config: TransformerConfig, tokens: int) -> float:
    """Floating-point operations of the matrix products of a forward pass over full rows, every position scored.

    Per token 2 (12 L d^2 + V d) + 4 L T d, T the context: products only, as torch's FlopCounterMode counts them.
    """
    L, d = config.layers, config.width
    return float(tokens) * (2 * (12 * L * d * d + config.vocab_size * d) + 4 * L * config.context * d)


def _norm(x: Tensor) -> Tensor:
    return F.layer_norm(x, x.shape[-1:])


def _attention(qkv: Tensor, heads: int, shape: tuple[int, int, int], mask: Tensor | None) -> Tensor:
    N, B, T = shape
    q, k, v = qkv.view(N * B, T, 3, heads, -1).permute(2, 0, 3, 1, 4).unbind(0)
    y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=mask is None)
    return y.transpose(1, 2).reshape(N, B * T, -1)


def _activate(x: Tensor, activation: Activation) -> Tensor:
    if activation == "relu2":
        if not torch.is_grad_enabled():
            return x.relu_().square_()
        return cast("Tensor", _SquaredReLU.apply(x))  # type: ignore[no-untyped-call]
    if activation == "gelu":
        return F.gelu(x, approximate="tanh")
    return F.silu(x)


class _SquaredReLU(torch.autograd.Function):
    """relu(x)^2, keeping one tensor for the backward pass instead of two.

    Source: So et al. 2021 (Primer, arXiv:2109.08668).
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        positive = x.relu()
        ctx.save_for_backward(positive)
        return positive.square()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        first_order_only("relu2")
        (positive,) = cast("tuple[Tensor]", ctx.saved_tensors)
        return torch.mul(gradient, positive).mul_(2.0)
