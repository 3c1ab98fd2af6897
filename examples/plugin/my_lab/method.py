"""A method: how the rows of a segment change the learner."""

from collections.abc import Sequence

from curriculum_rl.batch import SegmentPlan, SegmentReport
from curriculum_rl.errors import wrong
from curriculum_rl.learners.base import Learner, Snapshot
from curriculum_rl.methods.base import Floats, Ints, Shares
from curriculum_rl.tasks import Task, apportion


class Lookahead:
    """After every segment the parameters go back a part of the way that its updates led.

    Source: Zhang, Lucas, Hinton & Ba 2019 (arXiv:1907.08610), algorithm 1, with k the updates of a segment.

    Args:
        tasks: K; given by the environment, as is the next.
        learner: what is trained: any, it needs snapshots alone.
        step: the part of the way that is kept, in (0, 1]; 1 is plain training.

    Attributes:
        batches: that an update reads.
        ghosts: whether the signal `ghost` can watch its updates.
        weighs: False: a mixture is shares of rows; True: weights of losses.
    """

    batches, ghosts, weighs = 1, True, False

    def __init__(self, *, tasks: Sequence[Task], learner: Learner, step: float = 0.5) -> None:
        if not 0 < step <= 1:
            raise wrong("method.step", step, "above 0 and at most 1")
        self.step = step

    def rows(self, shares: Shares) -> tuple[Ints, Floats]:
        """(k, B) the task of each row of a segment, and the (K,) rows that are owed to each task."""
        return apportion(shares.mixture, shares.batch, shares.updates, shares.credit)

    def flops(self, learner: Learner, tokens: int) -> float:
        """Of one update."""
        return learner.flops(tokens, training=True)

    def train(self, learner: Learner, plan: SegmentPlan, mixture: Floats) -> SegmentReport:
        """Make the k updates of the plan, then go back."""
        before = learner.snapshot()
        report = learner.train(plan)
        after = learner.snapshot()
        after.state[0].lerp_(before.state[0], 1 - self.step)  # moments and counts stay where the updates led
        learner.restore(Snapshot(after.state, after.steps, after.seeds))
        return report
