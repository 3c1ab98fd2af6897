"""Aioli: measures in every round what each task takes off all tasks' losses, and leans towards those that take most."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from curriculum_rl.agents.mixers.rule import Feedback, least_if_missing, move
from curriculum_rl.agents.rule import Floats, State, check, softmax


@dataclass(frozen=True)
class Aioli:
    """p_j in proportion to exp(step sum_i A_ij), A a moving average over rounds.

    A round's A_ij is what updates on task j alone take off the held-out loss of i, less the least entry where that is
    negative, divided by the sum of all.

    With the moving average p starts from even in every round, so no ratio of shares passes e^step: near stratified by
    construction. `smoothing` None is the released code's other branch: no average, and weights are multiplied on.

    Our reading: branches start from one snapshot that is restored, where the released code trains the learner through
    its sweeps, one task after the other, so that each task is measured after another history, and later sweeps of a
    round differ from the first; tasks are trained on alone (its `one_hot_factor` 1, so that there is no system to
    solve); a branch that exploded counts as the least entry.

    Source:
        Chen et al. (2024), Aioli: a unified optimization framework for language model data mixing, arXiv 2411.05735,
        algorithms 1 and 2 (trainer/aioli_trainer.py): step .2 and smoothing .1 as in its scripts.

    Attributes:
        step: eta, > 0.
        smoothing: what is kept of the average, in [0, 1); None for multiplicative weights.
    """

    signals: ClassVar[tuple[str, ...]] = ("transfer",)
    step: float = 0.2
    smoothing: float | None = 0.1

    def __post_init__(self) -> None:
        """Check the settings."""
        check("step", self.step, above=0)
        if self.smoothing is not None:
            check("smoothing", self.smoothing, least=0, most=1 - 1e-9)

    def start(self, seeds: int, arms: int) -> State:
        """Even weights."""
        return {"logits": np.zeros((seeds, arms)), "sums": np.zeros((seeds, arms)), "time": np.zeros(seeds)}

    def mixture(self, state: State) -> Floats:
        """(S, K) softmax."""
        return softmax(state["logits"])

    def update(self, state: State, feedback: Feedback) -> None:
        """One round; a run none of whose branches was sound learns nothing."""
        sound: npt.NDArray[np.bool_] = np.asarray(np.isfinite(feedback.signals["transfer"]).any(axis=(1, 2)))
        found = sound[:, None]
        graph = least_if_missing(feedback.signals["transfer"])
        graph -= np.minimum(graph.min(axis=(1, 2), keepdims=True), 0.0)
        total = graph.sum(axis=(1, 2), keepdims=True)
        graph = np.divide(graph, total, out=np.zeros_like(graph), where=total > 0)
        sums = graph.sum(axis=2)  # of a linear average, so the (K, K) matrix need not be kept
        if self.smoothing is None:
            move(state["logits"], self.step * sums * found)
            return
        kept = np.where(state["time"] > 0, self.smoothing, 0.0)[:, None]
        np.copyto(state["sums"], (1 - kept) * sums + kept * state["sums"], where=found)
        state["time"] += sound
        state["logits"][:] = self.step * state["sums"]
