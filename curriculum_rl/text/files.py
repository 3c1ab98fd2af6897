"""Finds the files that paths and glob patterns name, each file once."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from curriculum_rl.durable import sha256
from curriculum_rl.errors import ConfigError, shown


def found(patterns: Iterable[str]) -> list[Path]:
    """The files in the order of the patterns, the matches of a pattern sorted; one that is met again is left out.

    A file is the same under all its names, links to it included.

    Raises:
        ConfigError: A path or pattern names no file, a link leads nowhere, or a path cannot be followed.
    """
    files: dict[tuple[int, int], Path] = {}
    for pattern in patterns:
        try:
            for path in _matches(Path(pattern).expanduser()):
                status = path.stat()
                files.setdefault((status.st_dev, status.st_ino), path)
        except (OSError, RuntimeError, NotImplementedError) as error:  # RuntimeError: `~name` of nobody
            reason = getattr(error, "strerror", None) or str(error)
            raise ConfigError(f"paths: cannot look for {shown(pattern)}: {reason}") from error
    if not files:
        raise ConfigError("paths: no file is named")
    return list(files.values())


def digest(path: Path) -> str:
    """The sha256 of a file's bytes.

    Raises:
        ConfigError: It cannot be read.
    """
    try:
        return sha256(path)
    except OSError as error:
        raise ConfigError(f"paths: cannot read {path}: {error.strerror}") from error


def _matches(path: Path) -> Iterator[Path]:
    if path.is_dir():
        raise ConfigError(f"paths: no file {str(path)!r} but a folder; name its files, as {path}/*.txt")
    none = True
    for match in [path] if path.exists() or path.is_symlink() else _glob(path):
        if match.is_symlink() and not match.exists():
            raise ConfigError(f"paths: {match} is a link to {match.readlink()}, which is not there")
        if match.is_file():
            none = False
            yield match
    if none:
        raise ConfigError(f"paths: no file {str(path)!r}")


def _glob(pattern: Path) -> list[Path]:
    try:
        return sorted(Path(pattern.anchor).glob(str(pattern.relative_to(pattern.anchor))))
    except ValueError as error:  # `a**`, a NUL
        raise ConfigError(f"paths: no file {str(pattern)!r}: {error}") from error
