"""EXP3: exponential weights for rewards that an adversary may have chosen, against the best single task."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from curriculum_rl.agents.rule import Floats, Ints, Rewards, State, add_plays, check, of_plays, softmax


@dataclass(frozen=True)
class Exp3:
    """pi = (1 - exploration) softmax(w) + exploration / K; after arm k paid r: w_k += exploration * r / (pi_k K).

    Of M plays at one decision the mean of their estimates is taken.

    Source:
        Auer, Cesa-Bianchi, Freund & Schapire (2002), The nonstochastic multiarmed bandit problem, section 3: rewards
        in [0, 1]. With exploration = min(1, sqrt(K ln K / ((e - 1) T))) regret is at most 2.63 sqrt(T K ln K)
        (corollary 3.2). Where T is unknown there is no default in print; ours is .1.

    Attributes:
        exploration: gamma, the share of uniform play and the learning rate, in (0, 1].
    """

    rewards: ClassVar[Rewards] = "unit"

    exploration: float = 0.1

    def __post_init__(self) -> None:
        """Check the settings."""
        check("exploration", self.exploration, above=0, most=1)

    def start(self, seeds: int, arms: int) -> State:
        """Even weights."""
        return {"log_weights": np.zeros((seeds, arms))}

    def probabilities(self, state: State) -> Floats:
        """(S, K) mixed softmax."""
        out = softmax(state["log_weights"])
        out *= 1 - self.exploration
        out += self.exploration / out.shape[1]
        return out

    def update(self, state: State, arms: Ints, rewards: Floats, probabilities: Floats) -> None:
        """Add the importance-weighted rewards."""
        log_weights = state["log_weights"]
        scale = self.exploration / log_weights.shape[1] / (arms.size // len(arms))
        add_plays(log_weights, arms, scale * rewards / of_plays(probabilities, arms))
