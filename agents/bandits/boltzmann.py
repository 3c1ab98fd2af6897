"""Boltzmann exploration: the better a task's mean so far, the more often it is played."""

from dataclasses import dataclass

import numpy as np

from curriculum_rl.agents.bandits.eps_greedy import learn_values
from curriculum_rl.agents.rule import Floats, Ints, State, check, softmax


@dataclass(frozen=True)
class Boltzmann:
    """pi_i in proportion to e^(estimate_i / temperature); estimates as in epsilon-greedy.

    Source:
        Sutton & Barto (1998), Reinforcement learning, an introduction, section 2.3 (softmax action selection). There is
        no default in print for rewards in standard deviations; ours is half of one. With a constant step it is the
        task selection of Chen et al. (2025), Self-evolving curriculum for LLM reasoning.

    Attributes:
        temperature: the difference between estimates, in rewards, that e times as many plays stand for, > 0.
        step: how far an estimate moves, in (0, 1]; None: one over the number of plays, which gives their mean.
    """

    temperature: float = 0.5
    step: float | None = None

    def __post_init__(self) -> None:
        """Check the settings."""
        check("temperature", self.temperature, above=0)
        if self.step is not None:
            check("step", self.step, above=0, most=1)

    def start(self, seeds: int, arms: int) -> State:
        """Nothing played, all estimates 0."""
        return {"counts": np.zeros((seeds, arms)), "values": np.zeros((seeds, arms))}

    def probabilities(self, state: State) -> Floats:
        """(S, K) softmax of the estimates."""
        return softmax(state["values"] / self.temperature)

    def update(self, state: State, arms: Ints, rewards: Floats, probabilities: Floats) -> None:
        """Move the estimates of what was played."""
        learn_values(state, arms, rewards, self.step)
