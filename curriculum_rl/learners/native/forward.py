"""The forward pass of the native transformer as a function of its parameters, with a leading replica dimension.

Shapes: N replicas, B rows, T tokens, d width, V vocabulary.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, cast

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from curriculum_rl.learners.native.dropout import Dropout
from curriculum_rl.learners.native.first_order import first_order_only
from curriculum_rl.learners.native.ghost import Tap, tapped
from curriculum_rl.learners.native.transformer import TransformerConfig
from curriculum_rl.schema.learners import Activation

Body: TypeAlias = Callable[
    [Mapping[str, Tensor], TransformerConfig, Tensor, Tensor | None, Dropout | None, Tap | None], Tensor
]


def head(parameters: Mapping[str, Tensor]) -> Tensor:
    """The (N, V, d) matrix whose products with the hidden states are the logits."""
    return parameters["head"] if "head" in parameters else parameters["embedding"]


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
    parameters: Mapping[str, Tensor],
    config: TransformerConfig,
    input_ids: Tensor,
    mask: Tensor | None,
    dropout: Dropout | None = None,
    tap: Tap | None = None,
    *,
    differentiable: bool = False,
) -> Tensor:
    """Last hidden states, normalised: their products with the head are the logits.

    Products are made in the type of the layers' matrices; the residual stream has the embedding's.

    Args:
        parameters: (N, *shape) by name, as `shapes` says.
        config: the sizes.
        input_ids: (N, B, T) int64 in [0, V), T <= context.
        mask: (N B, 1, T, T) of `attention_mask`, or None where all rows are causal.
        dropout: what to drop; None for nothing.
        tap: which matrices' products tell how the rows' gradients meet given ones.
        differentiable: whether gradients will be differentiated again.

    Returns:
        (N, B T, d).
    """
    N, B, T = input_ids.shape
    d, vocab = config.width, config.vocab_size
    replica = torch.arange(N, device=input_ids.device)[:, None]
    rows = (input_ids.reshape(N, B * T) + replica * vocab).reshape(-1)
    tokens = parameters["embedding"].view(N * vocab, d).index_select(0, rows).view(N, B, T, d)
    x = _norm((tokens + parameters["position"][:, None, :T]).view(N, B * T, d))
    if dropout is not None:
        x = dropout(x, B, 0)

    def added(x: Tensor, y: Tensor, name: str, place: int) -> Tensor:
        matrix = parameters[name]
        if dropout is None and y.dtype == x.dtype:
            return tapped(torch.baddbmm(x, y, matrix), y, name, tap)
        z = tapped(torch.bmm(y, matrix), y, name, tap)
        return x + (z if dropout is None else dropout(z, B, place))

    def product(y: Tensor, name: str) -> Tensor:
        return tapped(torch.bmm(y, parameters[name]), y, name, tap)

    for layer in range(config.layers):
        factor = parameters[f"up.{layer}"].dtype
        y = _attention(
            product(_norm(x).to(factor), f"qkv.{layer}"), config.heads, (N, B, T), mask, plain=differentiable
        )
        x = added(x, y, f"attention_out.{layer}", 2 * layer + 1)
        y = _activate(product(_norm(x).to(factor), f"up.{layer}"), config.activation, plain=differentiable)
        x = added(x, y, f"down.{layer}", 2 * layer + 2)
    return _norm(x)


def _norm(x: Tensor) -> Tensor:
    return F.layer_norm(x, x.shape[-1:])


def _attention(qkv: Tensor, heads: int, shape: tuple[int, int, int], mask: Tensor | None, *, plain: bool) -> Tensor:
    N, B, T = shape
    q, k, v = qkv.view(N * B, T, 3, heads, -1).permute(2, 0, 3, 1, 4).unbind(0)
    additive = None if mask is None else mask.to(q.dtype)
    if plain:  # fused attention has no second derivative
        with sdpa_kernel(SDPBackend.MATH):
            y = F.scaled_dot_product_attention(q, k, v, attn_mask=additive, is_causal=mask is None)
    else:
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=additive, is_causal=mask is None)
    return y.transpose(1, 2).reshape(N, B * T, -1)


def _activate(x: Tensor, activation: Activation, *, plain: bool) -> Tensor:
    if activation == "relu2":
        if plain:
            return x.relu().square()
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
