"""Discounted UCB: the best upper confidence limit over plays of which the old ones count less."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from curriculum_rl.agents.bandits.ucb1 import upper_limits
from curriculum_rl.agents.rule import Floats, Ints, Rewards, State, add_plays, check, greedy


@dataclass(frozen=True)
class DiscountedUCB:
    """Play the task with the highest mean + 2 sqrt(width * log(t) / n), t and n being discounted numbers of plays.

    Source:
        Garivier & Moulines (2011), On upper-confidence bound policies for switching bandit problems, section 3.1:
        rewards in [0, 1], width (xi) 1/2, discount 1 - sqrt(switches / T) / 4. Ours stands for one switch in 600 plays.

    Attributes:
        discount: what a play is worth one decision later, in (0, 1].
        width: xi, >= 0.
    """

    rewards: ClassVar[Rewards] = "unit"

    discount: float = 0.99
    width: float = 0.5

    def __post_init__(self) -> None:
        """Check the settings."""
        check("discount", self.discount, above=0, most=1)
        check("width", self.width, least=0)

    def start(self, seeds: int, arms: int) -> State:
        """Nothing played."""
        return {"counts": np.zeros((seeds, arms)), "sums": np.zeros((seeds, arms))}

    def probabilities(self, state: State) -> Floats:
        """(S, K) even over the tasks with the highest index."""
        return greedy(upper_limits(state["counts"], state["sums"], 4 * self.width))

    def update(self, state: State, arms: Ints, rewards: Floats, probabilities: Floats) -> None:
        """Discount all plays once, then add those of this decision."""
        counts, sums = state["counts"], state["sums"]
        counts *= self.discount
        sums *= self.discount
        add_plays(counts, arms, 1.0)
        add_plays(sums, arms, rewards)
