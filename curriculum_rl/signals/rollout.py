"""Rollout credit: what a branch on each task is still worth after stratified training. Shapes: N replicas, K tasks."""

from collections.abc import Collection, Mapping
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from curriculum_rl.batch import SegmentPlan
from curriculum_rl.draws import key
from curriculum_rl.learners.losses import mean_loss
from curriculum_rl.signals.base import Cost, Floats, Moment, plus
from curriculum_rl.signals.branches import branch
from curriculum_rl.signals.windows import Windows
from curriculum_rl.tasks import apportion, segment_batches


class Rollout:
    """Measures `rollout`: K branches and a stratified one, each finished by the same stratified updates.

    All start from one snapshot and are read on the same rows of the target's signal split; the finish is
    `signals.finish` updates whose rate falls linearly to 0, or ("rest") as many as are left of the budget when all
    branches are paid.

    Args:
        windows: where the rows come from.
        asked: the signals asked for.
    """

    measures: ClassVar[Mapping[str, str]] = {
        "rollout": "(K,) what a branch as of `look_ahead`, finished by stratified updates, takes off the target's loss "
        "beyond a stratified branch"
    }

    def __init__(self, windows: Windows, asked: Collection[str]) -> None:
        self._windows = windows

    def cost(self) -> Cost:
        """Of K + 1 finished branches and as many readings."""
        windows, settings = self._windows, self._windows.config.signals
        branches = len(windows.problem.tasks) + 1
        trained = windows.train((settings.look_ahead + finish(windows, branches)) * windows.config.batch)
        return Cost(lookahead=plus(*[trained, windows.read(settings.rows)] * branches))

    def measure(self, moment: Moment) -> dict[str, Floats]:
        """(N, K) loss after the stratified branch less that after each task's; NaN where one of both exploded."""
        windows, seeds, learner = self._windows, moment.seeds, self._windows.learner
        look_ahead, rows = windows.config.signals.look_ahead, windows.config.signals.rows
        target = windows.rows(windows.target(), seeds, "look-ahead", moment.number * rows, rows)
        even = self._stratified(moment, "rollout", 0, np.full(look_ahead, moment.rate))
        firsts = [even, *(branch(windows, t, seeds, moment.number, moment.rate) for t in windows.problem.tasks)]
        snapshot, losses = learner.snapshot(), []
        for first in firsts:
            sound = learner.train(first).finite & self._finish(moment)
            losses.append(np.where(sound, mean_loss(learner, target), np.nan))
            learner.restore(snapshot)
        return {"rollout": losses[0][:, None] - np.stack(losses[1:], axis=1)}

    def _finish(self, moment: Moment) -> npt.NDArray[np.bool_]:
        """Train all replicas to the end, a segment at a time; (N,) whether they stayed sound."""
        updates = finish(self._windows, len(self._windows.problem.tasks) + 1)
        rates = cooled(moment.rate, updates)
        size, sound = self._windows.config.segment.updates, np.ones(len(moment.seeds), bool)
        for begin in range(0, updates, size):
            plan = self._stratified(moment, "finish", begin, rates[begin : begin + size])
            sound &= self._windows.learner.train(plan).finite
        return sound

    def _stratified(self, moment: Moment, stream: str, begin: int, rates: Floats) -> SegmentPlan:
        """Stratified updates, the same for every branch of this measurement, from update `begin` of a stream on."""
        config, tasks = self._windows.config, self._windows.problem.tasks
        shares, replicas = np.full(len(tasks), 1 / len(tasks)), len(moment.seeds)
        # Rows of one task never repeat before its epoch ends: update u draws from the places that u - 1 left.
        rows, _ = apportion(shares, config.batch, begin + len(rates), np.zeros(len(tasks)))
        before = np.bincount(rows[:begin].ravel(), minlength=len(tasks))
        plan = np.repeat(rows[begin:, None], replicas, axis=1)
        streams = [key(seed, stream, moment.number) for seed in moment.seeds]
        batches, _ = segment_batches(tasks, plan, np.tile(before, (replicas, 1)), streams, config.context)
        return SegmentPlan(batches, np.repeat(rates[:, None], replicas, axis=1))


def finish(windows: Windows, branches: int) -> int:
    """Updates after each of so many branches, at least 1.

    For "rest" f: branches of `look_ahead` + f updates leave `look_ahead` + f updates to train.
    """
    settings = windows.config.signals
    if settings.finish != "rest":
        return settings.finish
    left = windows.left() - branches * windows.read(settings.rows).flops
    updates = int(left / windows.train(windows.config.batch).flops / (branches + 1) + 1e-9)
    return max(1, updates - settings.look_ahead)


def cooled(rate: float, updates: int) -> Floats:
    """(U,) rates of so many updates, falling linearly to 0."""
    rates: Floats = rate * (1 - (np.arange(updates) + 0.5) / updates)
    return rates
