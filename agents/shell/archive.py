"""One zip file per saved agent: JSON for settings, npz for arrays; nothing in it can run code when it is read."""

import io
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from curriculum_rl.errors import ConfigError

FORMAT = 4


def write(path: str | Path, settings: dict[str, Any], arrays: dict[str, npt.NDArray[Any]]) -> None:
    """Write settings and arrays to `path` (".zip" is added where it has no suffix), all of it or nothing."""
    target = Path(path)
    target = target if target.suffix else target.with_suffix(".zip")
    target.parent.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    temporary = target.with_name(f"{target.name}.{os.getpid()}.tmp")
    with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("agent.json", json.dumps({"format": FORMAT, **settings}, indent=1))
        archive.writestr("state.npz", buffer.getvalue())
    temporary.replace(target)


def read(path: str | Path, agent: str) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
    """Settings and arrays that `write` stored for the agent class of this name.

    Raises:
        ConfigError: where the file is missing, damaged, or of another agent or format.
    """
    source = Path(path)
    source = source if source.is_file() or source.suffix else source.with_suffix(".zip")
    try:
        with zipfile.ZipFile(source) as archive:
            settings = json.loads(archive.read("agent.json"))
            with np.load(io.BytesIO(archive.read("state.npz")), allow_pickle=False) as stored:
                arrays = dict(stored)
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise ConfigError(f"path: {source} is no saved agent ({error})") from error
    if settings.get("format") != FORMAT or settings.get("agent") != agent:
        raise ConfigError(
            f"path: {source} holds agent {settings.get('agent')!r} in format {settings.get('format')}, "
            f"not {agent!r} in format {FORMAT}"
        )
    return settings, arrays
