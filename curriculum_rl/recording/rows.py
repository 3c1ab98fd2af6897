"""`segments.jsonl`: one JSON line per segment, free of NaN, cut back to its checkpoint when a run is resumed."""

import hashlib
import json
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from curriculum_rl.durable import naming, sync
from curriculum_rl.errors import ConfigError

Row = Mapping[str, Any]
"""What one segment showed; its `tokens` (learner tokens of the run so far) is the x axis of every chart."""


def to_json(row: Row) -> str:
    """One line of JSON without its newline; numpy values become plain ones, NaN and infinities become null.

    Raises:
        TypeError: a value is neither plain, nor a mapping or sequence, nor of numpy.
    """
    try:
        return json.dumps(row, allow_nan=False, default=_plain)
    except ValueError:
        # Only a row that holds a non-finite number pays for the slow walk.
        return json.dumps(_finite(row), allow_nan=False)


def _plain(value: object) -> object:
    """A numpy scalar or array as plain Python."""
    if isinstance(value, np.generic | np.ndarray):
        return _finite(value.tolist())
    raise TypeError(f"a row cannot hold a {type(value).__name__}")


def _finite(value: object) -> object:
    """The same value with None in place of every non-finite number."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(k): _finite(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(v) for v in value]
    if value is None or isinstance(value, str | int):
        return value
    return _plain(value)


def read_rows(path: str | Path) -> list[dict[str, Any]]:
    """All rows of a `segments.jsonl`; a last line without its end (the run was killed while writing) is left out.

    Raises:
        ConfigError: the file is missing, or a line before the last is no JSON object.
    """
    path = Path(path)
    if not path.is_file():
        raise ConfigError(f"path: no file {path}")
    lines = path.read_bytes().split(b"\n")
    whole = lines[:-1]
    return [_read_line(path, number, line) for number, line in enumerate(whole, start=1) if line.strip()]


def _read_line(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"path: {path}, line {number} is not JSON ({error})") from error
    if not isinstance(row, dict):
        raise ConfigError(f"path: {path}, line {number} is not a JSON object")
    return row


@dataclass(frozen=True)
class Place:
    """How far a `segments.jsonl` had been written when a checkpoint was taken.

    Attributes:
        rows: lines.
        bytes: their length.
        sha256: of these bytes.
        tokens: learner tokens of the last row, the place on the x axis.
    """

    rows: int
    bytes: int
    sha256: str
    tokens: int


def check_place(path: Path, place: Place) -> None:
    """See that the rows up to a place are all there and unchanged; nothing is written.

    Raises:
        ConfigError: the file is shorter, or its beginning has changed.
    """
    length = path.stat().st_size if path.exists() else 0
    if length < place.bytes:
        raise ConfigError(
            f"--resume: {path} has {length} bytes, but had {place.bytes} ({place.rows} rows) when the checkpoint was "
            "taken; bring the file back, or begin anew with --overwrite"
        )
    if place.bytes and _digest(path, place.bytes).hexdigest() != place.sha256:
        raise ConfigError(
            f"--resume: the first {place.rows} rows of {path} are not what was written before the checkpoint (their "
            "sha256 differs); bring the file back, or begin anew with --overwrite"
        )


def _digest(path: Path, length: int) -> "hashlib._Hash":
    """The hash of a file's first bytes, to be gone on with."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while length > 0 and (part := file.read(min(length, 1 << 20))):
            digest.update(part)
            length -= len(part)
    return digest


class RowFile:
    """A `segments.jsonl` that grows.

    Args:
        path: the file; made by the first `append`.
        place: where to go on: what stands beyond it is cut off. None: the file is new.

    Raises:
        ConfigError: as `check_place`.
    """

    def __init__(self, path: Path, place: Place | None = None) -> None:
        self.path = path
        self._rows, self._bytes = (place.rows, place.bytes) if place else (0, 0)
        self._hash = hashlib.sha256()
        if place is None:
            return
        check_place(path, place)
        if place.bytes:
            self._hash = _digest(path, place.bytes)
        if path.exists():
            os.truncate(path, place.bytes)

    def append(self, lines: Sequence[str]) -> None:
        """Add some lines, each without its end.

        Raises:
            OSError: where there is no room; the file may then end in a part of them.
        """
        data = "".join(f"{line}\n" for line in lines).encode()
        with naming(self.path), self.path.open("ab") as file:
            file.write(data)
        self._hash.update(data)
        self._rows, self._bytes = self._rows + len(lines), self._bytes + len(data)

    def place(self, tokens: int) -> Place:
        """How far the file goes.

        Args:
            tokens: of the last row.
        """
        return Place(self._rows, self._bytes, self._hash.hexdigest(), tokens)

    def sync(self) -> None:
        """Have all of it on the disk itself."""
        if self.path.exists():
            sync(self.path)
            sync(self.path.parent)


def by_tokens(rows: Iterable[Row]) -> list[list[Row]]:
    """Neighbouring rows that share one place on the x axis (replicas that train side by side), in order."""
    return [list(group) for _, group in groupby(rows, key=lambda row: int(row["tokens"]))]
