"""Look-ahead: what a few updates on each task alone would do. Shapes: N replicas, K tasks."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import ClassVar

import numpy as np

from curriculum_rl.batch import Batch, SegmentPlan
from curriculum_rl.learners.losses import mean_loss
from curriculum_rl.signals.base import Cost, Floats, Moment, plus
from curriculum_rl.signals.heldout import heldout_losses
from curriculum_rl.signals.windows import Windows
from curriculum_rl.tasks import Task


class Branches:
    """Measures `look_ahead` and `transfer`: every task's branch from one snapshot, all read on the same rows.

    Args:
        windows: where the rows come from.
        asked: the signals asked for.

    Raises:
        ConfigError: for `transfer`, where a task has too few held-out windows that the report does not score.
    """

    measures: ClassVar[Mapping[str, str]] = {
        "look_ahead": "(K,) what a few updates on each task alone take off the target's loss, nats per token",
        "transfer": "(K, K) entry j, i: what a few updates on task j alone take off the held-out loss of task i",
    }

    def __init__(self, windows: Windows, asked: Collection[str]) -> None:
        self._windows, self._asked = windows, asked
        if "transfer" in asked:
            windows.require_heldout()

    def cost(self) -> Cost:
        """Of K branches and K + 1 readings."""
        windows, settings = self._windows, self._windows.config.signals
        tasks = len(windows.problem.tasks)
        branch = windows.train(settings.look_ahead * windows.config.batch)
        read = (1 if "look_ahead" in self._asked else 0) + (tasks if "transfer" in self._asked else 0)
        one = windows.read(read * settings.rows)
        return Cost(lookahead=plus(*[branch, one] * tasks, one))

    def measure(self, moment: Moment) -> dict[str, Floats]:
        """Gains by name; NaN where a branch exploded."""
        windows, seeds = self._windows, moment.seeds
        readers: dict[str, Callable[[], Floats]] = {}
        if "look_ahead" in self._asked:
            rows = windows.config.signals.rows
            target = windows.rows(windows.target(), seeds, "look-ahead", moment.number * rows, rows)
            readers["look_ahead"] = lambda: mean_loss(windows.learner, target)
        if "transfer" in self._asked:
            readers["transfer"] = lambda: heldout_losses(windows, seeds)
        before = {name: read() for name, read in readers.items()}
        snapshot = windows.learner.snapshot()
        gains: dict[str, list[Floats]] = {name: [] for name in readers}
        for task in windows.problem.tasks:
            sound = windows.learner.train(branch(windows, task, seeds, moment.number, moment.rate)).finite
            for name, read in readers.items():
                gain = before[name] - read()
                gains[name].append(np.where(sound.reshape(-1, *[1] * (gain.ndim - 1)), gain, np.nan))
            windows.learner.restore(snapshot)
        return {name: np.stack(parts, axis=1) for name, parts in gains.items()}


def branch(windows: Windows, task: Task, seeds: Sequence[int], number: int, rate: float) -> SegmentPlan:
    """The updates of a task's branch."""
    updates, batch = windows.config.signals.look_ahead, windows.config.batch
    drawn = windows.rows(task, seeds, "look-ahead", number * updates * batch, updates * batch)
    return SegmentPlan(
        Batch.stack([drawn[:, i * batch : (i + 1) * batch] for i in range(updates)]),
        np.full((updates, len(seeds)), rate),
    )
