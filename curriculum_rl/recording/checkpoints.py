"""The last two checkpoints of a run, each in a folder of its own: whole, sound and of this format, or not used."""

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curriculum_rl import __version__
from curriculum_rl.durable import damage, digests, json_sha256, sync, write_atomically
from curriculum_rl.errors import ConfigError
from curriculum_rl.schema import files

FOLDER = "checkpoint"
FORMAT = 2
"""Of the folders; 1 was a single folder without hashes."""

_MANIFEST, _POINTER, _DRAFT = "checkpoint.json", "latest", ".new"
_NUMBER = re.compile(r"\d{6,}")
_BEGIN_ANEW = "begin anew with --overwrite"


class NoSoundCheckpointError(ConfigError):
    """There are checkpoints, and all are damaged."""


@dataclass(frozen=True)
class Found:
    """A checkpoint that is whole and sound.

    Attributes:
        folder: with the files that were put into it.
        about: what `commit` was told.
        damaged: why a newer one is not used; None where this is the newest.
    """

    folder: Path
    about: dict[str, Any]
    damaged: str | None = None


class Checkpoints:
    """The checkpoints of a run directory.

    Files: `checkpoint/latest` names the newest folder and is replaced last; `checkpoint/<number>/checkpoint.json` has
    the sha256 of every file beside it, and its own.

    Args:
        run: the run directory.
    """

    def __init__(self, run: Path) -> None:
        self.path = run / FOLDER
        self._sound: str | None = None  # the name of the newest that is known to be sound

    def draft(self) -> Path:
        """An empty folder for the files of a new checkpoint; it counts for nothing until `commit`."""
        folder = self.path / _DRAFT
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder

    def commit(self, about: dict[str, Any]) -> None:
        """Make the draft the newest checkpoint and keep one before it; the older ones go.

        Args:
            about: JSON values, for whoever goes on.

        Raises:
            OSError: where it cannot be written; what was there stays valid.
        """
        draft, before = self.path / _DRAFT, self._folders()
        written = digests(draft)
        for name in written:
            sync(draft / name)
        document = {"format": FORMAT, "curriculum-rl": __version__, "about": about, "files": written}
        write_atomically(draft / _MANIFEST, json.dumps({**document, "sha256": json_sha256(document)}, indent=1) + "\n")
        name = f"{int(before[0]) + 1 if before else 1:06d}"
        draft.rename(self.path / name)
        write_atomically(self.path / _POINTER, name + "\n")  # this is the moment from which it counts
        keep = {name, self._sound or next(iter(before), None)}
        for old in before:
            if old not in keep:
                shutil.rmtree(self.path / old, ignore_errors=True)
        self._sound = name

    def find(self) -> Found | None:
        """The newest checkpoint that is sound; None where none was ever finished. Nothing is changed.

        Raises:
            NoSoundCheckpointError: where all are damaged.
            ConfigError: where one was written in another format.
        """
        if (self.path / "state.safetensors").exists():
            raise _of_format(self.path, 1)
        reasons: list[str] = []
        for name in self._names():
            about, reason = _read(self.path / name)
            if reason is None:
                self._sound = name
                return Found(self.path / name, about, reasons[0] if reasons else None)
            reasons.append(f"{self.path / name}: {reason}")
        if not reasons:
            return None
        raise NoSoundCheckpointError(f"--resume: no checkpoint is sound: {'; '.join(reasons)}; {_BEGIN_ANEW}")

    def clear(self) -> None:
        """Remove all of them: the run is finished, or begins anew."""
        shutil.rmtree(self.path, ignore_errors=True)

    def _folders(self) -> list[str]:
        """All numbered folders, the highest number first."""
        inside = list(self.path.iterdir()) if self.path.is_dir() else []
        return sorted(
            (one.name for one in inside if one.is_dir() and _NUMBER.fullmatch(one.name)), key=int, reverse=True
        )

    def _names(self) -> list[str]:
        """The folders that count, newest first: from the one that the pointer names on, or all where it is damaged."""
        folders, pointer = self._folders(), self.path / _POINTER
        newest = pointer.read_bytes().decode("ascii", "replace").strip() if pointer.is_file() else ""
        return folders[folders.index(newest) :] if newest in folders else folders


def _read(folder: Path) -> tuple[dict[str, Any], str | None]:
    """What the manifest of a folder says, and what is wrong with the folder; None where it is sound.

    Raises:
        ConfigError: where it is whole and of another format.
    """
    try:
        document = files.read_json(folder / _MANIFEST, _MANIFEST)
        seal = document.pop("sha256")
    except (ConfigError, AttributeError, KeyError, TypeError):
        return {}, f"{_MANIFEST} is missing or cannot be read"
    if seal != json_sha256(document):
        return {}, f"{_MANIFEST} is not what was written (its sha256 differs)"
    if document["format"] != FORMAT:
        raise _of_format(folder, document["format"])
    return document["about"], damage(folder, document["files"])


def _of_format(folder: Path, number: Any) -> ConfigError:
    return ConfigError(
        f"--resume: {folder} was written in format {number}, and this version ({__version__}) reads format {FORMAT}; "
        f"go on with the version that wrote it, or {_BEGIN_ANEW}"
    )
