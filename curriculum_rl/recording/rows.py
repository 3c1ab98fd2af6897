"""`segments.jsonl`: one JSON line per segment, free of NaN, cut back to a given token when a run is resumed."""

import json
import math
import os
from collections.abc import Iterable, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

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
    except ValueError as error:
        raise ConfigError(f"path: {path}, line {number} is not JSON ({error})") from error
    if not isinstance(row, dict):
        raise ConfigError(f"path: {path}, line {number} is not a JSON object")
    return row


def keep_rows(path: str | Path, tokens: int) -> list[dict[str, Any]]:
    """Cut a `segments.jsonl` back to the rows with at most so many tokens, and return those; none where no file is.

    Raises:
        ConfigError: a line before the last is no JSON object.
    """
    path = Path(path)
    rows = [row for row in read_rows(path) if row["tokens"] <= tokens] if path.exists() else []
    write_atomically(path, "".join(f"{to_json(row)}\n" for row in rows))
    return rows


def write_atomically(path: str | Path, text: str | bytes) -> None:
    """Write a file so that whoever looks sees the old one or the new one, never a part, also after a power cut."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(text.encode() if isinstance(text, str) else text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def by_tokens(rows: Iterable[Row]) -> list[list[Row]]:
    """Neighbouring rows that share one place on the x axis (replicas that train side by side), in order."""
    return [list(group) for _, group in groupby(rows, key=lambda row: int(row["tokens"]))]
