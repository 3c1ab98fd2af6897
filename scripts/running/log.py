"""stable-baselines3's own scalars of a run: `progress.csv` and a TensorBoard child run; both go on when it resumes."""

import csv
import io
import time
from pathlib import Path
from typing import Any

import numpy as np
from stable_baselines3.common.logger import KVWriter, Logger, TensorBoardOutputFormat, filter_excluded_keys
from torch.utils.tensorboard import SummaryWriter

from curriculum_rl.durable import naming, write_atomically
from curriculum_rl.recording.contents import SCALARS
from curriculum_rl.recording.events import EventFile, flush

PROGRESS = "progress.csv"


def make_logger(run: Path, state: dict[str, Any] | None) -> Logger:
    """The logger of an agent that learns over many runs.

    Args:
        run: the run directory.
        state: what `log_state` said at the checkpoint that the run goes on from: later rows and points are dropped.
            None where it begins.
    """
    rows = state["rows"] if state else 0
    purge = state["timesteps"] + 1 if state else None
    return Logger(folder=None, output_formats=[_Table(run / PROGRESS, rows), _Scalars(run / SCALARS, purge)])


def log_state(agent: Any) -> dict[str, Any]:
    """How far the log goes, and what waits in it for the next row."""
    logger = agent.logger
    tables = [one for one in logger.output_formats if isinstance(one, _Table)]
    plain = {key: value for key, value in logger.name_to_value.items() if isinstance(value, np.ScalarType)}
    return {
        "rows": tables[0].rows if tables else 0,
        "timesteps": agent.num_timesteps,
        "seconds": (time.time_ns() - agent.start_time) / 1e9,
        # A NumPy scalar as an array: it is written with as many digits as its type has.
        "values": {key: np.asarray(v) if isinstance(v, np.generic) else v for key, v in plain.items()},
        "counts": {key: logger.name_to_count[key] for key in plain if key in logger.name_to_count},
        "excluded": {key: list(logger.name_to_excluded.get(key) or ()) for key in plain},
    }


def restore_log(agent: Any, state: dict[str, Any]) -> None:
    """Let a log go on: what waited in it waits again, and its clock counts on."""
    logger = agent.logger
    for key, value in state["values"].items():
        logger.name_to_value[key] = value[()] if isinstance(value, np.ndarray) else value
        logger.name_to_excluded[key] = tuple(state["excluded"][key]) or None
    logger.name_to_count.update(state["counts"])
    agent.start_time -= int(state["seconds"] * 1e9)
    agent._num_timesteps_at_start = 0


class _Table(KVWriter):
    """`progress.csv`: a row per dump, a column per key; new keys make new columns."""

    def __init__(self, path: Path, rows: int) -> None:
        self._path = path
        self._keys: list[str] = []
        self.rows = 0
        if rows and path.is_file():
            self._keys, *kept = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"))))[: rows + 1]
            self.rows = len(kept)
            self._rewrite(kept)
        else:
            path.unlink(missing_ok=True)

    def write(self, key_values: dict[str, Any], key_excluded: dict[str, tuple[str, ...]], step: int = 0) -> None:
        """Add a row."""
        values = filter_excluded_keys(key_values, key_excluded, "csv")
        new = sorted(values.keys() - set(self._keys))
        if new:
            before = list(csv.reader(io.StringIO(self._path.read_text(encoding="utf-8"))))[1:] if self.rows else []
            self._keys += new
            self._rewrite([[*row, *[""] * len(new)] for row in before])
        row = ["" if (value := values.get(key)) is None else str(value) for key in self._keys]
        with naming(self._path), self._path.open("a", encoding="utf-8", newline="") as file:
            file.write(_lines([row]))
        self.rows += 1

    def close(self) -> None:
        """Nothing is held open."""

    def _rewrite(self, rows: list[list[str]]) -> None:
        write_atomically(self._path, _lines([self._keys, *rows]))


def _lines(rows: list[list[str]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


class _Scalars(TensorBoardOutputFormat):
    """A child run: TensorBoard reads one file of a run after the other, and would wait for the last of two."""

    def __init__(self, folder: Path, purge_step: int | None) -> None:
        self.writer = _Writer(EventFile(folder, purge_step=purge_step))
        self._is_closed = False


class _Writer(SummaryWriter):
    """A summary writer that writes one of our event files."""

    def __init__(self, events: EventFile) -> None:
        self._events = events
        super().__init__(log_dir=str(events.path.parent))

    def _get_file_writer(self) -> Any:
        self.all_writers: Any = {}
        self.file_writer: Any = self
        return self

    def add_summary(self, summary: Any, global_step: int = 0, walltime: float | None = None) -> None:
        """What all `add_...` end in."""
        self._events.summary(summary, step=global_step, wall_time=time.time() if walltime is None else walltime)

    def flush(self) -> None:
        """Write what waits."""
        flush([self._events])

    def close(self) -> None:
        """Write what waits."""
        self.flush()
