"""TSCL, online: follow each task's gains with a constant step."""

from dataclasses import dataclass

import numpy as np

from curriculum_rl.agents.bandits.eps_greedy import learn_values
from curriculum_rl.agents.bandits.tscl import Teacher
from curriculum_rl.agents.rule import Floats, Ints, State, check


@dataclass(frozen=True)
class TsclOnline(Teacher):
    """Q <- Q + step (g - Q) of the task played, g its gain.

    Source:
        Matiisen et al. (2017), algorithm 2, with bandit feedback (`curriculum_rl.agents.bandits.tscl`).

    Attributes:
        exploration: the share of uniform play, in [0, 1].
        temperature: of a softmax over the estimates, > 0; None: the best.
        absolute: choose by the size of the estimate.
        step: how far an estimate moves, in (0, 1].
    """

    step: float = 0.1

    def __post_init__(self) -> None:
        """Check the settings."""
        super().__post_init__()
        check("step", self.step, above=0, most=1)

    def start(self, seeds: int, arms: int) -> State:
        """Nothing played, all estimates 0."""
        return {"counts": np.zeros((seeds, arms)), "values": np.zeros((seeds, arms))}

    def probabilities(self, state: State) -> Floats:
        """(S, K) by the estimates."""
        return self.choose(state["values"])

    def update(self, state: State, arms: Ints, rewards: Floats, probabilities: Floats) -> None:
        """Move the estimates of what was played."""
        learn_values(state, arms, rewards, self.step)
