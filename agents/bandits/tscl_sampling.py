"""TSCL, sampling: draw one of each task's last gains and play the task with the best draw."""

from dataclasses import dataclass

import numpy as np

from curriculum_rl.agents.bandits.tscl import Teacher
from curriculum_rl.agents.bandits.tscl_window import empty_windows, shift_windows
from curriculum_rl.agents.rule import Floats, Ints, State, check, greedy
from curriculum_rl.errors import ConfigError

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(8)
_NODES, _WEIGHTS = (_NODES + 1) / 2, _WEIGHTS / 2


@dataclass(frozen=True)
class TsclSampling(Teacher):
    """Each task draws one gain of its last `window` plays; the best draw is played, and a task never played goes first.

    The probability that a task's draw is the best is computed, not sampled; where draws tie it is split evenly.

    Source:
        Matiisen et al. (2017), algorithm 5, with bandit feedback (`curriculum_rl.agents.bandits.tscl`); the share of
        uniform play as in the released code. A temperature has no meaning here.

    Attributes:
        exploration: the share of uniform play, in [0, 1].
        temperature: must be None.
        absolute: compare the size of the draws.
        window: plays remembered of each task, >= 1.
    """

    window: int = 10

    def __post_init__(self) -> None:
        """Check the settings."""
        super().__post_init__()
        check("window", self.window, least=1, whole=True)
        if self.temperature is not None:
            raise ConfigError(f"temperature: {self.temperature} has no meaning where draws are compared")

    def start(self, seeds: int, arms: int) -> State:
        """Empty windows."""
        return empty_windows(seeds, arms, int(self.window))

    def probabilities(self, state: State) -> Floats:
        """(S, K) that a task's draw is the best."""
        counts, gains = state["counts"], state["gains"]
        unseen = counts == 0
        chances = best_of_draws(np.abs(gains) if self.absolute else gains, np.maximum(counts, 1))
        if unseen.any():
            chances = np.where(unseen.any(axis=1, keepdims=True), greedy(unseen.astype(np.float64)), chances)
        return self.mixed(chances)

    def update(self, state: State, arms: Ints, rewards: Floats, probabilities: Floats) -> None:
        """Shift the windows of what was played."""
        shift_windows(state, arms, rewards)


def best_of_draws(values: Floats, counts: Ints) -> Floats:
    """(S, K) probability that a task's draw, one of its values, is the highest; ties are split evenly.

    Ties are broken by a label u, even in [0, 1), on every draw: given that task i drew v with label u, it wins with
    probability prod_(j != i) (below_j(v) + u at_j(v)), which is integrated over u by Gauss-Legendre quadrature.

    Args:
        values: (S, K, W); the last n of a task are its own.
        counts: (S, K) n, in [1, W].
    """
    seeds, arms, window = values.shape
    own = np.arange(window) >= window - counts[:, :, None]
    flat = np.where(own, values, np.inf).reshape(seeds, -1)
    order = flat.argsort(axis=1)
    ranked, task = np.take_along_axis(flat, order, axis=1), order // window  # (S, K W)
    weight = np.where(np.isfinite(ranked), 1 / np.take_along_axis(counts, task, axis=1), 0.0)
    is_own = task[:, :, None] == np.arange(arms)  # (S, K W, K)
    upto = (weight[:, :, None] * is_own).cumsum(axis=1)
    rank, fresh = np.arange(arms * window), np.ones(ranked.shape, bool)
    fresh[:, 1:] = ranked[:, 1:] != ranked[:, :-1]
    if fresh.all():  # no ties: one node is exact
        wins = np.where(is_own, 1.0, upto).prod(axis=2)
    else:
        first = np.maximum.accumulate(np.where(fresh, rank, 0), axis=1)
        ends = np.append(fresh[:, 1:], np.ones((seeds, 1), bool), axis=1)
        last = np.minimum.accumulate(np.where(ends, rank, rank[-1])[:, ::-1], axis=1)[:, ::-1]
        below = np.take_along_axis(upto, np.maximum(first - 1, 0)[:, :, None], axis=1) * (first > 0)[:, :, None]
        at = np.where(is_own, 0.0, np.take_along_axis(upto, last[:, :, None], axis=1) - below)
        below[is_own] = 1.0
        wins = sum(w * (below + node * at).prod(axis=2) for node, w in zip(_NODES, _WEIGHTS, strict=True))
    out = np.zeros((seeds, arms))
    np.add.at(out, (np.arange(seeds)[:, None], task), wins * weight)
    out /= out.sum(axis=1, keepdims=True)
    return out
