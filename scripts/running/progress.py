"""What a person watches while a run trains: a bar on a terminal, a line now and then elsewhere."""

import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

LINE_SECONDS = 20.0


class Progress:
    """Share of the work done, score, speed and time left.

    Args:
        title: what runs.
        console: where it is shown.
        timesteps: segments to learn for; None: until the budget of one run is spent.
        replicas: learners that each row stands for.
        quiet: show nothing.
    """

    def __init__(
        self, title: str, console: Console, *, timesteps: int | None, replicas: int = 1, quiet: bool = False
    ) -> None:
        self._title = title
        self._console = console
        self._timesteps = timesteps
        self._replicas = replicas
        self._quiet = quiet
        self._lines_at = time.monotonic()
        self._begun = time.monotonic()
        self._first: tuple[int, int] | None = None
        self._bar = Bar(
            TextColumn("[bold]{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[text]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=quiet or not console.is_terminal,
        )
        self._task = self._bar.add_task(title, total=1.0, text="")

    def __enter__(self) -> Self:
        """Start drawing."""
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop drawing."""
        self._bar.stop()

    def update(self, row: Mapping[str, Any], timestep: int) -> None:
        """Show a segment.

        Args:
            row: the segment's row.
            timestep: segments learned from so far.
        """
        if self._quiet:
            return
        now = time.monotonic()
        if self._first is None:
            self._first, self._begun = (row["segment"], row["tokens"]), now
        elapsed = max(now - self._begun, 1e-9)
        segments, tokens = (
            self._replicas * (now - first)
            for now, first in zip((row["segment"], row["tokens"]), self._first, strict=True)
        )
        done = timestep / self._timesteps if self._timesteps else 1 - row["budget_left"]
        speed = f"{segments / elapsed:.1f} segments/s, {tokens / elapsed / 1000:.0f}k tokens/s" if segments else ""
        text = f"score {row['score']:.3f}  {speed}"
        self._bar.update(self._task, completed=min(done, 1.0), text=text)
        if not self._console.is_terminal and now - self._lines_at > LINE_SECONDS:
            self._lines_at = now
            self._console.print(f"{self._title}: {done:.0%}  {text}")

    def finish(self) -> None:
        """Show that all of it is done: the last update may not have fitted into the budget."""
        self._bar.update(self._task, completed=1.0)
