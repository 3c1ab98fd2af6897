"""Lines of text files, plain or gzipped, with what is damaged, endless or no text refused by file and line."""

import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, TextIO, TypeVar

from curriculum_rl.errors import ConfigError

Item = TypeVar("Item")

LONGEST = 1 << 24
"""Characters that a line or a document may have: beyond it memory, not text, decides what can be read."""
_PACKED = 1 << 21  # characters from which on a gzipped file is held to a ratio
_RATIO = 100  # characters for each gzipped byte; text stays below 20, DEFLATE reaches 1,032
_DAMAGED = (OSError, EOFError, ValueError, OverflowError, zlib.error, csv.Error)
_UNDECODED = re.compile("[\udc80-\udcff]")


def numbered(path: Path, newline: str | None = None) -> Iterator[tuple[int, str]]:
    """The lines of a file, each with its end, and their numbers from 1.

    Args:
        path: The file; gzipped where the name ends in .gz.
        newline: As in `open`.

    Raises:
        ConfigError: A line has more than `LONGEST` characters, is not UTF-8 or holds NUL, or gzip packs text so densely
            that it cannot be any.
    """
    with path.open("rb") as raw, _decoded(path, raw, newline) as file:
        packed = is_packed(path)
        number = read = 0
        while line := file.readline(LONGEST + 1):
            number += 1
            read += len(line)
            if len(line) > LONGEST or "\0" in line or not line.isascii():
                _check(line, f"paths: {path}, line {number}")
            if packed and read > _PACKED and read > _RATIO * raw.tell():
                raise ConfigError(f"paths: {path} unpacks to more than {_RATIO} times its size; unpack it to read it")
            yield number, line


def is_packed(path: Path) -> bool:
    """Whether the name says that a file is gzipped."""
    return path.suffix.lower() == ".gz"


def guarded(path: Path, items: Iterator[Item], *errors: type[Exception]) -> Iterator[Item]:
    """The items; what a broken file raises on the way, or one of these errors, becomes a ConfigError that names it."""
    damaged: tuple[type[Exception], ...] = (*_DAMAGED, *errors)
    try:
        yield from items
    except ConfigError:
        raise
    except damaged as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ConfigError(f"paths: cannot read {path}: {reason}") from error


def _decoded(path: Path, raw: BinaryIO, newline: str | None) -> TextIO:
    """A text file whose undecodable bytes are marked, so that an error can name their line."""
    unpacked: Any = gzip.GzipFile(fileobj=raw) if is_packed(path) else raw
    return io.TextIOWrapper(unpacked, encoding="utf-8-sig", errors="surrogateescape", newline=newline)


def _check(line: str, place: str) -> None:
    if len(line) > LONGEST:
        raise ConfigError(f"{place} has more than {LONGEST:,} characters, the most of a line or a document; split it")
    if "\0" in line:
        raise ConfigError(f"{place} holds NUL characters; is it text, and is it UTF-8?")
    found = _UNDECODED.search(line)
    if found is not None:
        raise ConfigError(f"{place} is not UTF-8 (byte 0x{ord(found[0]) - 0xDC00:02x}); save the file as UTF-8")
