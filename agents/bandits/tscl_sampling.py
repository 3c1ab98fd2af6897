"""TSCL, sampling: draw one of each task's last gains and play the task with the best draw."""

from dataclasses import dataclass
from functools import cache

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

    A draw v of task i wins with probability prod_(j != i) F_j(v), F_j(v) being the share of task j's values up to v:
    one walk through all values in order sums up the logarithms of all K shares.

    Args:
        values: (S, K, W); the last n of a task are its own.
        counts: (S, K) n, in [1, W].
    """
    seeds, arms, window = values.shape
    steps, padding = _tables(window)[:, counts]  # (S, K, W) each
    ranked = values + padding
    ranked.sort(axis=2)  # nan goes last, equals nothing and is above nothing
    order = ranked.reshape(seeds, -1).argsort(axis=1)
    order += (np.arange(seeds) * (arms * window))[:, None]  # places among the values of all runs
    joint = np.empty(values.shape)
    joint.reshape(-1)[order] = steps.reshape(-1)[order].cumsum(axis=1)
    floor = ranked[:, :, 0].max(axis=1)[:, None, None]  # below it some task has no value yet
    wins = np.exp(joint) * (ranked >= floor) / np.arange(1, window + 1)  # (1 / n) / F is one over the rank
    walk = ranked.reshape(-1)[order]
    tied = walk[:, 1:] == walk[:, :-1]
    if not tied.any():
        out: Floats = wins.sum(axis=2)
    else:
        wins.reshape(-1)[order[:, 1:][tied]] = wins.reshape(-1)[order[:, :-1][tied]] = 0.0
        out = wins.sum(axis=2)
        tied[:, 1:] &= ~tied[:, :-1]  # the first pair of each group
        rows, places = np.nonzero(tied & (walk[:, 1:] >= floor[:, :, 0]))
        np.add.at(out, rows, _chances_of_ties(ranked[rows], counts[rows], walk[rows, places]))
    out /= out.sum(axis=1, keepdims=True)
    return out


def _chances_of_ties(values: Floats, counts: Ints, points: Floats) -> Floats:
    """(T, K) probability that a task draws a value that others have, too, and wins with it.

    Ties are broken by a label u, even in [0, 1), on every draw: given that task i drew v with label u, it wins with
    probability prod_(j != i) (below_j(v) + u at_j(v)), which is integrated over u by Gauss-Legendre quadrature.

    Args:
        values: (T, K, W) a run's values for each tie, nan beyond those that a task has.
        counts: (T, K) how many it has.
        points: (T,) the value v; no task has its values all above it.
    """
    below = (values < points[:, None, None]).sum(axis=2) / counts
    at = (values == points[:, None, None]).sum(axis=2) / counts
    chances = below[:, :, None] + at[:, :, None] * _NODES  # (T, K, nodes)
    out: Floats = at * ((chances.prod(axis=1, keepdims=True) / chances) @ _WEIGHTS)
    return out


@cache
def _tables(window: int) -> Floats:
    """(2, W + 1, W) for n values: the steps of log F at the first, second, ... of them; nan before the last n, else 0.

    From the share 0 before its first value log F steps to log(1 / n) as if from log 1; beyond the last it does not.
    """
    steps, padding = out = np.zeros((2, window + 1, window))
    for plays in range(1, window + 1):
        steps[plays, :plays] = np.diff(np.log(np.arange(1, plays + 1) / plays), prepend=0.0)
        padding[plays, : window - plays] = np.nan
    return out
