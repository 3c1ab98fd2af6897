"""Priming: an inner loop that tunes light parameters as a user will, an outer update that moves the body to help.

Shapes: K tasks, N replicas, B rows of a batch, k updates of a segment, m batches of an update.

Source: Gheini, Ma and May 2022, Know Where You're Going: Meta-Learning for Parameter-Efficient Fine-Tuning
(arXiv:2205.12453), of which we know the abstract and summaries; the details are our reading (docs/papers/priming.md).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, Self

import numpy as np
import torch

from curriculum_rl.batch import Inner, Part, SegmentPlan, SegmentReport
from curriculum_rl.errors import ConfigError
from curriculum_rl.learners.base import Learner
from curriculum_rl.learners.native.inner import require_inner
from curriculum_rl.learners.transformers.light import require_light
from curriculum_rl.methods.base import Floats, Ints, Shares
from curriculum_rl.schema.methods import PrimingMethod
from curriculum_rl.tasks import Task, apportion
from curriculum_rl.text.corpora import LabelledCorpus
from curriculum_rl.text.tagged import TaggedCorpus


@dataclass(frozen=True)
class Priming:
    """p <- AdamW(p, gradient of L(p, a_S; test)), with a_0 = a and a_{s+1} = a_s - rate x gradient of L(p, a_s; train).

    Here p is the body, a are the light parameters: those of parameter-efficient tuning and the head. All batches of an
    update are of one task, each of other rows until the task's corpus begins anew; tasks take turns by their shares.

    Attributes:
        labels: (C,) the label tokens of all tasks, among which every target is chosen.
        steps: S, inner steps; 0: ordinary fine-tuning on the tasks.
        rate: of the inner steps, plain SGD.
        inner: what takes them: `light`, or `all` as in plain MAML.
        order: 1 or 2, of the gradient.
        initial: whether the outer update also moves the values that light parameters start the inner loop with.
    """

    labels: torch.Tensor
    steps: int
    rate: float
    inner: Literal["light", "all"]
    order: Literal[1, 2]
    initial: bool
    ghosts: bool = False
    weighs: bool = False

    @classmethod
    def build(cls, section: PrimingMethod, tasks: Sequence[Task], learner: Learner) -> Self:
        """As an environment file says.

        Raises:
            ConfigError: where the learner has no light parameters or cannot look through inner steps, or a task has
                no labels.
        """
        require_light(learner, "method.kind: priming")
        require_inner(learner, section.order)
        return cls(_labels(tasks), **section.settings())

    @property
    def batches(self) -> int:
        """One for each inner step, and the outer one."""
        return self.steps + 1

    def rows(self, shares: Shares) -> tuple[Ints, Floats]:
        """One task for all batches of an update, its share of the updates exact over time."""
        tasks, credit = apportion(shares.mixture, 1, shares.updates, shares.credit)
        plan = np.broadcast_to(tasks[:, :, None], (shares.updates, self.batches, shares.batch))
        return plan.reshape(-1, shares.batch), credit

    def flops(self, learner: Learner, tokens: int) -> float:
        """Of the gradients, counted; at order 2 an inner step is taken to cost three gradients of everything.

        Order 2 differentiates a forward and a backward pass once more, see `MetaTrain.flops`.
        """
        light = require_light(learner, "method.kind priming")
        outer = light.label_flops(tokens, self._outer)
        inner = light.label_flops(tokens, self.inner) if self.order == 1 else 3 * light.label_flops(tokens, "all")
        return self.steps * inner + outer

    def train(self, learner: Learner, plan: SegmentPlan, mixture: Floats) -> SegmentReport:
        """Updates through inner steps; the report tells what these take off the loss of rows that they did not read."""
        inner = Inner(
            np.full(learner.replicas, self.steps), self.batches, self.rate, self.order if self.steps else 1, self.inner
        )
        work = replace(plan, label_ids=self.labels, moves=self._outer)
        report = require_inner(learner, inner.order).train_inner(work, inner)
        if not self.steps:
            return report
        losses = report.row_losses.reshape(-1, self.batches, *report.row_losses.shape[1:]).mean(axis=3)
        return replace(report, inner_drop=(losses[:, 0] - losses[:, -1]).mean(axis=0))

    @property
    def _outer(self) -> Part:
        """What an outer update moves; ordinary fine-tuning has no other values of the light parameters than these."""
        return "all" if self.initial or not self.steps else "body"


def _labels(tasks: Sequence[Task]) -> torch.Tensor:
    """The label tokens of all tasks.

    Raises:
        ConfigError: for a task without.
    """
    found: set[int] = set()
    for task in tasks:
        if not isinstance(task.corpus, LabelledCorpus | TaggedCorpus):
            raise ConfigError(f"tasks: method.kind 'priming' needs labels, and {task.name} has none")
        first = task.objective.first  # type: ignore[attr-defined]
        labels = task.objective.tokenizer.label_ids  # type: ignore[attr-defined]
        found.update(labels[first : first + len(task.corpus.classes)])
    return torch.tensor(sorted(found))
