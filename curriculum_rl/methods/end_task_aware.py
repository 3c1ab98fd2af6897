"""End-task aware training: every update adds up the gradients of all tasks, weighted by the agent's mixture.

Shapes: K tasks, N replicas, B rows of a batch, k updates of a segment.

Source: Dery, Michel, Talwalkar and Neubig 2021, Should We Be Pre-training? An Argument for End-task Aware Training as
an Alternative (arXiv:2109.07437). `tartan_arms` plays the paper's arms outside an environment.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from curriculum_rl.batch import SegmentPlan, SegmentReport
from curriculum_rl.learners.base import Learner
from curriculum_rl.learners.native.weighted import require_weighted
from curriculum_rl.methods.base import Floats, Ints, Shares
from curriculum_rl.schema.methods import TartanMethod
from curriculum_rl.tasks import Task


@dataclass(frozen=True)
class EndTaskAware:
    """theta <- optimizer(theta, sum over tasks i of w_i x gradient of L_i(theta; a batch of task i)).

    The end-task is one of the tasks. A task of weight 0 is read, and paid, like any other.

    Attributes:
        batches: K, one of each task.
    """

    batches: int
    ghosts: bool = False
    weighs: bool = True

    @classmethod
    def build(cls, section: TartanMethod, tasks: Sequence[Task], learner: Learner) -> Self:
        """As an environment file says.

        Raises:
            ConfigError: where the learner cannot weigh losses.
        """
        require_weighted(learner)
        return cls(len(tasks))

    def rows(self, shares: Shares) -> tuple[Ints, Floats]:
        """Batch j of every update is all of task j, whatever the weights; nothing is owed."""
        one = np.repeat(np.arange(self.batches)[:, None], shares.batch, axis=1)
        return np.tile(one, (shares.updates, 1)), shares.credit

    def flops(self, learner: Learner, tokens: int) -> float:
        """Of K trainings."""
        return self.batches * learner.flops(tokens, training=True)

    def train(self, learner: Learner, plan: SegmentPlan, mixture: Floats) -> SegmentReport:
        """Weighted updates; where the plan has dev examples, tasks are compared with them on the way."""
        return require_weighted(learner).train_weighted(plan, mixture)
