"""Gaussian Thompson sampling: normal beliefs about tasks that do not change."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from curriculum_rl.agents.bandits.thompson import probability_of_best
from curriculum_rl.agents.rule import Floats, Ints, Rewards, State, add_plays, check


@dataclass(frozen=True)
class GaussianThompson:
    """A task with n plays and sum of rewards s is believed to bring N(s / m, noise^2 / m), m = n + prior_plays.

    Propensities are integrated, not sampled. The discounted relative, with settings for short runs, is
    `curriculum_rl.agents.bandits.thompson`.

    Source:
        Agrawal & Goyal (2013), Further optimal regret bounds for Thompson sampling, algorithm 2: rewards in [0, 1],
        prior 1, noise 1.

    Attributes:
        prior_plays: plays of reward 0 that a task starts with, > 0.
        noise: the standard deviation assumed of rewards, > 0; smaller is greedier.
    """

    rewards: ClassVar[Rewards] = "unit"

    prior_plays: float = 1.0
    noise: float = 1.0

    def __post_init__(self) -> None:
        """Check the settings."""
        check("prior_plays", self.prior_plays, above=0)
        check("noise", self.noise, above=0)

    def start(self, seeds: int, arms: int) -> State:
        """No evidence."""
        return {"counts": np.zeros((seeds, arms)), "sums": np.zeros((seeds, arms))}

    def probabilities(self, state: State) -> Floats:
        """(S, K) that a draw from a task's belief is the highest."""
        weight = state["counts"] + self.prior_plays
        return probability_of_best(state["sums"] / weight, self.noise / np.sqrt(weight))

    def update(self, state: State, arms: Ints, rewards: Floats, probabilities: Floats) -> None:
        """Count the plays."""
        add_plays(state["counts"], arms, 1.0)
        add_plays(state["sums"], arms, rewards)
