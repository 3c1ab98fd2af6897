"""The native transformer: its sizes, the shapes of its parameters, how they are drawn, what a token costs.

Shapes: N replicas, T tokens, d width, V vocabulary, L layers.
"""

from collections.abc import Mapping, Sequence

import torch
from pydantic import Field
from torch import Tensor

from curriculum_rl.schema.learners import TransformerShape


class TransformerConfig(TransformerShape):
    """The native transformer: its shape, its vocabulary and its longest row."""

    vocab_size: int = Field(ge=2, description="V")
    context: int = Field(gt=0, description="the longest row in tokens")


def shapes(config: TransformerConfig) -> dict[str, tuple[int, ...]]:
    """Shape of each parameter of one replica; no biases, no LayerNorm gains."""
    d = config.width
    blocks: dict[str, tuple[int, ...]] = {"embedding": (config.vocab_size, d), "position": (config.context, d)}
    for layer in range(config.layers):
        blocks |= {
            f"qkv.{layer}": (d, 3 * d),
            f"attention_out.{layer}": (d, d),
            f"up.{layer}": (d, 4 * d),
            f"down.{layer}": (4 * d, d),
        }
    return blocks if config.tied else blocks | {"head": (config.vocab_size, d)}


def tapped_matrices(config: TransformerConfig) -> tuple[str, ...]:
    """The matrices whose products tell how the gradients of rows meet a given one.

    Of single matrices and of the last layer's together, the first layer's MLP output ordered the tasks of
    `almanac-small` most like all parameters do; it costs a thirtieth of an update there.
    """
    return ("down.0",)


def initialise(
    parameters: Mapping[str, Tensor],
    config: TransformerConfig,
    seeds: Sequence[int],
    rows: Sequence[int] | None = None,
) -> None:
    """Draw parameters in place, each replica's from its own seed (on the CPU, so that every device starts alike).

    Embeddings and a head of its own have standard deviation .02, inner matrices 1/sqrt(fan in), and the two matrices
    that write to the residual stream 1/sqrt(2 L fan in), which keeps its variance from growing with depth.

    Args:
        parameters: (N, *shape) by name.
        config: the sizes.
        seeds: one for each replica that is drawn.
        rows: which replicas these are; the first ones by default.

    Source: Radford et al. 2019 (GPT-2), section 2.3, for the scaling of the residual layers.
    """
    for n, seed in zip(range(len(seeds)) if rows is None else rows, seeds, strict=True):
        generator = torch.Generator().manual_seed(seed)
        for name, block in parameters.items():
            fan_in = block.shape[-2]
            kind = name.split(".")[0]
            std = {"qkv": fan_in**-0.5, "up": fan_in**-0.5}.get(kind, (2 * config.layers * fan_in) ** -0.5)
            if kind in {"embedding", "position", "head"}:
                std = 0.02
            block[n].copy_(torch.randn(block.shape[1:], generator=generator).mul_(std))


def forward_flops(config: TransformerConfig, tokens: int) -> float:
    """Floating-point operations of the matrix products of a forward pass over full rows, every position scored.

    Per token 2 (12 L d^2 + V d) + 4 L T d, T the context: products only, as torch's FlopCounterMode counts them.
    """
    L, d = config.layers, config.width
    return float(tokens) * (2 * (12 * L * d * d + config.vocab_size * d) + 4 * L * config.context * d)
