"""What the four teacher-student rules share: gains in place of scores, and how estimates become choices.

A TSCL teacher sees the score of every task after every segment. A bandit sees one number: the gain of what it played.
That is the change of a score, TSCL's reward, so the "score" of a task here is the sum of the gains of its own plays,
and time is counted in its own plays. Everything else is as published.

Source:
    Matiisen, Oliver, Cohen & Schulman (2017), Teacher-student curriculum learning, and the released
    addition_rnn_teacher.py: window 10, step .1, epsilon-greedy .1 or Boltzmann (4e-4 for scores that are accuracies).
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from curriculum_rl.agents.rule import Floats, check, greedy, softmax


@dataclass(frozen=True)
class Teacher:
    """How a TSCL rule chooses once each task has an estimate.

    Attributes:
        exploration: the share of uniform play, in [0, 1]; epsilon of epsilon-greedy.
        temperature: of a softmax over the estimates instead of the best, > 0; None: the best.
        absolute: choose by the size of the estimate, so that tasks that are being forgotten are played, too.
    """

    exploration: float = 0.1
    temperature: float | None = None
    absolute: bool = False

    def __post_init__(self) -> None:
        """Check the settings."""
        check("exploration", self.exploration, least=0, most=1)
        if self.temperature is not None:
            check("temperature", self.temperature, above=0)

    def choose(self, values: Floats, unseen: npt.NDArray[np.bool_] | None = None) -> Floats:
        """(S, K) estimates -> (S, K) probabilities; tasks that were not seen yet go first.

        Args:
            values: the estimates.
            unseen: (S, K) true for tasks without one; None: there are none.
        """
        values = np.abs(values) if self.absolute else values
        first = False
        if unseen is not None and unseen.any():
            first, values = True, np.where(unseen, np.inf, values)
        if self.temperature is None:
            return greedy(values, self.exploration)
        if not first:
            return self.mixed(softmax(values / self.temperature))
        finite = np.isfinite(values).all(axis=1, keepdims=True)
        return self.mixed(np.where(finite, softmax(np.where(finite, values, 0) / self.temperature), greedy(values)))

    def mixed(self, chances: Floats) -> Floats:
        """The probabilities, with the share of uniform play in them."""
        out: Floats = (1 - self.exploration) * chances + self.exploration / chances.shape[1]
        return out


@cache
def slope_weights(window: int) -> Floats:
    """(window + 1, window) w: the slope of a task's score over its last n plays is sum_m w[n, m] g_m, newest last.

    The score is 0 before the first of the n plays and grows by the gain g_m with each; the slope is that of least
    squares through these n + 1 points. A row sums to 1: the slope is a mean of the gains, those in the middle counting
    most.
    """
    out = np.zeros((window + 1, window))
    for plays in range(1, window + 1):
        centred = np.arange(plays + 1) - plays / 2
        out[plays, window - plays :] = centred[::-1].cumsum()[::-1][1:] / (centred**2).sum()
    return out
