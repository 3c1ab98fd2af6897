"""The signals of one run: taken where their turn has come and the budget pays for them. Shapes: N replicas, K tasks."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt

from curriculum_rl.batch import Dev, Probe, SegmentReport
from curriculum_rl.ledger import Ledger
from curriculum_rl.proxies.base import Price
from curriculum_rl.schema.methods import TartanMethod
from curriculum_rl.signals.base import FREE, Moment
from curriculum_rl.signals.dev import DevExamples
from curriculum_rl.signals.ghost import Ghost, TargetGradient
from curriculum_rl.signals.meter import Meter
from curriculum_rl.signals.windows import Windows

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class Measurements:
    """What an agent asked to be measured, and the state of it.

    Args:
        windows: tasks, target, sizes, and the learner whose replicas are measured.
        names: of signals; none by default.
        affords: whether so many FLOPs leave enough for another segment.

    Raises:
        ConfigError: for an unknown name, a learner that does not see ghosts, or a target without labels where the
            updates themselves tell `products`.
    """

    def __init__(
        self,
        windows: Windows,
        names: Sequence[str] = (),
        *,
        affords: Callable[[float], bool],
    ) -> None:
        self._every, self._affords = windows.config.signals.every, affords
        method = windows.config.method
        watched = {"ghost", "products"} if isinstance(method, TartanMethod) else {"ghost"}
        measured = [name for name in names if name not in watched]
        self._meter = Meter(windows, measured) if measured else None
        self._ghost = Ghost(windows) if "ghost" in names else None
        self._dev: DevExamples | None = None
        if isinstance(method, TartanMethod) and "products" in names:
            self._dev = DevExamples(windows, method)
        self._target = TargetGradient()

    def of_update(self, segment: int) -> Price:
        """What is added to each update of a segment of that number: ghosts, on average, or dev examples."""
        if self._dev is not None and segment % self._every == 0:
            return self._dev.price
        return FREE if self._ghost is None else Price(0, self._ghost.flops_per_update)

    def cost(self) -> float:
        """FLOPs of one measurement of everything."""
        cost = self._meter.cost().flops if self._meter is not None else 0.0
        return cost + (self._ghost.cost().flops if self._ghost is not None else 0.0)

    def of_segment(self, updates: int) -> float:
        """FLOPs that all of it adds to a segment of so many updates, on average over segments."""
        found = 0.0 if self._meter is None else self._meter.cost().flops / self._every
        if self._ghost is not None:
            found += updates * self._ghost.flops_per_update + self._ghost.cost().flops / self._ghost.refresh
        return found if self._dev is None else found + updates * self._dev.price.flops / self._every

    def begin(self) -> None:
        """Forget what was measured in an earlier run."""
        self._target = TargetGradient()

    def before(self, ledger: Ledger, seeds: tuple[int, ...], segment: int) -> None:
        """Refresh what ghosts are compared with, if its turn has come.

        Args:
            ledger: charged for it.
            seeds: of the replicas.
            segment: number of the segment that comes.
        """
        if self._ghost is None or segment % self._ghost.refresh:
            return
        cost = self._ghost.cost()
        if not self._affords(cost.flops):
            return
        with ledger.timed("signal"):
            self._ghost.draw(self._target, seeds, segment)
        ledger.charge("signal", tokens=cost.tokens, flops=cost.flops)

    def probe(self, *, first: int, updates: int) -> Probe | None:
        """What the rows of a segment are compared with; `first` counts the updates before it."""
        return None if self._ghost is None else self._ghost.probe(self._target, first=first, updates=updates)

    def dev(self, ledger: Ledger, seeds: tuple[int, ...], segment: int, *, first: int, updates: int) -> Dev | None:
        """What the tasks of a segment's updates are compared with, if its turn has come; `first` as in `probe`."""
        if self._dev is None or segment % self._every:
            return None
        with ledger.timed("signal"):
            return self._dev.draw(seeds, first=first, updates=updates)

    def after(self, ledger: Ledger, moment: Moment) -> dict[str, Floats]:
        """Signals by name, if their turn has come after the segment that the moment names; else nothing."""
        if self._meter is None or moment.number % self._every:
            return {}
        cost = self._meter.cost()
        if not self._affords(cost.flops):
            return {}
        with ledger.timed("lookahead" if cost.lookahead.flops else "signal"):
            found = self._meter.measure(moment)
        ledger.charge("signal", tokens=cost.signal.tokens, flops=cost.signal.flops)
        ledger.charge("lookahead", tokens=cost.lookahead.tokens, flops=cost.lookahead.flops)
        return found

    def seen(self, report: SegmentReport, plan: Ints, failed: npt.NDArray[np.bool_]) -> dict[str, Floats]:
        """The signals that a segment's updates tell, where they were watched.

        Args:
            report: of the segment.
            plan: (k, N, B) the rows' tasks.
            failed: (N,) whether the replica goes back.
        """
        if self._ghost is not None and report.ghosts is not None:
            return {"ghost": self._ghost.of_tasks(report.ghosts, plan, ~failed)}
        if self._dev is not None and report.alignments is not None:
            return {"products": self._dev.products(np.where(failed[:, None], 0.0, report.alignments))}
        return {}

    def state(self) -> dict[str, Any]:
        """Copies of what an exact continuation needs."""
        return asdict(self._target.copy())

    def load_state(self, state: dict[str, Any]) -> None:
        """Continue from a state."""
        self._target = TargetGradient(**state).copy()
