"""Files that survive a kill and a power cut: written whole or not at all, with what shows that a bit has changed."""

import errno
import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

_TEMPORARY = re.compile(r"^\.?.+\.\d+\.tmp$")  # what `write_atomically` and the agents' files are called until whole
_SYSTEM_ERROR = re.compile(r"\(os error (\d+)\)")  # how libraries in Rust name the system's error


def write_atomically(path: str | Path, text: str | bytes) -> None:
    """Write a file so that whoever looks sees the old one or the new one, never a part, also after a power cut.

    Raises:
        OSError: with the path, where it cannot be written; the old file stays and no temporary one.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with naming(path), temporary.open("wb") as file:
            file.write(text.encode() if isinstance(text, str) else text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync(path.parent)


def sync(path: Path) -> None:
    """Have the system write a file, or the names in a folder, to the disk now."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sha256(path: Path) -> str:
    """Of a file's content, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def json_sha256(document: object) -> str:
    """Of a JSON document, however it is laid out."""
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


def digests(folder: Path) -> dict[str, str]:
    """sha256 of every file below a folder, by its path from there."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): sha256(path) for path in files}


def damage(folder: Path, known: Mapping[str, str]) -> str | None:
    """The first of some files that is missing or not what its sha256 says, and why; None where all are sound."""
    for name, digest in known.items():
        if Path(name).is_absolute() or ".." in Path(name).parts:
            return f"{name} is elsewhere"
        path = folder / name
        if not path.is_file():
            return f"{name} is missing"
        try:
            found = sha256(path)
        except OSError as error:
            return f"{name} cannot be read ({error.strerror})"
        if found != digest:
            return f"{name} is not what was written (its sha256 differs)"
    return None


def remove_temporary(folder: Path) -> None:
    """Delete what a killed process left half-written in a folder; call it where nobody else can be writing."""
    for path in list(folder.iterdir()) if folder.is_dir() else []:
        if is_temporary(path.name) and not path.is_dir():
            path.unlink(missing_ok=True)


def is_temporary(name: str) -> bool:
    """Whether a file of this name is one that was not finished."""
    return bool(_TEMPORARY.match(name))


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Give the errors of the system that the body raises a path, where they have none ("No space left on device").

    Raises:
        OSError: what the body raised, or what a library reported as an error of its own.
    """
    try:
        yield
    except OSError as error:
        if error.filename is not None or error.errno is None:
            raise
        raise OSError(error.errno, os.strerror(error.errno), str(path)) from error
    except Exception as error:
        found = _SYSTEM_ERROR.search(str(error))
        if found is None:
            raise
        number = int(found[1])
        raise OSError(number, os.strerror(number), str(path)) from error


def is_full(error: OSError) -> bool:
    """Whether there was no room left: the disk, a quota, or the largest file that is allowed."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
