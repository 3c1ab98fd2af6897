"""TSCL, window: play the task whose score rose most steeply over its last plays."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from curriculum_rl.agents.bandits.tscl import Teacher, slope_weights
from curriculum_rl.agents.rule import Floats, Ints, State, check, mean_of_plays


@dataclass(frozen=True)
class TsclWindow(Teacher):
    """The estimate of a task is the slope of its score over its last `window` plays; a task never played goes first.

    Plays of a task by several replicas at one decision enter the window as one, with their mean gain.

    Source:
        Matiisen et al. (2017), algorithm 4, with bandit feedback (`curriculum_rl.agents.bandits.tscl`); the slope is
        used as it is, as in the released code.

    Attributes:
        exploration: the share of uniform play, in [0, 1].
        temperature: of a softmax over the estimates, > 0; None: the best.
        absolute: choose by the size of the estimate.
        window: plays remembered of each task, >= 1.
    """

    window: int = 10

    def __post_init__(self) -> None:
        """Check the settings."""
        super().__post_init__()
        check("window", self.window, least=1, whole=True)

    def start(self, seeds: int, arms: int) -> State:
        """Empty windows."""
        return empty_windows(seeds, arms, int(self.window))

    def probabilities(self, state: State) -> Floats:
        """(S, K) by the slopes."""
        counts, gains = state["counts"], state["gains"]
        slopes = (slope_weights(int(self.window))[counts] * gains).sum(axis=2)
        return self.choose(slopes, counts == 0)

    def update(self, state: State, arms: Ints, rewards: Floats, probabilities: Floats) -> None:
        """Shift the windows of what was played."""
        shift_windows(state, arms, rewards)


def empty_windows(seeds: int, arms: int, window: int) -> State:
    """Windows of S runs: `gains` (S, K, W) with the newest last, and `counts` (S, K), how many of them are filled."""
    return {"counts": np.zeros((seeds, arms), np.int64), "gains": np.zeros((seeds, arms, window))}


def shift_windows(state: State, arms: Ints, rewards: Floats) -> None:
    """Append, in place, the mean gain of each task played at this decision to its window; the oldest falls out."""
    counts, gains = state["counts"], state["gains"]
    rows: Any
    tasks: Any
    newest: Any
    if arms.size == 1:  # an agent's own path: plain numbers take a tenth of the time
        rows, tasks, newest = 0, arms.item(), rewards.item()
    elif arms.size == len(arms):  # one play each, in half the time
        rows, tasks, newest = np.arange(len(arms)), arms.ravel(), rewards.ravel()
    else:
        plays, means = mean_of_plays(arms, rewards, counts.shape[1])
        rows, tasks = np.nonzero(plays)
        newest = means[rows, tasks]
    gains[rows, tasks, :-1] = gains[rows, tasks, 1:]
    gains[rows, tasks, -1] = newest
    counts[rows, tasks] = np.minimum(counts[rows, tasks] + 1, gains.shape[2])
