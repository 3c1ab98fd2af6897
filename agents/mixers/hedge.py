"""Hedge with fixed share: exponential weights where every task's reward is seen, able to follow a change."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from curriculum_rl.agents.mixers.rule import Feedback, alignments, known, least_if_missing
from curriculum_rl.agents.rule import Floats, State, check, softmax


@dataclass(frozen=True)
class Hedge:
    """v_i = w_i e^(step r_i), normalised; w_i <- (1 - sharing) v_i + sharing / (K - 1) sum_(j != i) v_j; shares are w.

    r_i is the look-ahead gain of task i less the row's mean, divided by the running root mean square of that difference
    (this measurement included) and clipped: gains shrink a hundredfold over a run. A branch that exploded counts as
    the least gain. No importance weights: every task's reward is seen.

    Source:
        Herbster & Warmuth (1998), Tracking the best expert, section 5 (Fixed-share). The theory's best step and share
        need the horizon and the number of changes; these and the scaling are ours.

    Attributes:
        step: the learning rate, > 0.
        sharing: the mass that each task gives to the others, in [0, 1).
        decay: what is kept of the running scale at each measurement, in [0, 1).
        clip: the largest size of a scaled reward, > 0.
    """

    signals: ClassVar[tuple[str, ...]] = ("look_ahead",)
    step: float = 0.5
    sharing: float = 0.02
    decay: float = 0.9
    clip: float = 3.0

    def __post_init__(self) -> None:
        """Check the settings."""
        check("step", self.step, above=0)
        check("sharing", self.sharing, least=0, most=1 - 1e-9)
        check("decay", self.decay, least=0, most=1 - 1e-9)
        check("clip", self.clip, above=0)

    def start(self, seeds: int, arms: int) -> State:
        """Even weights, no scale."""
        return {"logits": np.zeros((seeds, arms)), "square": np.zeros(seeds), "weight": np.zeros(seeds)}

    def mixture(self, state: State) -> Floats:
        """(S, K) weights."""
        return softmax(state["logits"])

    def update(self, state: State, feedback: Feedback) -> None:
        """One step of fixed share."""
        rewards = self._scaled(state, self.rewards(feedback))
        weights = softmax(state["logits"] + self.step * rewards)
        others = weights.shape[1] - 1
        if others:
            weights = (1 - self.sharing) * weights + self.sharing / others * (1 - weights)
        state["logits"][:] = np.log(np.maximum(weights, 1e-300))

    def rewards(self, feedback: Feedback) -> Floats:
        """(S, K) what each task is paid, in any unit."""
        return least_if_missing(feedback.signals["look_ahead"])

    def _scaled(self, state: State, rewards: Floats) -> Floats:
        centred = rewards - rewards.mean(axis=1, keepdims=True)
        found = centred.any(axis=1)
        square, weight = state["square"], state["weight"]
        square += (1 - self.decay) * np.where(found, (centred**2).mean(axis=1) - square, 0.0)
        weight += (1 - self.decay) * np.where(found, 1 - weight, 0.0)
        scale = np.sqrt(square / np.maximum(weight, 1e-12))[:, None]
        scaled = np.divide(centred, scale, out=np.zeros_like(centred), where=scale > 0)
        clipped: Floats = np.clip(scaled, -self.clip, self.clip)
        return clipped


@dataclass(frozen=True)
class AlignedHedge(Hedge):
    """Paid by the cosines of Adam-preconditioned gradients with the target's instead: no branches, K + 1 gradients."""

    signals: ClassVar[tuple[str, ...]] = ("adam_products",)

    def rewards(self, feedback: Feedback) -> Floats:
        """(S, K) cosines."""
        return alignments(known(feedback.signals["adam_products"]))
