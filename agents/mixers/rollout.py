"""Rollout credit: the next segments go to the task whose branch is worth most after stratified training."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from curriculum_rl.agents.mixers.rule import Feedback, StoredMixture, best_or_softmax
from curriculum_rl.agents.rule import State, check


@dataclass(frozen=True)
class Rollout(StoredMixture):
    """(1 - exploration) on argmax gain and the rest even; even altogether where no task gains on a stratified branch.

    With a temperature softmax(gain / (temperature m)) stands for argmax, m the mean of |gain|, and a stratified branch
    does not. A branch that exploded is never the best; with a temperature it counts as the least gain.

    One step of policy improvement on stratified: never worse in expectation where gains are exact, branches are as long
    as what is played on them (`signals.look_ahead` = `segment.updates` x `signals.every`), `signals.finish` is the rest
    of the run, and nobody pays for them. None of that holds in a run; what it costs stands in the ledger.

    Source:
        rollout policies, Bertsekas, Tsitsiklis & Wu (1997), Rollout algorithms for combinatorial optimization; that
        stratified is the base policy, and the settings, are ours.

    Attributes:
        exploration: share of even, in [0, 1].
        temperature: 0 for the best alone, else > 0, in units of the mean absolute gain.
    """

    signals: ClassVar[tuple[str, ...]] = ("rollout",)
    exploration: float = 0.5
    temperature: float = 0.0

    def __post_init__(self) -> None:
        """Check the settings."""
        check("exploration", self.exploration, least=0, most=1)
        check("temperature", self.temperature, least=0)

    def start(self, seeds: int, arms: int) -> State:
        """Even."""
        return {"mixture": np.full((seeds, arms), 1 / arms)}

    def update(self, state: State, feedback: Feedback) -> None:
        """Choose; a run none of whose branches was sound keeps what it had."""
        gains = feedback.signals["rollout"]
        found = ~np.isnan(gains).all(axis=1, keepdims=True)
        even = 1 / gains.shape[1]
        chosen = best_or_softmax(gains, self.temperature)
        if self.temperature == 0:
            chosen = np.where((gains > 0).any(axis=1, keepdims=True), chosen, even)
        np.copyto(state["mixture"], (1 - self.exploration) * chosen + self.exploration * even, where=found)
