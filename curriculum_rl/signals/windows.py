"""Windows that signals are measured on: no task trains on them in this run and no score is taken from them.

Shapes: N replicas, K tasks, T tokens of a row.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import torch

from curriculum_rl.batch import Batch
from curriculum_rl.draws import key
from curriculum_rl.learners.base import Learner
from curriculum_rl.proxies.base import Price
from curriculum_rl.tasks import Task
from curriculum_rl.text.targets import Split

if TYPE_CHECKING:
    from curriculum_rl.experiment import Experiment


class Windows:
    """Draws rows, and says what they cost.

    Args:
        experiment: tasks and target.
        learner: whose replicas are measured.
        left: FLOPs that are left of the budget now.
    """

    def __init__(self, experiment: "Experiment", learner: Learner, left: Callable[[], float] = lambda: 0.0) -> None:
        self.experiment, self.learner, self.left = experiment, learner, left
        self.config = experiment.config
        self._fixed: tuple[tuple[int, ...], Batch] | None = None

    def target(self, split: Split = "signal") -> Task:
        """The target's objective on one of its splits."""
        return self.experiment.target_task(split, causal=self.learner.causal_rows)

    def rows(self, task: Task, seeds: Sequence[int], what: str, first: int, rows: int) -> Batch:
        """(N, rows, T) rows of a task that are not those that are trained on: their stream is another."""
        context = self.config.context
        return stacked([task.batch(seed=key(s, what), first=first, rows=rows, context=context) for s in seeds])

    def heldout(self, seeds: Sequence[int]) -> Batch:
        """(N, K rows, T) of all tasks, task by task, always the same in a run."""
        if self._fixed is None or self._fixed[0] != tuple(seeds):
            batch = stacked([self._unseen(task, seeds, self.config.signals.rows) for task in self.experiment.tasks])
            self._fixed = tuple(seeds), Batch(*(t.transpose(0, 1).flatten(1, 2) for t in batch.tensors()))
        return self._fixed[1]

    def read(self, rows: int) -> Price:
        """Of scoring as many rows."""
        return self._price(rows, training=False)

    def train(self, rows: int) -> Price:
        """Of gradients of as many rows."""
        return self._price(rows, training=True)

    def _price(self, rows: int, *, training: bool) -> Price:
        tokens = rows * self.config.context
        return Price(tokens, self.learner.flops(tokens, training=training))

    def _unseen(self, task: Task, seeds: Sequence[int], rows: int) -> Batch:
        """Rows of a task's held-out part that the report does not score; drawn apart where it has no such part."""
        name = task.corpus.name
        target = self.experiment.target
        if name == self.config.target.corpus and not task.objective.labelled:
            return self.rows(Task(task.name, target.text["signal"], task.objective), seeds, "held out", 0, rows)
        heldout = self.experiment.heldout.get(name)
        if heldout is None or task.objective.labelled:
            return self.rows(task, seeds, "held out", 0, rows)
        # The report draws its windows from the front of the same permutation.
        first = self.config.report.task_sequences
        named = Task(f"heldout {name}", heldout, task.objective)
        return stacked([named.batch(seed=s, first=first, rows=rows, context=self.config.context) for s in seeds])


def stacked(parts: Sequence[Batch]) -> Batch:
    """Batches of one shape with a new leading dimension."""
    return Batch(*(torch.stack(tensors) for tensors in zip(*(part.tensors() for part in parts), strict=True)))
