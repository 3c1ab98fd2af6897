"""ODM as released: shares in proportion to a moving average of each domain's perplexity."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from curriculum_rl.agents.mixers.odm import average, explored
from curriculum_rl.agents.mixers.rule import Feedback, known, smoothed
from curriculum_rl.agents.rule import Floats, State, check


@dataclass(frozen=True)
class ODMReleased:
    """R_i <- a R_i + (1 - a) e^(L_i) of the tasks that had rows; pi_t(i) = (1 - K eps_t) R_i / sum R + eps_t.

    This is `group_update` of the released code, which its 1B runs used: no importance weight, and no exponential in
    the policy, where the temperature cancels. Noise, whose perplexity never falls, keeps the largest share. A task
    that never had rows has R = 0 there and the floor's share here. Our reading: t counts segments.

    Source:
        github.com/alon-albalak/online-data-mixing, megatron/data/data_sampling_utils.py
        (`SmoothedMeanWeightUpdater`); smoothing .9 is its default, .5 that of its 1B script.

    Attributes:
        smoothing: a, what is kept of the moving average, in [0, 1).
    """

    signals: ClassVar[tuple[str, ...]] = ()
    smoothing: float = 0.9

    def __post_init__(self) -> None:
        """Check the settings."""
        check("smoothing", self.smoothing, least=0, most=1 - 1e-9)

    def start(self, seeds: int, arms: int) -> State:
        """No rewards."""
        return {"rewards": np.zeros((seeds, arms)), "time": np.zeros(seeds)}

    def mixture(self, state: State) -> Floats:
        """(S, K) shares in proportion to the averages; even ones before anything was seen."""
        rewards = state["rewards"]
        total = rewards.sum(axis=1, keepdims=True)
        arms = rewards.shape[1]
        shares = np.divide(rewards, total, out=np.full_like(rewards, 1 / arms), where=total > 0)
        return smoothed(shares, explored(state["time"] + 1, arms))

    def update(self, state: State, feedback: Feedback) -> None:
        """Move the averages of the tasks that had rows."""
        seen = np.isfinite(feedback.losses)
        # No loss in nats per token is near 50: the bound keeps a broken one from overflowing.
        average(state["rewards"], np.exp(np.clip(known(feedback.losses), -50, 50)), seen, self.smoothing)
        state["time"] += 1
