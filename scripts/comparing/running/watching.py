"""What a person watches while cells run: one bar on a terminal, a line for each cell elsewhere."""

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from curriculum_rl.scripts.comparing.running.workers import Ended, Job


class Watch:
    """Jobs done of all, which are running, and what crashed.

    Args:
        jobs: how many have to be done.
        cells: how many runs the comparison has in all.
        console: where it is shown.
    """

    def __init__(self, jobs: int, cells: int, console: Console) -> None:
        self._console = console
        self._running: dict[str, float] = {}
        self._done, self._jobs = 0, jobs
        columns = (TextColumn("[bold]compare"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._bar = Bar(
            *columns,
            TimeRemainingColumn(),
            TextColumn("{task.description}"),
            console=console,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("", total=jobs)
        console.print(f"{jobs} jobs to do; the comparison has {cells} runs in all")

    def __enter__(self) -> Self:
        """Start drawing."""
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop drawing."""
        self._bar.stop()

    def started(self, job: Job) -> None:
        """A job runs now."""
        self._running[job.name] = time.monotonic()
        self._bar.update(self._task, description="; ".join(self._running))

    def ended(self, ended: Ended) -> None:
        """A job is done, or crashed."""
        took = time.monotonic() - self._running.pop(ended.job.name, time.monotonic())
        self._done += 1
        self._bar.update(self._task, completed=self._done, description="; ".join(self._running))
        if ended.error is not None:
            last = ended.error.strip().splitlines()[-1]
            self._console.print(f"[{self._done}/{self._jobs}] {ended.job.name}: crashed: {last}", markup=False)
        elif not self._console.is_terminal:
            self._console.print(f"[{self._done}/{self._jobs}] {ended.job.name}: {took:.1f} s", markup=False)
