"""What a run asks of a method, and the plain one.

Shapes: K tasks, N replicas, B rows of a batch, k updates of a segment, m batches of an update.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt

from curriculum_rl.batch import SegmentPlan, SegmentReport
from curriculum_rl.learners.base import Learner
from curriculum_rl.schema.methods import MultitaskMethod
from curriculum_rl.tasks import Task, apportion

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Shares:
    """What the rows of one replica's segment are planned from.

    Attributes:
        mixture: (K,) share, or weight, of each task, summing to 1.
        updates: k.
        batch: B.
        credit: (K,) rows owed to each task so far.
        seed: of the replica.
        first: updates before this segment.
    """

    mixture: Floats
    updates: int
    batch: int
    credit: Floats
    seed: int
    first: int


class Method(Protocol):
    """How a segment's plan changes the learner.

    Attributes:
        batches: m, batches of B rows that an update reads.
        ghosts: whether its updates can be watched by the signal `ghost`.
        weighs: whether a mixture is weights of the tasks' losses; else it is shares of rows.
    """

    @property
    def batches(self) -> int: ...  # noqa: D102

    @property
    def ghosts(self) -> bool: ...  # noqa: D102

    @property
    def weighs(self) -> bool: ...  # noqa: D102

    def rows(self, shares: Shares) -> tuple[Ints, Floats]:
        """(k m, B) the task of every row of a segment, and the (K,) credit after it; nothing else is remembered."""
        ...

    def flops(self, learner: Learner, tokens: int) -> float:
        """Floating-point operations of one update of one replica whose batches have so many tokens each."""
        ...

    def train(self, learner: Learner, plan: SegmentPlan, mixture: Floats) -> SegmentReport:
        """Make k updates of every replica.

        Args:
            learner: N replicas.
            plan: its batches have leading dimensions (k m, N).
            mixture: (N, K) the shares, or weights, that were asked for.
        """
        ...


@dataclass(frozen=True)
class Multitask:
    """An update is one step of the learner's own optimizer on one batch of the mixture."""

    batches: int = 1
    ghosts: bool = True
    weighs: bool = False

    @classmethod
    def build(cls, section: MultitaskMethod, tasks: Sequence[Task], learner: Learner) -> Self:
        """As an environment file says; every learner can do it."""
        return cls()

    def rows(self, shares: Shares) -> tuple[Ints, Floats]:
        """Each task's share of every batch, the error carried over."""
        return apportion(shares.mixture, shares.batch, shares.updates, shares.credit)

    def flops(self, learner: Learner, tokens: int) -> float:
        """Of training on them once."""
        return learner.flops(tokens, training=True)

    def train(self, learner: Learner, plan: SegmentPlan, mixture: Floats) -> SegmentReport:
        """The learner's own updates."""
        return learner.train(plan)
