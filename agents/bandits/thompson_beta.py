"""Beta-Bernoulli Thompson sampling: play each task as often as it probably succeeds most often."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from curriculum_rl.agents.bandits.beta import best_of_beta
from curriculum_rl.agents.rule import Floats, Ints, Rewards, State, add_plays, check


@dataclass(frozen=True)
class BetaThompson:
    """A Beta belief about how often each task succeeds; for tasks that do not change.

    A reward r in [0, 1] counts as r successes and 1 - r failures, which is its expectation under Agrawal & Goyal's coin
    toss with probability r. The probability that a draw from a task's belief is the highest is integrated, not
    sampled, so that the propensities are known.

    Source:
        Thompson (1933), On the likelihood that one unknown probability exceeds another;
        Agrawal & Goyal (2012), Analysis of Thompson sampling for the multi-armed bandit problem: Beta(1, 1).

    Attributes:
        prior_plays: successes, and as many failures, before anything was played, >= 1.
    """

    rewards: ClassVar[Rewards] = "unit"

    prior_plays: float = 1.0

    def __post_init__(self) -> None:
        """Check the settings."""
        check("prior_plays", self.prior_plays, least=1)

    def start(self, seeds: int, arms: int) -> State:
        """No evidence."""
        return {"counts": np.zeros((seeds, arms)), "sums": np.zeros((seeds, arms))}

    def probabilities(self, state: State) -> Floats:
        """(S, K) that a draw from a task's belief is the highest."""
        counts, sums = state["counts"], state["sums"]
        return best_of_beta(self.prior_plays + sums, self.prior_plays + (counts - sums))

    def update(self, state: State, arms: Ints, rewards: Floats, probabilities: Floats) -> None:
        """Count successes and plays."""
        add_plays(state["counts"], arms, 1.0)
        add_plays(state["sums"], arms, np.minimum(np.maximum(rewards, 0.0), 1.0))
