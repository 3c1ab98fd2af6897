"""Ghosts: every task's alignment with the target from the training step's own backward pass.

Shapes: k updates, N replicas, B rows, K tasks.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil

import numpy as np
import numpy.typing as npt
import torch

from curriculum_rl.batch import Probe
from curriculum_rl.learners.native.ghost import require_ghosts
from curriculum_rl.proxies.base import Price
from curriculum_rl.signals.base import Floats
from curriculum_rl.signals.windows import Windows

# Of what training costs, the most that ghosts may: products in as many updates as two thirds of it pay for.
SHARE = 0.05
PRODUCTS = 2 / 3 * SHARE
# Of the average at a draw: a gradient of a few rows is noisier than an older one is stale. .8 and .9 order alike.
KEPT = 0.8
MEASURES = {
    "ghost": "(K,) what an Adam step on each task takes off the target's loss, to first order, per unit of the "
    "learning rate and as the first layer's MLP output matrix sees it in the training step's own backward pass: the "
    "mean over the task's rows of the segment, NaN without; native learner only (no `capture`), after every segment, "
    "for at most a twentieth of training"
}


@dataclass
class TargetGradient:
    """The moving average of the target's gradient, which outlives a single draw of its rows.

    Attributes:
        sums: (N, in, out) by name of a matrix, weighted by how recent a draw is.
        weight: of all draws.
    """

    sums: dict[str, torch.Tensor] = field(default_factory=dict)
    weight: float = 0.0

    def add(self, fresh: Mapping[str, torch.Tensor]) -> None:
        """Take in a draw; what is not finite in it counts 0."""
        for name, slope in fresh.items():
            kept = self.sums.get(name, torch.zeros_like(slope))
            self.sums[name] = torch.lerp(slope.nan_to_num(0.0, 0.0, 0.0), kept, KEPT)
        self.weight = KEPT * self.weight + 1 - KEPT

    def mean(self) -> dict[str, torch.Tensor]:
        """(N, in, out) by name."""
        return {name: total / self.weight for name, total in self.sums.items()}

    def copy(self) -> "TargetGradient":
        """One that shares no memory with this one."""
        return TargetGradient({name: total.clone() for name, total in self.sums.items()}, self.weight)


class Ghost:
    """Measures `ghost`.

    The target's gradient is taken on `signals.rows` rows of its signal split every `refresh` segments: as often as
    `signals.every` says, or less often, so that all of it costs at most `SHARE` of training.

    Args:
        windows: tasks, target, sizes, and the learner whose updates are watched.

    Raises:
        ConfigError: for a learner that sees no ghosts.

    Attributes:
        every: updates of which one is tapped.
        refresh: segments between two draws of the target's gradient.
    """

    def __init__(self, windows: Windows) -> None:
        learner, config = windows.learner, windows.config
        self._learner = require_ghosts(learner)
        self._windows = windows
        self._tasks = len(windows.problem.tasks)
        tokens = config.batch * config.context
        product, update = self._learner.ghost_flops(tokens), learner.flops(tokens, training=True)
        self.every = ceil(product / update / PRODUCTS)
        self.flops_per_update = product / self.every
        left = (SHARE * update - self.flops_per_update) * config.segment.updates
        self.refresh = max(config.signals.every, ceil(self.cost().flops / left))

    def cost(self) -> Price:
        """Of one draw of the target's gradient, as if all of the backward pass were made."""
        return self._windows.train(self._windows.config.signals.rows)

    def draw(self, target: TargetGradient, seeds: tuple[int, ...], segment: int) -> None:
        """Add the gradient on fresh rows."""
        rows = self._windows.config.signals.rows
        batch = self._windows.rows(self._windows.target(), seeds, "ghost", segment // self.refresh * rows, rows)
        target.add(self._learner.probe(batch))

    def probe(self, target: TargetGradient, *, first: int, updates: int) -> Probe | None:
        """What a segment's rows are compared with; `first` counts the updates before it. None before the first draw."""
        if not target.weight:
            return None
        return Probe(target.mean(), (first + np.arange(updates)) % self.every == 0)

    def of_tasks(self, ghosts: Floats, plan: npt.NDArray[np.int64], finite: npt.NDArray[np.bool_]) -> Floats:
        """(N, K) mean over each task's rows in the segment, NaN without any or where the learner failed.

        Args:
            ghosts: (k, N, B) of the rows.
            plan: (k, N, B) numbers of the rows' tasks.
            finite: (N,) whether the learner did not fail.
        """
        by_task = (plan[..., None] == np.arange(self._tasks)) & np.isfinite(ghosts)[..., None] & finite[:, None, None]
        rows = by_task.sum(axis=(0, 2))
        totals = np.where(by_task, ghosts[..., None], 0.0).sum(axis=(0, 2))
        means: Floats = np.divide(totals, rows, out=np.full(rows.shape, np.nan), where=rows > 0)
        return means
