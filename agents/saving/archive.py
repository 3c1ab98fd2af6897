"""One file per saved agent: JSON for values, safetensors for arrays, one sha256 over all; reading it runs no code."""

import contextlib
import hashlib
import io
import json
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays

from curriculum_rl.agents.saving import tree
from curriculum_rl.durable import write_atomically
from curriculum_rl.errors import ConfigError

FORMAT = 5
LARGEST = 2**28
"""Bytes of a file; no agent of this package comes near."""

_VALUES, _ARRAYS = "agent.json", "arrays.safetensors"
_LARGEST_VALUES = 2**24
_DIGEST = 64  # hexadecimal digits of a sha256
_UNREADABLE = (
    OSError, ValueError, TypeError, LookupError, AttributeError, AssertionError, EOFError, OverflowError, MemoryError,
    RuntimeError, zipfile.BadZipFile, struct.error, SafetensorError,
)  # fmt: skip


class Saved(NamedTuple):
    """What a file holds.

    Attributes:
        path: the file.
        agent: the name of the class that wrote it.
        content: nested values and arrays, as `write` was given them.
    """

    path: Path
    agent: str
    content: dict[str, Any]


def write(path: str | Path, agent: str, content: dict[str, Any]) -> None:
    """Write nested values and arrays (`curriculum_rl.agents.saving.tree`) to one zip file, all of it or nothing.

    Members are stored, not compressed, and the comment of the zip is the sha256 of every byte before it.

    Args:
        path: the file; ".zip" is added where it has no suffix.
        agent: the name of the class.
        content: what `read` gives back.

    Raises:
        TypeError: for a value that is neither plain nor an array.
        ConfigError: where it would be larger than what `read` reads.
    """
    target = Path(path)
    target = target if target.suffix else target.with_suffix(".zip")
    arrays: tree.Arrays = {}
    values = json.dumps(
        {"format": FORMAT, "agent": agent, "content": tree.encode(content, arrays)}, indent=1, allow_nan=False
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, data in ((_VALUES, values.encode()), (_ARRAYS, save_arrays(arrays))):
            member = zipfile.ZipInfo(name)
            member.external_attr = 0o644 << 16  # for whoever unpacks it
            archive.writestr(member, data)
        archive.comment = b"0" * _DIGEST
    whole = buffer.getvalue()[:-_DIGEST]
    if len(values) > _LARGEST_VALUES or len(whole) > LARGEST - _DIGEST:
        raise ConfigError(f"path: {target} would have {len(whole):,} bytes, more than a saved agent may")
    write_atomically(target, whole + hashlib.sha256(whole).hexdigest().encode())


def read(path: str | Path) -> Saved:
    """What `write` stored.

    Raises:
        ConfigError: where the file is missing, damaged, too large, of another format, or no saved agent.
    """
    source = find(path)
    with reading(source):
        if source.stat().st_size > LARGEST:
            raise ValueError(f"it is larger than {LARGEST:,} bytes, and no saved agent is")
        data = source.read_bytes()
        if data[-_DIGEST:] != hashlib.sha256(memoryview(data)[:-_DIGEST]).hexdigest().encode():
            _refuse(data)
        values, arrays = _parts(data)
        if values["format"] != FORMAT:
            raise ValueError(f"it is of format {values['format']!r}, and this version reads {FORMAT}")
        content = tree.decode(values["content"], arrays)
        if arrays or not isinstance(content, dict) or not isinstance(values["agent"], str):
            raise ValueError(f"{_VALUES} does not describe an agent")
    return Saved(source, values["agent"], content)


def find(path: str | Path) -> Path:
    """The file, with or without ".zip".

    Raises:
        ConfigError: where there is none.
    """
    given = Path(path)
    with reading(given):
        for candidate in (given, given.with_name(f"{given.name}.zip")):
            if candidate.is_file():
                return candidate
    raise ConfigError(f"path: no saved agent at {path}")


@contextlib.contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn whatever a damaged or hostile file leads to into one line that names it.

    Raises:
        ConfigError: that line.
    """
    try:
        yield
    except _UNREADABLE as error:
        reason = f"it has no {error}" if isinstance(error, KeyError) else " ".join(str(error).split())
        raise ConfigError(f"path: cannot read {path}: {reason[:300] or type(error).__name__}") from error


def check_agent(saved: Saved, agent: str) -> None:
    """See that a file is of this class.

    Raises:
        ConfigError: naming both classes.
    """
    if saved.agent != agent:
        raise ConfigError(f"path: {saved.path} holds agent {saved.agent!r}, not {agent!r}")


def _parts(data: bytes) -> tuple[dict[str, Any], tree.Arrays]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = archive.infolist()
        if [member.filename for member in members] != [_VALUES, _ARRAYS]:
            raise ValueError(f"its members must be {_VALUES} and {_ARRAYS}")
        if any(member.compress_type != zipfile.ZIP_STORED or member.file_size > len(data) for member in members):
            raise ValueError("its members must be stored, not compressed")
        if members[0].file_size > _LARGEST_VALUES:
            raise ValueError(f"{_VALUES} is larger than {_LARGEST_VALUES:,} bytes")
        values = json.loads(archive.read(_VALUES), parse_constant=_no_number)
        arrays = load_arrays(archive.read(_ARRAYS))
    if not isinstance(values, dict):
        raise ValueError(f"{_VALUES} is no object")
    return values, {name: np.require(array, requirements="W") for name, array in arrays.items()}


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number of JSON")


def _refuse(data: bytes) -> NoReturn:
    """Say what a file is whose sha256 does not stand at its end, and what to do.

    Raises:
        ValueError: always.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = set(archive.namelist())
    except _UNREADABLE:
        names = set()
    if "policy.pth" in names:
        raise ValueError(
            "it is a file of stable-baselines3, or of version 0.1 of this package, which runs code when it is read; if "
            "you trust whoever made it: curriculum-rl import --trust FILE --out NEW"
        )
    if "state.npz" in names:
        raise ValueError(
            f"it is of an older format than {FORMAT}; curriculum-rl import --trust FILE --out NEW converts it"
        )
    raise ValueError("it is damaged (its sha256 does not match)" if names else "it is no saved agent, or damaged")
