"""Search over mixtures by moving mass from one task to another; schedules that play one task after the other."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def least(
    loss: Callable[[Floats], Floats], tasks: int, *, starts: int = 256, accuracy: float = 1e-5, seed: int = 0
) -> Floats:
    """The mixture with the least loss, by pattern search from the best of some random ones.

    All moves of mass `step` from a task to another are tried; the best is taken, and where none helps the step is
    halved. Such moves span every direction that stays on the simplex, so on smooth convex losses this ends at the
    minimum; elsewhere at a local one.

    Source:
        Kolda, Lewis & Torczon (2003), Optimization by direct search, section 3 (generating set search).

    Args:
        loss: (M, K) mixtures -> (M,) losses.
        tasks: K.
        starts: random mixtures.
        accuracy: the step at which it ends, in shares.
        seed: of the random mixtures.

    Returns:
        (K,) shares.
    """
    drawn = np.random.default_rng(seed).dirichlet(np.full(tasks, 0.5), starts)
    points = np.concatenate([np.full((1, tasks), 1 / tasks), np.eye(tasks), drawn])
    losses = loss(points)
    place, lowest = points[losses.argmin()], losses.min()
    moves = np.array([np.eye(tasks)[j] - np.eye(tasks)[i] for i in range(tasks) for j in range(tasks) if i != j])
    givers = moves.argmin(axis=1)
    step = 0.25
    while step > accuracy and tasks > 1:
        near = np.maximum(place + np.minimum(step, place[givers])[:, None] * moves, 0.0)
        losses = loss(near)
        if losses.min() < lowest:
            place, lowest = near[losses.argmin()], losses.min()
        else:
            step /= 2
    shares: Floats = place / place.sum()
    return shares


def blocks(shares: Floats, order: npt.NDArray[np.int64], segments: int) -> Floats:
    """(M, K) shares of a run -> (M, T, K) schedules of T = `segments` that play the tasks in an order, one block each.

    A segment in which one block ends and the next begins is a mixture of the two.
    """
    ends = np.cumsum(shares[:, order], axis=1) * segments
    begins = ends - shares[:, order] * segments
    clock = np.arange(segments)[:, None]
    inside = np.minimum(ends[:, None], clock + 1) - np.maximum(begins[:, None], clock)
    schedules = np.empty_like(inside)
    schedules[:, :, order] = np.maximum(inside, 0.0)
    return schedules
