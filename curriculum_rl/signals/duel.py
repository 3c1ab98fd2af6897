"""A mixture against stratified, from one snapshot. Shapes: N replicas, K tasks."""

from collections.abc import Collection, Mapping
from typing import ClassVar

import numpy as np

from curriculum_rl.batch import SegmentPlan
from curriculum_rl.draws import key
from curriculum_rl.learners.losses import mean_loss
from curriculum_rl.signals.base import Cost, Floats, Moment, plus
from curriculum_rl.signals.windows import Windows
from curriculum_rl.tasks import apportion, segment_batches


class Duel:
    """Measures `duel`.

    Args:
        windows: where the rows come from.
        asked: the signals asked for.
    """

    measures: ClassVar[Mapping[str, str]] = {
        "duel": "() what a few updates on the last mixture take off the target's loss (selection split) beyond what "
        "stratified ones do, from one snapshot"
    }

    def __init__(self, windows: Windows, asked: Collection[str]) -> None:
        self._windows = windows

    def cost(self) -> Cost:
        """Of two branches and two readings."""
        windows, settings = self._windows, self._windows.config.signals
        branch, read = windows.train(settings.look_ahead * windows.config.batch), windows.read(settings.rows)
        return Cost(lookahead=plus(*[branch, read] * 2))

    def measure(self, moment: Moment) -> dict[str, Floats]:
        """(N,) loss on the selection split after stratified updates less that after the mixture's."""
        windows, mixture = self._windows, moment.mixture
        rows, learner = windows.config.signals.rows, windows.learner
        target = windows.rows(windows.target("selection"), moment.seeds, "duel", moment.number * rows, rows)
        snapshot, losses = learner.snapshot(), []
        for shares in (np.full_like(mixture, 1 / mixture.shape[1]), mixture):
            sound = learner.train(self._branch(shares, moment)).finite
            losses.append(np.where(sound, mean_loss(learner, target), np.nan))
            learner.restore(snapshot)
        return {"duel": losses[0] - losses[1]}

    def _branch(self, shares: Floats, moment: Moment) -> SegmentPlan:
        """A branch on a mixture; both duellists draw a task's windows from the same stream."""
        config, tasks = self._windows.config, self._windows.problem.tasks
        updates, batch = config.signals.look_ahead, config.batch
        plan = np.stack([apportion(own, batch, updates, np.zeros(len(own)))[0] for own in shares], axis=1)
        counters = np.full(shares.shape, moment.number * updates * batch, dtype=np.int64)
        streams = [key(seed, "duel") for seed in moment.seeds]
        batches, _ = segment_batches(tasks, plan, counters, streams, config.context)
        return SegmentPlan(batches, np.full((updates, len(moment.seeds)), moment.rate))
