"""AdamW on flat buffers: clipping, and the update with rates as numbers or as tensors."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from curriculum_rl.learners.flat import FlatParams
from curriculum_rl.schema.learners import OptimizerConfig


@torch.no_grad()
def adamw(
    flat: FlatParams, gradients: Mapping[str, Tensor], rates: npt.NDArray[np.float64], config: OptimizerConfig
) -> None:
    """One update of every replica, each at its own rate and step count.

    Replicas in phase (same rate and step) share one fused call over whole blocks; the others get the same kernel on
    their slices, so that the bits do not depend on who else trains.

    Args:
        flat: parameters and moments, changed in place.
        gradients: (N, *shape) by name, contiguous.
        rates: (N,) learning rates, >= 0.
        config: everything else.
    """
    flat.steps += 1
    phases = {(float(rate), int(step)) for rate, step in zip(rates, flat.steps, strict=True)}
    for rate, step in sorted(phases):
        chosen = np.flatnonzero((rates == rate) & (flat.steps == step)).tolist()
        whole = len(chosen) == flat.replicas and (flat.aligned or flat.replicas == 1)
        for decayed, names in flat.decay_groups():
            roles = [
                [role[name] if whole else role[name][n] for name in names for n in ([0] if whole else chosen)]
                for role in (flat.parameters, gradients, flat.first, flat.second)
            ]
            _fused(roles, rate=rate, step=step, decay=config.weight_decay if decayed else 0.0, config=config)


@torch.no_grad()
def adamw_alone(
    flat: FlatParams,
    replica: int,
    gradients: Mapping[str, Tensor],
    rate: float,
    config: OptimizerConfig,
    factors: Mapping[str, float] | None = None,
) -> None:
    """One update of one replica from its own gradients.

    Args:
        flat: parameters and moments, changed in place; those without a gradient stay.
        replica: which.
        gradients: (*shape) by name, contiguous.
        rate: learning rate, >= 0.
        config: everything else.
        factors: the rate of some parameters over that of the others, by name.
    """
    flat.steps[replica] += 1
    scaled = {} if factors is None else factors
    for decayed, group in flat.decay_groups():
        for factor in sorted({1.0, *scaled.values()}):
            names = [name for name in group if name in gradients and scaled.get(name, 1.0) == factor]
            if not names:
                continue
            blocks = (flat.parameters, flat.first, flat.second)
            parameters, first, second = ([block[name][replica] for name in names] for block in blocks)
            roles = [parameters, [gradients[name] for name in names], first, second]
            decay = config.weight_decay if decayed else 0.0
            _fused(roles, rate=rate * factor, step=int(flat.steps[replica]), decay=decay, config=config)


def _fused(roles: Sequence[list[Tensor]], *, rate: float, step: int, decay: float, config: OptimizerConfig) -> None:
    parameters, gradients, first, second = roles
    count = torch.full((), float(step), device=parameters[0].device)
    torch._fused_adamw_(
        parameters,
        gradients,
        first,
        second,
        [],
        [count] * len(parameters),
        lr=rate,
        beta1=config.betas[0],
        beta2=config.betas[1],
        weight_decay=decay,
        eps=config.eps,
        amsgrad=False,
        maximize=False,
    )


class TensorAdamW:
    """The same update with rates and step counts as tensors: nothing looks at them, so that a CUDA graph can hold it.

    Ten elementwise passes over whole rows of the state, each element at the rate and step of the replica that owns it.

    Args:
        flat: parameters and moments, changed in place; its `steps` are not touched: the caller counts.
        config: AdamW's settings; every parameter is decayed.
    """

    def __init__(self, flat: FlatParams, config: OptimizerConfig) -> None:
        self._flat, self._config = flat, config
        self._gradient = torch.zeros_like(flat.state[0])
        self._owner = torch.zeros_like(self._gradient, dtype=torch.int32)
        for block in flat.blocks(self._owner).values():
            block.copy_(torch.arange(flat.replicas).view(-1, *[1] * (block.dim() - 1)))
        self._blocks = flat.blocks(self._gradient)
        self.steps = torch.zeros(flat.replicas, dtype=torch.float64, device=flat.state.device)

    @torch.no_grad()
    def __call__(self, gradients: Mapping[str, Tensor], rates: Tensor) -> None:
        """One update of every replica.

        Args:
            gradients: (N, *shape) by name.
            rates: (N,) float64 learning rates on the device.
        """
        config, (beta1, beta2) = self._config, self._config.betas
        parameters, first, second = self._flat.state
        torch._foreach_copy_(list(self._blocks.values()), [gradients[name] for name in self._blocks])
        self.steps += 1
        size = rates / (1 - beta1**self.steps)
        root = (1 - beta2**self.steps).sqrt()
        first.lerp_(self._gradient, 1 - beta1)
        second.mul_(beta2).addcmul_(self._gradient, self._gradient, value=1 - beta2)
        denominator = second.sqrt().div_(self._of_owner(root)).add_(config.eps)
        parameters.mul_(self._of_owner(1 - rates * config.weight_decay))
        parameters.sub_(self._of_owner(size).mul_(first).div_(denominator))

    def _of_owner(self, values: Tensor) -> Tensor:
        return values.float().index_select(0, self._owner)


def clip_by_norm(gradients: Mapping[str, Tensor], clip: float) -> Tensor:
    """Scale each replica's gradients in place so that their joint norm is at most `clip`.

    Norms are taken replica by replica and summed block by block in one fixed order: their bits do not depend on N.

    Args:
        gradients: (N, *shape) by name.
        clip: largest norm, > 0.

    Returns:
        (N,) norms before clipping.
    """
    blocks = list(gradients.values())
    replicas = blocks[0].shape[0]
    norms = torch.stack(torch._foreach_norm([block[n] for block in blocks for n in range(replicas)]))
    squares = norms.square().view(len(blocks), replicas)
    total = squares[0]
    for square in squares[1:]:
        total = total + square
    norm = total.sqrt()
    scale = (clip / (norm + 1e-6)).clamp(max=1.0)
    # On a CPU looking is free; on a GPU it would wait for the device, and multiplying by 1 is exact.
    if norm.device.type != "cpu" or bool((scale != 1.0).any()):
        for block in blocks:
            block.mul_(scale.view(-1, *[1] * (block.dim() - 1)))
    return norm
