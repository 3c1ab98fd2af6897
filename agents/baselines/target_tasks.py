"""Baselines that know which tasks are the target's: its own objective, and its signal split at the end of a run."""

from dataclasses import dataclass

import numpy as np

from curriculum_rl.agents.baselines.reset_figures import FromReset
from curriculum_rl.agents.baselines.static import Timed
from curriculum_rl.agents.rule import Floats, Ints, State, check


@dataclass(frozen=True)
class OfObjective:
    """Even over the tasks whose objective is the one that the target's text is scored under."""

    def start(self, seeds: int, arms: int) -> State:
        """All tasks, until these are known."""
        return {"target_objective": np.ones((seeds, arms))}

    def probabilities(self, state: State) -> Floats:
        """(S, K) shares."""
        shares: Floats = state["target_objective"] / state["target_objective"].sum(axis=1, keepdims=True)
        return shares

    def update(self, state: State, arms: Ints, rewards: Floats, probabilities: Floats) -> None:
        """Learn nothing."""


@dataclass(frozen=True)
class ThenTarget:
    """Even over all other tasks, then, for the rest of the budget, the target's signal split alone.

    Attributes:
        last: the share of the budget that the signal split gets, in [0, 1]: every segment that would end in it. By
            default that in which the learning rate falls, as the env's `optimizer.decay` has it by default.
    """

    last: float = 0.2

    def __post_init__(self) -> None:
        """Check the settings."""
        check("last", self.last, least=0, most=1)

    def start(self, seeds: int, arms: int) -> State:
        """The beginning of the budget; the last task is the signal split's, until it is known."""
        signal = np.zeros((seeds, arms))
        signal[:, -1] = 1.0
        return {"spent": np.zeros(seeds), "before": np.zeros(seeds), "target_signal": signal}

    def probabilities(self, state: State) -> Floats:
        """(S, K) shares by what is spent."""
        signal = state["target_signal"]
        others = np.where(signal.all(axis=1, keepdims=True), signal, 1 - signal)
        others = others / others.sum(axis=1, keepdims=True)
        # The next segment is taken to be as long as the last one; rounding must not make one more of them.
        end = np.minimum(2 * state["spent"] - state["before"], 1.0)
        ending = (end - 1e-6 > 1 - self.last) | (state["spent"] + 1e-6 >= 1 - self.last)
        shares: Floats = np.where(ending[:, None], signal, others)
        return shares

    def update(self, state: State, arms: Ints, rewards: Floats, probabilities: Floats) -> None:
        """Note where the segment began; the env says where it ended."""
        state["before"][:] = state["spent"]


class TargetObjective(FromReset):
    """Stratified over the tasks of the target's own objective."""

    rule_class, figure = OfObjective, "target_objective"
    absent = "tasks: none has the target's own objective, and target-objective plays nothing else"


class StratifiedFinetune(FromReset, Timed):
    """Stratified over all tasks, then fine-tuned on the target's signal split."""

    rule_class, figure = ThenTarget, "target_signal"
    absent = "target.train: false; stratified-finetune needs the task on the target's signal split that true adds"
