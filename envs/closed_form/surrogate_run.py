"""One run of the surrogate: the mixtures so far, and what a law says that they lead to."""

import warnings
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from curriculum_rl.envs.closed_form.mixture_runs import Columns, MixtureRuns, read_runs
from curriculum_rl.envs.closed_form.run import ClosedFormRun
from curriculum_rl.mixtures.law import MixtureLaw

Floats = npt.NDArray[np.float64]


class SurrogateRun(ClosedFormRun):
    """Keeps the sum of the mixtures; predictions are those of a run whose other segments are stratified.

    Args:
        law: mixture -> losses.
        runs: what it was fitted to, for the names.
        target: the index of the loss that pays; None: the mean of all.
        segments: of the whole run.
        paying: the law of the loss that pays alone, for the interval of its end; None: without.
    """

    def __init__(
        self,
        law: MixtureLaw,
        runs: MixtureRuns,
        *,
        target: int | None,
        segments: int,
        paying: MixtureLaw | None = None,
    ) -> None:
        super().__init__(len(runs.tasks), largest=float(runs.losses.max()))
        self._law, self._target, self._segments, self._paying = law, target, segments, paying
        # which loss is a task's own; -1: none
        self._own = np.array([_own(task, runs.outcomes) for task in runs.tasks])
        self.done = 0
        self._losses = self._predicted()

    @property
    def target_loss(self) -> float:
        """Nats per token at the end of the run, if the rest is stratified."""
        return float(self._losses.mean() if self._target is None else self._losses[self._target])

    @property
    def left(self) -> float:
        """The share of the segments that are still to come."""
        return 1 - self.done / self._segments

    @property
    def ended(self) -> bool:
        """Whether all segments are done."""
        return self.done == self._segments

    def add(self, mixture: Floats) -> dict[str, Floats]:
        """Train a segment on a mixture (K,); nothing is measured."""
        before = self.task_losses
        self.amounts = self.amounts + mixture
        self.done += 1
        self._losses = self._predicted()
        self._slope = self.task_losses - before
        return {}

    @property
    def task_losses(self) -> Floats:
        """(K,) each task's own loss, the mean of all where the table has none."""
        own: Floats = np.where(self._own >= 0, self._losses[self._own], self._losses.mean())
        return own

    @property
    def share(self) -> Floats:
        """(K,) mean mixture of the segments so far; every segment is as long as the others."""
        share: Floats = self.amounts / max(self.done, 1)
        return share

    @property
    def mean_loss(self) -> float:
        """Nats per token, over all losses of the table."""
        return float(self._losses.mean())

    def final(self) -> dict[str, Any]:
        """Of the whole run; with a warning where its mixture is far from all runs of the table."""
        found = {**super().final(), "far": bool(self._law.far(self.share))}
        if found["far"]:
            warnings.warn("a run ended far from all runs of the table: its losses are a guess", stacklevel=2)
        if self._paying is not None:
            found["interval"] = self._paying.interval(self.share)[:, 0].tolist()
        return found

    def _predicted(self) -> Floats:
        rest = (self._segments - self.done) / len(self.amounts)
        return self._law.bounded((self.amounts + rest) / self._segments)


def law_of(
    table: str | Path | Sequence[str | Path], shares: Columns, losses: Columns, kind: str
) -> tuple[MixtureRuns, MixtureLaw]:
    """The runs of a table and what was fitted to them, read and fitted once per process."""
    paths = (table,) if isinstance(table, str | Path) else tuple(table)
    stamps = tuple((str(path), Path(path).stat().st_mtime_ns if Path(path).exists() else 0) for path in paths)
    named = (columns if isinstance(columns, str) else tuple(columns) for columns in (shares, losses))
    return _fitted(stamps, *named, kind)


@lru_cache(maxsize=8)
def law_of_target(law: MixtureLaw, target: int | None) -> MixtureLaw:
    """The same law of the loss that pays alone, once per process: its interval takes a while."""
    loss = law.losses.mean(axis=1) if target is None else law.losses[:, target]
    return MixtureLaw(law.kind, law.mixtures, loss[:, None])


@lru_cache(maxsize=8)
def _fitted(
    stamps: tuple[tuple[str, int], ...], shares: Columns, losses: Columns, kind: str
) -> tuple[MixtureRuns, MixtureLaw]:
    runs = read_runs([path for path, _ in stamps], shares=shares, losses=losses)
    return runs, MixtureLaw(kind, runs.mixtures, runs.losses)


def _own(task: str, outcomes: tuple[str, ...]) -> int:
    """The outcome whose name begins with the task's, such as `the_pile_arxiv_val_loss` with `the_pile_arxiv`."""
    found = [place for place, outcome in enumerate(outcomes) if outcome == task or outcome.startswith(f"{task}_")]
    return found[0] if found else -1
