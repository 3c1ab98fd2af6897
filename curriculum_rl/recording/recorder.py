"""Writes what a run does, segment by segment: `segments.jsonl` and TensorBoard events, in batches."""

import json
import math
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import quote, urlencode

import numpy as np

from curriculum_rl.errors import ConfigError, wrong
from curriculum_rl.recording.charts import (
    HOW_TO_READ,
    RUN_CHARTS,
    TASK_CHARTS,
    Points,
    mean_points,
    run_points,
    task_points,
)
from curriculum_rl.recording.events import EventFile, flush
from curriculum_rl.recording.heatmap import heat_map
from curriculum_rl.recording.rows import Place, Row, RowFile, by_tokens, read_rows, to_json

FLUSH_ROWS = 64  # rows that wait at most
FLUSH_SECONDS = 5.0  # and how long, while rows come in: what a person who watches sees late
LONGEST_NAME = 200  # bytes of a task's name in that of a folder; file systems take 255


class Recorder:
    """Records the segments of one run.

    The run directory itself is a TensorBoard run with the charts of `RUN_CHARTS`, the policy as a heat map, texts and
    hyperparameters; each task has a child run `task=<name>` with the charts of `TASK_CHARTS` under common tags, because
    TensorBoard colours by run. The x axis is learner tokens. Rows with equal tokens (replicas side by side) make one
    point, their mean; `segments.jsonl` holds every row.

    Args:
        directory: the run's directory; created where missing.
        tasks: K unique names, in the order of the rows' vectors.
        resume_at: the place of the checkpoint that a run goes on from: rows and points beyond it are dropped and the
            curves continue. None starts a new recording.
        picture_every: segments (points on the x axis) between two heat maps; one more is drawn at the end.

    Raises:
        ConfigError: there is a recording already and `resume_at` is None; or it lacks rows that were there at
            `resume_at`; or names are not unique.
    """

    def __init__(
        self, directory: str | Path, tasks: Sequence[str], *, resume_at: Place | None = None, picture_every: int = 50
    ):
        if len(set(tasks)) != len(tasks) or not tasks:
            raise wrong("tasks", list(tasks), "one name or more, all different")
        if picture_every < 1:
            raise wrong("picture_every", picture_every, "at least 1")
        self.directory = Path(directory)
        self.tasks = tuple(tasks)
        self.picture_every = picture_every
        path = self.directory / "segments.jsonl"
        if resume_at is None and path.exists():
            raise ConfigError(f"directory: {self.directory} holds a recording already; resume it or choose another")
        self._file = RowFile(path, resume_at)
        self._lines: list[str] = []
        self._group: list[Row] = []
        self._pictured = 0
        self._tokens = 0
        self._flushed = time.monotonic()
        self._probabilities: list[list[float]] = []
        self._open_events(None if resume_at is None else resume_at.tokens)
        if resume_at is None:
            self.text("how_to_read", HOW_TO_READ)
        self._recall(read_rows(path) if resume_at is not None and path.exists() else [])

    def _open_events(self, resume_at: int | None) -> None:
        # A point at the checkpoint itself stays; TensorBoard purges from a step on, that step included.
        purge = None if resume_at is None else resume_at + 1
        self._events = EventFile(self.directory, purge_step=purge, descriptions=RUN_CHARTS)
        self._task_events = [
            EventFile(self.directory / name, purge_step=purge, descriptions=TASK_CHARTS)
            for name in child_runs(self.tasks)
        ]

    def _recall(self, rows: Sequence[Row]) -> None:
        """Take up the heat map and the x axis where a resumed run left them."""
        for group in by_tokens(rows):
            self._group = group
            self._remember()
        self._tokens = int(rows[-1]["tokens"]) if rows else 0
        self._pictured = len(self._probabilities) // self.picture_every * self.picture_every

    def record(self, row: Row) -> None:
        """Take one segment's row (the keys are in the README's table of `segments.jsonl`).

        Raises:
            ValueError: its tokens are fewer than the last row's, or a vector has not K entries.
        """
        self._check(row)
        if self._group and row["tokens"] != self._group[0]["tokens"]:
            self._close_group()
        self._tokens = int(row["tokens"])
        self._lines.append(to_json(row))
        self._group.append(row)
        if len(self._lines) >= FLUSH_ROWS or time.monotonic() - self._flushed > FLUSH_SECONDS:
            self._write()

    def _check(self, row: Row) -> None:
        if row["tokens"] < self._tokens:
            raise ValueError(f"tokens={row['tokens']}: the x axis counts on, the last row had {self._tokens}")
        for name in ("probabilities", "mixture", "share", "task_losses"):
            values = row.get(name)
            if values is not None and len(values) != len(self.tasks):
                raise ValueError(f"{name}={values}: {len(values)} entries for {len(self.tasks)} tasks")

    def _close_group(self) -> None:
        """Turn the rows of one place on the x axis into points, and draw when it is time."""
        if not self._group:
            return
        now, group = time.time(), self._group
        step = int(group[0]["tokens"])
        self._events.scalars(self._mean(run_points(row) for row in group), step=step, wall_time=now)
        for index, events in enumerate(self._task_events):
            points = self._mean(task_points(row, index) for row in group)
            events.scalars(points, step=step, wall_time=now)
        self._remember()
        if len(self._probabilities) >= self._pictured + self.picture_every:
            self._draw(step)

    @staticmethod
    def _mean(points: Iterable[Points]) -> Points:
        return mean_points(list(points))

    def _remember(self) -> None:
        """Keep the group's mean probabilities for the heat map, and start a new group."""
        known = [row["probabilities"] for row in self._group if row.get("probabilities") is not None]
        if known:
            mean = known[0] if len(known) == 1 else np.mean(known, axis=0)
            self._probabilities.append([float(p) for p in mean])
        self._group = []

    def _draw(self, step: int) -> None:
        self._pictured = len(self._probabilities)
        values = np.nan_to_num(np.asarray(self._probabilities, dtype=np.float64).T)
        png, size = heat_map(values, self.tasks, tokens=step)
        self._events.image("policy/heat_map", png, size=size, step=step, wall_time=time.time())

    def text(self, tag: str, markdown: str) -> None:
        """Show a text in Markdown (tables too) at the present place on the x axis."""
        self._events.text(tag, markdown, step=self._tokens, wall_time=time.time())

    def hparams(self, config: Mapping[str, Any], metrics: Mapping[str, float]) -> None:
        """Enter the run in TensorBoard's table of hyperparameters, so that runs compare; call it once, at the end.

        Args:
            config: flat settings; what is no number, string or bool is shown as text, None is left out.
            metrics: results by tag, also charted under that tag.
        """
        from torch.utils.tensorboard.summary import hparams

        plain = {
            k: v if isinstance(v, bool | int | float | str) else str(v) for k, v in config.items() if v is not None
        }
        results = {tag: float(value) for tag, value in metrics.items() if math.isfinite(value)}
        for summary in hparams(plain, results):  # type: ignore[no-untyped-call]
            self._events.summary(summary, step=self._tokens, wall_time=time.time())
        self._events.scalars(results, step=self._tokens, wall_time=time.time())

    def flush(self) -> None:
        """Write everything recorded so far."""
        self._close_group()
        self._write()

    @property
    def place(self) -> Place:
        """How far the file goes: what was recorded up to the last `flush`."""
        return self._file.place(self._tokens)

    def sync(self) -> None:
        """Have the rows that are written on the disk itself; call it before a checkpoint counts."""
        self._file.sync()

    def _write(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        lines, self._lines = self._lines, []  # lines that found no room are not tried twice
        self._file.append(lines)
        flush((self._events, *self._task_events))
        self._flushed = time.monotonic()

    def close(self) -> None:
        """Draw the last heat map and write everything."""
        self._close_group()
        if len(self._probabilities) > self._pictured:
            self._draw(self._tokens)
        self._write()

    def __enter__(self) -> "Recorder":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def child_runs(tasks: Sequence[str]) -> list[str]:
    """The directory name of each task's child run: `task=<name>`, safe in a path, short enough for one, and unique."""
    names: list[str] = []
    for task in tasks:
        safe = re.sub(r"[^\w.+@=-]+", "-", task).encode()[:LONGEST_NAME].decode(errors="ignore")
        name = "task=" + (safe or "-")
        # Two names that differ only in what a path cannot hold stay apart.
        names.append(name if name not in names else f"{name}~{len(names)}")
    return names


def deep_link(port: int = 6006, *, run: str | None = None) -> str:
    """The address that opens TensorBoard on the charts worth a first look: the policy, a line per task, on top.

    Args:
        port: where TensorBoard listens.
        run: the run whose policy is shown, where `--logdir` holds several: of the others the lines of their tasks
            are filtered away. None where it is itself a run directory.
    """
    # `defaultExperimentId` is what a local TensorBoard calls its only experiment, `.` the run at its root.
    run_id = f"defaultExperimentId/{run or '.'}"
    heat_map_card = {"plugin": "images", "tag": "policy/heat_map", "runId": run_id, "sample": 0}
    scalars = ("task/probability", "task/share", "proxy/score")
    pinned = [heat_map_card, *({"plugin": "scalars", "tag": tag} for tag in scalars)]
    query = {"pinnedCards": json.dumps(pinned, separators=(",", ":")), "smoothing": "0", "darkMode": "false"}
    if run is not None:
        query["runFilter"] = f"^{re.escape(run)}(/|$)|^[^/]*$"
    return f"http://localhost:{port}/?{urlencode(query, quote_via=quote)}#timeseries"
