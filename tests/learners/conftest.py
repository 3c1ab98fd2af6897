"""Random plans for learner tests."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from curriculum_rl.batch import Batch, SegmentPlan

MakePlan = Callable[..., SegmentPlan]


def random_plan(
    *,
    updates: int = 3,
    rows: int = 4,
    length: int = 16,
    vocab: int = 50,
    kinds: tuple[str, ...] = ("causal",),
    rates: tuple[float, ...] | float = 1e-2,
    seed: int = 0,
) -> SegmentPlan:
    """A plan with one replica per kind: `causal`, `masked`, or `mixed` (first half of the rows masked).

    Each replica's data depend on the seed, its kind and its place alone, not on how many there are.
    """
    parts = []
    for n, kind in enumerate(kinds):
        draw = torch.Generator().manual_seed(seed * 1000 + n)
        window = torch.randint(3, vocab, (updates, 1, rows, length + 1), generator=draw)
        weights = torch.ones(updates, 1, rows, length)
        causal = torch.ones(updates, 1, rows, dtype=torch.bool)
        masked = {"causal": 0, "masked": rows, "mixed": rows // 2}[kind]
        scored = torch.rand(updates, 1, masked, length, generator=draw) < 0.3
        weights[:, :, :masked] = scored.float()
        causal[:, :, :masked] = False
        parts.append((window[..., :-1], window[..., 1:], weights, causal))
    batch = Batch(*(torch.cat(tensors, dim=1).contiguous() for tensors in zip(*parts, strict=True)))
    return SegmentPlan(batch, np.broadcast_to(np.asarray(rates), (updates, len(kinds))).astype(np.float64))


@pytest.fixture(scope="session")
def make_plan() -> MakePlan:
    """The function `random_plan`."""
    return random_plan
