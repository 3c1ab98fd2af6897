"""Files that somebody wrote: text and JSON, bounded before they are read; else an error of one line."""

import json
import re
from pathlib import Path
from typing import Any

from curriculum_rl.errors import ConfigError, cut, shown

BYTES = 4 * 2**20
"""Of a file that somebody writes by hand, at most."""


def file_text(path: Path, source: str, *, most: int = BYTES) -> str:
    """The text of a file, with or without a byte-order mark.

    Args:
        path: of the file.
        source: what messages call it.
        most: bytes that it may have.

    Raises:
        ConfigError: where it cannot be read, is too large, or no UTF-8.
    """
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        raise ConfigError(f"{source} cannot be read ({error.strerror})") from None
    if len(data) > most:
        raise ConfigError(f"{source} has more than the {most} bytes that are read")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ConfigError(f"{source}, line {line}: is no UTF-8 text (byte {data[error.start]:#04x})") from None


def read_json(path: Path, source: str, *, most: int = BYTES) -> Any:
    """What a file of JSON holds.

    Args:
        path: of the file.
        source: what messages call it.
        most: bytes that it may have.

    Raises:
        ConfigError: where it cannot be read, is too large, no JSON, or holds a key twice, NaN or an infinity.
    """
    text = file_text(path, source, most=most)
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except _TwiceError as error:
        pattern = rf"{re.escape(json.dumps(error.args[0], ensure_ascii=False))}\s*:"
        lines = [str(text.count("\n", 0, found.start()) + 1) for found in re.finditer(pattern, text)]
        where = f" (lines {', '.join(lines[:8])})" if lines else ""
        raise ConfigError(f"{source}: {cut(error.args[0])!r} stands twice in one object{where}") from None
    except RecursionError:
        raise ConfigError(f"{source} is no JSON that is read: too many levels inside each other") from None
    except ValueError as error:
        raise ConfigError(f"{source} is no JSON: {cut(str(error))}") from None


def check_index(folder: Path, source: str) -> None:
    """See that what the indices of a checkpoint name stands beside them: libraries follow them anywhere.

    Args:
        folder: of the checkpoint.
        source: what messages call it.

    Raises:
        ConfigError: for an index that cannot be read, or names a file elsewhere.
    """
    for index in sorted(folder.glob("*.index.json")):
        content = read_json(index, f"{source}: {index.name}", most=16 * BYTES)
        named = content.get("weight_map") if isinstance(content, dict) else None
        if not isinstance(named, dict):
            raise ConfigError(f"{source}: {index.name} has no weight_map")
        for name in named.values():
            if not isinstance(name, str) or name in ("", "..") or Path(name).name != name:
                raise ConfigError(f"{source}: {index.name} names {shown(name)}, which is no file beside it")


class _TwiceError(Exception):
    """A key stands twice."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        raise _TwiceError(next(name for name in names if names.count(name) > 1))
    return made


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is no number")
