"""One run of the surrogate: the mixtures so far, and what a regression says that they lead to."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from curriculum_rl.envs.closed_form.mixture_law import MixtureLaw
from curriculum_rl.envs.closed_form.mixture_runs import Columns, MixtureRuns, read_runs

Floats = npt.NDArray[np.float64]


class SurrogateRun:
    """Keeps the sum of the mixtures; predictions are those of a run whose other segments are stratified.

    Args:
        law: mixture -> losses.
        runs: what it was fitted to, for the names.
        target: the index of the loss that pays; None: the mean of all.
        segments: of the whole run.
    """

    def __init__(self, law: MixtureLaw, runs: MixtureRuns, *, target: int | None, segments: int) -> None:
        self._law, self._runs, self._target, self._segments = law, runs, target, segments
        tasks = len(runs.tasks)
        # which loss is a task's own; -1: none
        self._own = np.array([_own(task, runs.outcomes) for task in runs.tasks])
        self.done = 0
        self._sum = np.zeros(tasks)
        self._since, self._gain, self._slope = np.zeros(tasks), np.zeros(tasks), np.zeros(tasks)
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
        before = self._of_tasks(self._losses)
        self._sum = self._sum + mixture
        self.done += 1
        self._losses = self._predicted()
        self._slope = self._of_tasks(self._losses) - before
        return {}

    def note(self, picks: Floats, relative: float) -> None:
        """Keep what the segment's choice (K,) of shares gained, relative to the initial score."""
        picked = picks >= picks.max()
        self._since = np.where(picked, 0, self._since + 1)
        self._gain = np.where(picked, relative, self._gain)

    def features(self) -> dict[str, Floats]:
        """Those of `curriculum_rl.observation.TASK_FEATURES` that are known, (K,) each."""
        return {
            "loss": self._of_tasks(self._losses) / self._law.highest.max(),
            "slope": self._slope,
            "share": self._sum / max(self.done, 1),
            "staleness": np.log1p(self._since) / np.log(10),
            "gain": self._gain * 100,
        }

    def info(self) -> dict[str, Any]:
        """What a segment's info says of the losses and the shares."""
        return {
            "loss": float(self._losses.mean()),
            "task_losses": self._of_tasks(self._losses),
            "share": self._sum / self.done,
        }

    def final(self) -> dict[str, Any]:
        """Of the whole run."""
        mixture = self._sum / self.done
        return {"target_loss": self.target_loss, "mean_loss": float(self._losses.mean()), "mixture": mixture.tolist()}

    def _predicted(self) -> Floats:
        tasks = len(self._sum)
        return self._law.predict((self._sum + (self._segments - self.done) / tasks) / self._segments)

    def _of_tasks(self, losses: Floats) -> Floats:
        """(M,) losses -> (K,) each task's own, the mean of all where the table has none."""
        own: Floats = np.where(self._own >= 0, losses[self._own], losses.mean())
        return own


def law_of(
    table: str | Path | Sequence[str | Path], shares: Columns, losses: Columns
) -> tuple[MixtureRuns, MixtureLaw]:
    """The runs of a table and what was fitted to them, read and fitted once per process."""
    paths = (table,) if isinstance(table, str | Path) else tuple(table)
    stamps = tuple((str(path), Path(path).stat().st_mtime_ns if Path(path).exists() else 0) for path in paths)
    return _fitted(stamps, *(columns if isinstance(columns, str) else tuple(columns) for columns in (shares, losses)))


@lru_cache(maxsize=8)
def _fitted(stamps: tuple[tuple[str, int], ...], shares: Columns, losses: Columns) -> tuple[MixtureRuns, MixtureLaw]:
    runs = read_runs([path for path, _ in stamps], shares=shares, losses=losses)
    return runs, MixtureLaw.fit(runs)


def _own(task: str, outcomes: tuple[str, ...]) -> int:
    """The outcome whose name begins with the task's, such as `the_pile_arxiv_val_loss` with `the_pile_arxiv`."""
    found = [place for place, outcome in enumerate(outcomes) if outcome == task or outcome.startswith(f"{task}_")]
    return found[0] if found else -1
