"""Held-out losses of the pretraining tasks themselves: a proxy that needs nothing downstream.

Shapes: N replicas, K tasks, S windows of a task, T tokens.
"""

from collections.abc import Sequence
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt

from curriculum_rl.batch import Batch
from curriculum_rl.learners.base import Learner
from curriculum_rl.learners.losses import losses_by_task
from curriculum_rl.problem import Problem
from curriculum_rl.proxies.base import Floats, Price, Reading
from curriculum_rl.schema.proxies import HeldOutTasksProxy

EPSILON = 1e-6
"""Nats that keep a ratio of losses finite."""

Counted = Literal["others", "all"]
"""Which tasks a segment is judged by: those it did not train on, or all."""


class HeldOutTasks:
    """How much of the tasks' held-out losses a segment takes off, in parts of those losses.

    The score is minus the mean over tasks of loss / first loss of this run, so it begins at -1. The gain is

        clip(sum_j w_j (L_j - L'_j) / (L_j + epsilon), -1, 1)

    over the tasks' losses before and after the segment. With `others` the weights w_j are proportional to 1 - share of
    task j in the segment: a segment of one task alone is judged by all the others, a stratified one by all evenly.
    With `all` they are even.

    Source: our reading of the downstream-agnostic variant of Luo et al. 2021 (arXiv 2106.03270), of which only the
    idea is public: the tasks that were not selected judge the one that was. Shares in place of a single task are ours.

    Args:
        batch: (N, K S, T) held-out rows, task by task.
        tasks: K.
        counted: which tasks count.
    """

    def __init__(self, batch: Batch, *, tasks: int, counted: Counted = "others") -> None:
        self._batch = batch
        self._tasks = tasks
        self._counted = counted
        self._first: Floats | None = None

    @classmethod
    def build(cls, section: HeldOutTasksProxy, problem: Problem, learner: Learner, seeds: Sequence[int]) -> Self:
        """As an environment file says.

        Raises:
            ConfigError: where a held-out part is too short.
        """
        problem.heldout.require(problem.tasks, section.sequences, "proxy.sequences")
        unseen = problem.heldout.unseen(problem.tasks, section.sequences, seeds, "held-out tasks")
        return cls(unseen, tasks=len(problem.tasks), counted=section.tasks)

    def price(self, learner: Learner) -> Price:
        """One forward pass over K x S x T tokens."""
        tokens = int(np.prod(self._batch.input_ids.shape[1:]))
        return Price(tokens, learner.flops(tokens, training=False))

    def score(self, learner: Learner) -> Reading:
        """Score all replicas; the first call of a run sets the scale."""
        losses = losses_by_task(learner, self._batch, self._tasks)
        if self._first is None:
            self._first = losses
        return Reading(-(losses / (self._first + EPSILON)).mean(axis=1), heldout=losses)

    def gain(self, before: Floats, after: Floats, mixture: Floats) -> Floats:
        """(N,) in [-1, 1]; see the class."""
        weights = 1 - mixture if self._counted == "others" else np.ones_like(mixture)
        # A single task has no others.
        weights = np.where(weights.sum(axis=1, keepdims=True) > EPSILON, weights, 1.0)
        relative = (weights * (before - after) / (before + EPSILON)).sum(axis=1) / weights.sum(axis=1)
        gains: npt.NDArray[np.float64] = np.clip(relative, -1.0, 1.0)
        return gains

    def state(self) -> dict[str, Any]:
        """The first losses."""
        return {"first": None if self._first is None else self._first.tolist()}

    def load_state(self, state: dict[str, Any]) -> None:
        """Continue from a state."""
        self._first = None if state["first"] is None else np.asarray(state["first"])
