"""All parameters and optimizer moments of N replicas in one flat buffer, and AdamW on it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from curriculum_rl.errors import ConfigError
from curriculum_rl.learners.base import Snapshot

# Blocks start at multiples of 16 floats (64 bytes): no kernel sees a replica's parameters in a ragged tail.
ALIGNMENT = 16


@dataclass(frozen=True)
class OptimizerConfig:
    """AdamW with clipping by global norm.

    Attributes:
        learning_rate: the peak rate; the rate of each update stands in the plan (`SegmentPlan.learning_rates`).
        weight_decay: decoupled decay of the matrices, >= 0.
        betas: decay of the first and second moments, in [0, 1).
        eps: added to the denominator, > 0.
        clip: largest gradient norm of a replica, > 0 (`float("inf")` never clips).

    Source: Loshchilov & Hutter 2019 (arXiv:1711.05101); betas as Brown et al. 2020 (arXiv:2005.14165), appendix B.
    """

    learning_rate: float = 3e-3
    weight_decay: float = 0.1
    betas: tuple[float, float] = (0.9, 0.95)
    eps: float = 1e-8
    clip: float = 1.0

    def __post_init__(self) -> None:
        for name in ("learning_rate", "eps", "clip"):
            value = getattr(self, name)
            if not value > 0:
                raise ConfigError(f"optimizer {name} must be a positive number, not {value}")
        if not self.weight_decay >= 0:
            raise ConfigError(f"optimizer weight_decay must be at least 0, not {self.weight_decay}")
        if len(self.betas) != 2 or not all(0 <= beta < 1 for beta in self.betas):
            raise ConfigError(f"optimizer betas must be two numbers in [0, 1), not {self.betas}")

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "OptimizerConfig":
        """The settings that `dataclasses.asdict` and JSON made of them."""
        return cls(**{**values, "betas": tuple(values["betas"])})


class FlatParams:
    """Parameters, first and second moments of N replicas, as three rows of one buffer.

    The layout is parameter-major: block `name` is a contiguous (N, *shape) view, which batched products read directly;
    copying, zeroing and restoring everything is one operation.

    Args:
        shapes: shape of each parameter of one replica, in order.
        replicas: N, at least 1.
        device: where the buffer lies.
        undecayed: names of the parameters that weight decay leaves alone.
    """

    def __init__(
        self,
        shapes: Mapping[str, tuple[int, ...]],
        *,
        replicas: int,
        device: torch.device,
        undecayed: Sequence[str] = (),
    ) -> None:
        if replicas < 1:
            raise ConfigError(f"replicas must be at least 1, not {replicas}")
        self.replicas = replicas
        self.shapes = dict(shapes)
        self._undecayed = frozenset(undecayed)
        sizes = [replicas * prod(shape) for shape in self.shapes.values()]
        offsets = [0]
        for size in sizes:
            offsets.append(offsets[-1] + -(-size // ALIGNMENT) * ALIGNMENT)
        self._slices = [slice(start, start + size) for (start, _), size in zip(pairwise(offsets), sizes, strict=True)]
        self._state = torch.zeros(3, offsets[-1], device=device)
        self._steps = np.zeros(replicas, dtype=np.int64)
        self.parameters, self._first, self._second = (self.blocks(row) for row in self._state)

    def blocks(self, row: Tensor) -> dict[str, Tensor]:
        """Views (N, *shape) by name into one flat row of a state."""
        return {
            name: row[part].view(self.replicas, *shape)
            for (name, shape), part in zip(self.shapes.items(), self._slices, strict=True)
        }

    def size(self) -> int:
        """Parameters of one replica."""
        return sum(prod(shape) for shape in self.shapes.values())

    @property
    def steps(self) -> npt.NDArray[np.int64]:
        """(N,) updates since the optimizer of each replica was last reset (a copy)."""
        return self._steps.copy()

    def copy_parameters(self, row: Tensor) -> None:
        """Copy the parameters from row 0 of a snapshot's state; the optimizer stays."""
        self._state[0].copy_(row)

    def reset_optimizer(self) -> None:
        """Zero moments and step counts of all replicas."""
        self._state[1:].zero_()
        self._steps[:] = 0

    def snapshot(self) -> Snapshot:
        """A copy of parameters, moments and step counts that shares no memory with the learner."""
        return Snapshot(state=self._state.clone(), steps=self.steps)

    def restore(self, snapshot: Snapshot, rows: Sequence[int] | None = None) -> None:
        """Copy a snapshot back, into all replicas or only those in `rows`.

        Raises:
            ValueError: for a snapshot of another learner shape.
        """
        if snapshot.state.shape != self._state.shape or snapshot.steps.shape != self._steps.shape:
            raise ValueError(f"snapshot of shape {tuple(snapshot.state.shape)} for {tuple(self._state.shape)}")
        if rows is None:
            self._state.copy_(snapshot.state)
            self._steps[:] = snapshot.steps
            return
        index = torch.as_tensor(list(rows), dtype=torch.int64, device=self._state.device)
        for mine, theirs in zip(self._state, snapshot.state, strict=True):
            sources = self.blocks(theirs.to(mine.device))
            for name, block in self.blocks(mine).items():
                block.index_copy_(0, index, sources[name].index_select(0, index))
        self._steps[list(rows)] = snapshot.steps[list(rows)]

    def save(self, directory: Path, *, optimizer: bool) -> None:
        """Write `learner.safetensors` and, if asked, `optimizer.safetensors` (moments and steps) into a directory."""
        directory.mkdir(parents=True, exist_ok=True)
        save_file({name: block.cpu() for name, block in self.parameters.items()}, directory / "learner.safetensors")
        if optimizer:
            self.save_optimizer(directory)

    def save_optimizer(self, directory: Path) -> None:
        """Write `optimizer.safetensors` into a directory that exists."""
        moments = {f"first/{name}": block.cpu() for name, block in self._first.items()}
        moments |= {f"second/{name}": block.cpu() for name, block in self._second.items()}
        save_file(moments | {"steps": torch.from_numpy(self.steps)}, directory / "optimizer.safetensors")

    def load(self, directory: Path) -> None:
        """Read parameters back, and the optimizer where it was saved (zeroed otherwise).

        Raises:
            ConfigError: where a file is missing or does not fit these shapes.
        """
        self._copy_from(directory / "learner.safetensors", self.parameters, prefix="")
        self.load_optimizer(directory)

    def load_optimizer(self, directory: Path) -> None:
        """Read the moments and steps back where they were saved; zero them otherwise."""
        self.reset_optimizer()
        path = directory / "optimizer.safetensors"
        if path.exists():
            self._copy_from(path, self._first, prefix="first/")
            self._copy_from(path, self._second, prefix="second/")
            self._steps[:] = load_file(path)["steps"].numpy()

    def _copy_from(self, path: Path, blocks: Mapping[str, Tensor], *, prefix: str) -> None:
        if not path.exists():
            raise ConfigError(f"learner file missing: {path}")
        tensors = load_file(path)
        for name, block in blocks.items():
            saved = tensors.get(prefix + name)
            if saved is None or saved.shape != block.shape:
                found = "missing" if saved is None else f"of shape {tuple(saved.shape)}"
                raise ConfigError(f"{path}: {prefix + name} is {found}, wanted {tuple(block.shape)}")
            block.copy_(saved)

    @torch.no_grad()
    def adamw(self, gradients: Mapping[str, Tensor], rates: npt.NDArray[np.float64], config: OptimizerConfig) -> None:
        """One AdamW update of every replica, each at its own rate and step count.

        Replicas in phase (same rate and step) share one fused call over whole blocks; the others get the same kernel on
        their slices, so that the bits do not depend on who else trains.

        Args:
            gradients: (N, *shape) by name, contiguous.
            rates: (N,) learning rates, >= 0.
            config: everything else.
        """
        self._steps += 1
        phases = {(float(rate), int(step)) for rate, step in zip(rates, self._steps, strict=True)}
        for rate, step in sorted(phases):
            chosen = np.flatnonzero((rates == rate) & (self._steps == step)).tolist()
            whole = len(chosen) == self.replicas
            for decay, names in self._decay_groups(config.weight_decay):
                parameters, slopes, first, second = (
                    [role[name] if whole else role[name][n] for name in names for n in ([0] if whole else chosen)]
                    for role in (self.parameters, gradients, self._first, self._second)
                )
                count = torch.full((), float(step), device=self._state.device)
                torch._fused_adamw_(
                    parameters,
                    slopes,
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

    def _decay_groups(self, decay: float) -> Iterator[tuple[float, list[str]]]:
        decayed = [name for name in self.shapes if name not in self._undecayed]
        if decayed:
            yield decay, decayed
        if self._undecayed:
            yield 0.0, [name for name in self.shapes if name in self._undecayed]


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
