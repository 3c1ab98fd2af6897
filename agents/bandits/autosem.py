"""AutoSeM's task selection: Beta-Bernoulli Thompson sampling whose evidence decays towards the prior."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from curriculum_rl.agents.bandits.beta import best_of_beta
from curriculum_rl.agents.rule import Floats, Ints, Rewards, State, add_plays, check


@dataclass(frozen=True)
class AutoSeM:
    """a <- (1 - decay) a + decay a_0 + success, b likewise with failures: an unplayed task drifts back to the prior.

    A play succeeds where its reward is above that of an average segment; the paper's does where the score on the
    primary task's validation set improves, which every segment of a pretraining run does. Propensities are integrated.

    Source:
        Guo, Pasunuru & Bansal (2019), AutoSeM: automatic task selection and mixing in multi-task learning, section 3.1
        (its first stage; the Gaussian process over mixing ratios is another agent's work). Prior Beta(1, 1). We had no
        copy of their decay: .05 is ours, a memory of twenty plays.

    Attributes:
        decay: what evidence loses per decision, in [0, 1).
        prior_plays: a_0 = b_0, >= 1.
    """

    rewards: ClassVar[Rewards] = "unit"

    decay: float = 0.05
    prior_plays: float = 1.0

    def __post_init__(self) -> None:
        """Check the settings."""
        check("decay", self.decay, least=0, most=0.999999)
        check("prior_plays", self.prior_plays, least=1)

    def start(self, seeds: int, arms: int) -> State:
        """No evidence: successes and failures beyond the prior."""
        return {"successes": np.zeros((seeds, arms)), "failures": np.zeros((seeds, arms))}

    def probabilities(self, state: State) -> Floats:
        """(S, K) that a draw from a task's belief is the highest."""
        return best_of_beta(self.prior_plays + state["successes"], self.prior_plays + state["failures"])

    def update(self, state: State, arms: Ints, rewards: Floats, probabilities: Floats) -> None:
        """Let all evidence decay once, then count the plays of this decision."""
        won = (rewards > 0.5).astype(np.float64)
        for name, values in (("successes", won), ("failures", 1 - won)):
            state[name] *= 1 - self.decay
            add_plays(state[name], arms, values)
