"""Pretraining as meta-learning: every update looks through a few inner steps.

Shapes: K tasks, N replicas, B rows of a batch, k updates of a segment, m batches of an update.

Source: Lv et al. 2020, Pre-training Text Representations as Meta Learning (arXiv:2004.05568), of which we know the
abstract; the update is our reading of it (docs/papers/meta-train.md). First order as Finn et al. 2017 (MAML,
arXiv:1703.03400), section 5.2.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
import numpy.typing as npt

from curriculum_rl.batch import Inner, SegmentPlan, SegmentReport
from curriculum_rl.draws import key
from curriculum_rl.errors import ConfigError
from curriculum_rl.learners.base import Learner
from curriculum_rl.learners.native.inner import require_inner
from curriculum_rl.methods.base import Floats, Ints, Shares
from curriculum_rl.schema.methods import MetaTrainMethod
from curriculum_rl.tasks import Task, apportion


@dataclass(frozen=True)
class MetaTrain:
    """theta <- optimizer(theta, gradient of L(theta_d; last batch)).

    Here theta_0 = theta and theta_j = theta_{j-1} - rate x gradient of L(theta_{j-1}; batch j), for j = 1 to d. All
    parameters take the inner steps, from the learner's own each time. Where tasks have different depths, every update
    reads as many batches as the deepest needs: a replica of less depth takes the loss of its update on more of them.
    So all depths read the same tokens and, at order 1, cost the same.

    Attributes:
        depths: (K,) inner steps of each task's segments.
        rate: of the inner steps.
        order: 1 or 2, of the gradient.
        same_task: whether all inner batches of an update are of one task.
    """

    depths: Sequence[int]
    rate: float
    order: Literal[1, 2]
    same_task: bool
    ghosts: bool = False
    weighs: bool = False

    @classmethod
    def build(cls, section: MetaTrainMethod, tasks: Sequence[Task], learner: Learner) -> Self:
        """As an environment file says.

        Raises:
            ConfigError: where the learner cannot look through inner steps.
        """
        require_inner(learner, section.order)
        depths = tuple(section.depth if task.depth is None else task.depth for task in tasks)
        return cls(depths, section.rate, section.order, section.same_task)

    @property
    def batches(self) -> int:
        """One for each inner step of the deepest, and the last."""
        return max(self.depths) + 1

    def rows(self, shares: Shares) -> tuple[Ints, Floats]:
        """Every batch is of the mixture; with `same_task` all inner ones of an update are of one task, drawn by share.

        The draw is a function of seed and update: nothing has to be remembered of it.
        """
        depth = self.batches - 1
        if not (self.same_task and depth):
            return apportion(shares.mixture, shares.batch, shares.updates * self.batches, shares.credit)
        last, credit = apportion(shares.mixture, shares.batch, shares.updates, shares.credit)
        numbers = range(shares.first, shares.first + shares.updates)
        places = np.array([key(shares.seed, "inner task", number) / 2**64 for number in numbers])
        cumulated = np.cumsum(shares.mixture)
        tasks = np.searchsorted(cumulated / cumulated[-1], places, side="right")
        inner = np.broadcast_to(tasks[:, None, None], (shares.updates, depth, shares.batch))
        return np.concatenate([inner, last[:, None]], axis=1).reshape(-1, shares.batch), credit

    def flops(self, learner: Learner, tokens: int) -> float:
        """Of m trainings; at order 2 an inner step costs three.

        A training is a forward pass F and a backward pass of 2 F: every product of matrices has two in its derivative.
        Order 2 differentiates an inner step's 3 F once more, for 6 F: 9 F in all, with the last batch's 3 F on top.
        """
        trainings = self.batches if self.order == 1 else 3 * (self.batches - 1) + 1
        return trainings * learner.flops(tokens, training=True)

    def train(self, learner: Learner, plan: SegmentPlan, mixture: Floats) -> SegmentReport:
        """Updates through inner steps, each replica's as many as its task has.

        Raises:
            ConfigError: where a replica's segment is of tasks of different depths, or the learner cannot do it.
        """
        inner = Inner(self._depths_of(mixture), self.batches, self.rate, self.order)
        return require_inner(learner, self.order).train_inner(plan, inner)

    def _depths_of(self, mixture: Floats) -> npt.NDArray[np.int64]:
        """(N,) inner steps of each replica."""
        depths = np.array(self.depths)
        found = []
        for shares in mixture:
            some = np.unique(depths[shares > 0])
            if len(some) > 1:
                raise ConfigError(
                    f"tasks.depth: a segment must be of one depth, this one has {', '.join(map(str, some))}; "
                    "use action.kind task and action.emphasis 1"
                )
            found.append(some[0])
        return np.array(found)
