"""Dropout whose choices are a pure function of replica, step, place and position: no generator, no neighbours.

Shapes: N replicas, B rows of a part of an update, T tokens, d width.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from curriculum_rl.draws import key

# Four 16-bit numbers are read from each 64-bit hash.
LEVELS = 1 << 16

_GOLDEN = 0x9E3779B97F4A7C15 - (1 << 64)  # 2^64 / golden ratio, the step of splitmix64, as a signed number
_FACTORS = (0xBF58476D1CE4E5B9 - (1 << 64), 0x94D049BB133111EB - (1 << 64))


@dataclass(frozen=True)
class Dropout:
    """The dropout of one update.

    The same choices on every device, whatever N is and in however many parts the rows are processed.

    Attributes:
        rate: share that is dropped, in (0, 1), rounded to a multiple of 2^-16.
        keys: (N,) int64, one for each replica and step.
        first_row: the row of the update at which this part of it begins.
    """

    rate: float
    keys: Tensor
    first_row: int = 0

    def starting_at(self, row: int) -> "Dropout":
        """The dropout of the part that begins at a row."""
        return replace(self, first_row=row)

    def __call__(self, x: Tensor, rows: int, place: int) -> Tensor:
        """Drop elements of (N, B T, d) and scale the others up, so that expectations stay.

        Args:
            x: (N, B T, d).
            rows: B.
            place: number of the layer and site; each has its own choices.
        """
        dropped = round(self.rate * LEVELS)
        keep = self._numbers(x, rows, place) >= dropped - LEVELS // 2
        return torch.where(keep.view(x.shape), x * (LEVELS / (LEVELS - dropped)), 0.0)

    def _numbers(self, x: Tensor, rows: int, place: int) -> Tensor:
        """(N, B, T d) uniform int16."""
        elements = x[0].numel() // rows
        words = -(-elements // 4)
        row = torch.arange(self.first_row, self.first_row + rows, device=x.device)[:, None]
        counter = row * words + torch.arange(1, words + 1, device=x.device)
        start = _mixed(self.keys + place)
        bits = _mixed(start[:, None, None] + counter * _GOLDEN)
        return bits.view(torch.int16)[..., :elements]


def step_keys(seeds: npt.NDArray[np.int64], steps: npt.NDArray[np.int64], updates: int) -> Tensor:
    """(k, N) int64 keys of the next k updates of replicas with these seeds and step counts."""
    keys = [
        [key(int(seed), "dropout", int(step) + i) for seed, step in zip(seeds, steps, strict=True)]
        for i in range(updates)
    ]
    return torch.from_numpy(np.array(keys, dtype=np.uint64).view(np.int64))


def _mixed(bits: Tensor) -> Tensor:
    """A bijection of 64-bit integers that leaves no visible pattern.

    Source: the finaliser of splitmix64 (Steele, Lea and Flood 2014, with Stafford's variant 13 constants).
    """
    bits = (bits ^ _shifted(bits, 30)) * _FACTORS[0]
    bits = (bits ^ _shifted(bits, 27)) * _FACTORS[1]
    return bits ^ _shifted(bits, 31)


def _shifted(bits: Tensor, places: int) -> Tensor:
    """A logical shift to the right: torch's own keeps the sign."""
    return (bits >> places) & ((1 << (64 - places)) - 1)
