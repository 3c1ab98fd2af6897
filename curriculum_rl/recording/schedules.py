"""A learned schedule as a file: the mixture over the course of a run, for another training loop to follow."""

import json
import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from curriculum_rl.errors import ConfigError, wrong
from curriculum_rl.recording.rows import Row
from curriculum_rl.schema import files

BYTES = 2**28
"""Of a schedule, at most: some million pieces."""


@dataclass(frozen=True)
class Piece:
    """A stretch of training under one mixture.

    Attributes:
        start_fraction: where it begins, as a fraction of the run's learner tokens, in [0, 1).
        end_fraction: where it ends, in (0, 1].
        start_tokens: the same in learner tokens since the episode's start.
        end_tokens: the same.
        mixture: share of the rows by task, summing to 1.
    """

    start_fraction: float
    end_fraction: float
    start_tokens: int
    end_tokens: int
    mixture: dict[str, float]


@dataclass(frozen=True)
class Schedule:
    """The mixture over time: pieces that follow each other from fraction 0 to fraction 1."""

    pieces: tuple[Piece, ...]

    @property
    def tasks(self) -> tuple[str, ...]:
        """The tasks' names."""
        return tuple(self.pieces[0].mixture)

    def mixture_at(self, fraction: float) -> dict[str, float]:
        """The mixture to train on when a fraction of the tokens is spent; at 1, the last.

        Raises:
            ConfigError: the fraction is not in [0, 1].
        """
        if not 0 <= fraction <= 1:
            raise wrong("fraction", fraction, "in [0, 1]")
        starts = [piece.start_fraction for piece in self.pieces]
        return dict(self.pieces[bisect_right(starts, fraction) - 1].mixture)

    def mean_mixture(self) -> dict[str, float]:
        """The share of each task over the whole run."""
        return {
            task: sum(p.mixture[task] * (p.end_fraction - p.start_fraction) for p in self.pieces) for task in self.tasks
        }

    def to_json(self) -> str:
        """The pieces as a JSON list, one line each."""
        lines = (json.dumps(asdict(piece), allow_nan=False) for piece in self.pieces)
        return "[\n" + ",\n".join(lines) + "\n]\n"


def schedule_of(rows: Sequence[Row], tasks: Sequence[str]) -> Schedule:
    """The executed mixtures of the last episode in some rows; of several replicas, the first that is in it.

    Neighbouring segments with the same mixture become one piece.

    Raises:
        ConfigError: there are no rows.
    """
    if not rows:
        raise ConfigError("rows: a schedule needs at least one segment")
    episode = max(int(row["episode"]) for row in rows)
    replica = min(int(row["replica"]) for row in rows if row["episode"] == episode)
    own = [row for row in rows if row["replica"] == replica]
    last = [row for row in own if row["episode"] == episode]
    before = max((int(row["tokens"]) for row in own if row["episode"] < episode), default=0)
    ends = [int(row["tokens"]) - before for row in last]
    mixtures = [dict(zip(tasks, map(float, row["mixture"]), strict=True)) for row in last]
    return Schedule(_pieces(ends, mixtures))


def _pieces(ends: Sequence[int], mixtures: Sequence[dict[str, float]]) -> tuple[Piece, ...]:
    """Pieces from the token counts at which segments end and the segments' mixtures."""
    changes = [i for i in range(len(ends)) if i + 1 == len(ends) or mixtures[i] != mixtures[i + 1]]
    borders = [0, *(ends[i] for i in changes)]
    total = max(borders[-1], 1)
    return tuple(
        Piece(start / total, end / total, start, end, mixtures[i])
        for (start, end), i in zip(pairwise(borders), changes, strict=True)
    )


def read_schedule(path: str | Path) -> Schedule:
    """Read a `schedule.json`, also one written by hand (`start_tokens` and `end_tokens` may be missing).

    Raises:
        ConfigError: it is missing, no JSON, or its pieces do not cover [0, 1] with mixtures that sum to 1.
    """
    path = Path(path)
    entries = files.read_json(path, f"path: {path}", most=BYTES)
    if not isinstance(entries, list) or not entries:
        raise ConfigError(f"path: {path} must hold a list of at least one piece")
    pieces = tuple(_read_piece(path, number, entry) for number, entry in enumerate(entries))
    for number, (one, other) in enumerate(pairwise(pieces)):
        if not math.isclose(one.end_fraction, other.start_fraction, abs_tol=1e-9):
            raise ConfigError(f"path: {path}, piece {number} ends at {one.end_fraction}, not where the next begins")
        if one.mixture.keys() != other.mixture.keys():
            raise ConfigError(f"path: {path}, pieces {number} and {number + 1} name different tasks")
    if pieces[0].start_fraction != 0 or not math.isclose(pieces[-1].end_fraction, 1, abs_tol=1e-9):
        raise ConfigError(f"path: the pieces of {path} must cover the fractions from 0 to 1")
    return Schedule(pieces)


def _read_piece(path: Path, number: int, entry: Any) -> Piece:
    try:
        mixture = {str(task): float(share) for task, share in entry["mixture"].items()}
        start, end = float(entry["start_fraction"]), float(entry["end_fraction"])
        tokens = int(entry.get("start_tokens", 0)), int(entry.get("end_tokens", 0))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ConfigError(f"path: {path}, piece {number} lacks or garbles {error}") from error
    if not start < end:
        raise ConfigError(f"path: {path}, piece {number} begins at {start} and ends at {end}")
    if min(mixture.values(), default=-1.0) < 0 or not math.isclose(sum(mixture.values()), 1, abs_tol=1e-6):
        raise ConfigError(f"path: {path}, piece {number}: mixture must be shares that sum to 1 (got {mixture})")
    return Piece(start, end, *tokens, mixture)
