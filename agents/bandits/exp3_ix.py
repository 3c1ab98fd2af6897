"""EXP3-IX: EXP3 that explores by under-estimating losses instead of mixing in uniform play."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from curriculum_rl.agents.rule import Floats, Ints, Rewards, State, add_plays, check, of_plays, softmax


@dataclass(frozen=True)
class Exp3IX:
    """pi = softmax(-step_t L); after arm k paid r: L_k += (1 - r) / (pi_k + step_t / 2).

    Of M plays at one decision the mean of their estimates is taken.

    Source:
        Neu (2015), Explore no more: improved high-probability regret bounds for non-stochastic bandits, algorithm 1
        and theorem 1: losses in [0, 1]; implicit exploration is half the step; step_t = sqrt(ln K / (K t)) where
        T is unknown, sqrt(2 ln K / (K T)) where it is known.

    Attributes:
        step: the learning rate, > 0; None: sqrt(ln K / (K t)) at decision t = 1, 2, ...
    """

    rewards: ClassVar[Rewards] = "unit"

    step: float | None = None

    def __post_init__(self) -> None:
        """Check the settings."""
        if self.step is not None:
            check("step", self.step, above=0)

    def start(self, seeds: int, arms: int) -> State:
        """No losses."""
        return {"losses": np.zeros((seeds, arms)), "time": np.ones(seeds)}

    def probabilities(self, state: State) -> Floats:
        """(S, K) softmax of minus the losses."""
        return softmax(-self._step(state) * state["losses"])

    def update(self, state: State, arms: Ints, rewards: Floats, probabilities: Floats) -> None:
        """Add the estimated losses; time moves on."""
        step = self._step(state)
        drawn_with = of_plays(probabilities, arms)
        implicit = (step if arms.ndim == 2 else step[:, 0]) / 2
        plays = arms.size // len(arms)
        add_plays(state["losses"], arms, (1 - rewards) / (drawn_with + implicit) / plays)
        state["time"] += 1

    def _step(self, state: State) -> Floats:
        """(S, 1) the learning rate of this decision."""
        if self.step is not None:
            return np.full((len(state["time"]), 1), self.step)
        arms = state["losses"].shape[1]
        out: Floats = np.sqrt(math.log(max(arms, 2)) / arms / state["time"])[:, None]
        return out
