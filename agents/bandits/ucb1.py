"""UCB1: the best upper confidence limit over all plays, for tasks that do not change."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from curriculum_rl.agents.rule import Floats, Ints, Rewards, State, add_plays, check, greedy


@dataclass(frozen=True)
class UCB1:
    """Play the task with the highest mean + sqrt(width * log(t) / n); a task never played goes first.

    t and n are how often all tasks and this one were played.

    Source:
        Auer, Cesa-Bianchi & Fischer (2002), Finite-time analysis of the multiarmed bandit problem, figure 1: rewards
        in [0, 1], width 2. Its regret is at most sum_i 8 ln(T) / gap_i + (1 + pi^2 / 3) sum_i gap_i (theorem 1).

    Attributes:
        width: of the confidence limit, squared, >= 0.
    """

    rewards: ClassVar[Rewards] = "unit"

    width: float = 2.0

    def __post_init__(self) -> None:
        """Check the settings."""
        check("width", self.width, least=0)

    def start(self, seeds: int, arms: int) -> State:
        """Nothing played."""
        return {"counts": np.zeros((seeds, arms)), "sums": np.zeros((seeds, arms))}

    def probabilities(self, state: State) -> Floats:
        """(S, K) even over the tasks with the highest index."""
        return greedy(upper_limits(state["counts"], state["sums"], self.width))

    def update(self, state: State, arms: Ints, rewards: Floats, probabilities: Floats) -> None:
        """Count the plays."""
        add_plays(state["counts"], arms, 1.0)
        add_plays(state["sums"], arms, rewards)


def upper_limits(counts: Floats, sums: Floats, width: float) -> Floats:
    """(S, K) sum / n + sqrt(width * log(t) / n) with t the sum of the n; infinite where n is 0.

    Args:
        counts: (S, K) n, plays of each task, discounted where the rule forgets.
        sums: (S, K) of their rewards.
        width: of the limit, squared.
    """
    horizon = width * np.log(np.maximum(counts.sum(axis=1, keepdims=True), 1.0))
    seen = np.maximum(counts, 1e-300)
    index: Floats = sums / seen + np.sqrt(horizon / seen)
    index[counts == 0] = np.inf
    return index
