"""An agent: a bandit's rule, which the shell of `curriculum_rl` makes an agent of."""

from dataclasses import dataclass

import numpy as np

from curriculum_rl.agents.rule import Floats, Ints, State, check, greedy, mean_of_plays


@dataclass(frozen=True)
class Pursuit:
    """Probabilities move towards the task with the best running mean of rewards.

    Source:
        Sutton & Barto (1998), Reinforcement Learning, section 2.9; the running mean instead of the mean is ours:
        gains fall while a learner learns.

    Attributes:
        step: of the probabilities, in (0, 1].
        rate: weight of a new reward in its task's running mean, in (0, 1].
    """

    step: float = 0.05
    rate: float = 0.3

    def __post_init__(self) -> None:
        """Check the settings."""
        check("step", self.step, above=0, most=1)
        check("rate", self.rate, above=0, most=1)

    def start(self, seeds: int, arms: int) -> State:
        """Even probabilities, and every task average (S runs, K tasks)."""
        return {"probabilities": np.full((seeds, arms), 1 / arms), "means": np.zeros((seeds, arms))}

    def probabilities(self, state: State) -> Floats:
        """(S, K), each row sums to 1."""
        probabilities: Floats = state["probabilities"].copy()
        return probabilities

    def update(self, state: State, arms: Ints, rewards: Floats, probabilities: Floats) -> None:
        """Learn, in place, from (S, M) plays: 0 is the reward of an average segment."""
        means, chances = state["means"], state["probabilities"]
        plays, found = mean_of_plays(arms, rewards, means.shape[1])
        means += np.where(plays > 0, self.rate * (found - means), 0.0)
        chances += self.step * (greedy(means) - chances)
