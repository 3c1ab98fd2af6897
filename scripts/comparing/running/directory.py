"""The directory of a comparison: one process at a time, one environment for ever, and what is finished in it."""

import json
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from curriculum_rl.durable import remove_temporary, write_atomically
from curriculum_rl.errors import ConfigError
from curriculum_rl.recording import identity
from curriculum_rl.recording.contents import is_free
from curriculum_rl.recording.locks import DirectoryLock
from curriculum_rl.recording.runs import RunDirectory, check_directory, is_run
from curriculum_rl.schema import EnvConfig, files, reading
from curriculum_rl.schema import load as configs
from curriculum_rl.scripts.comparing.running.contestants import Contestant

HEADER = "# The environment that all runs of this comparison share.\n"

_FOLDERS = ("search", "training", "runs/*", "reach/*/*")  # where a process that was killed may leave half a file


class Directory:
    """Paths and the lock; use it as a context manager.

    Files: `environment.yaml`, `data.json`, `runs/<agent>/seed-<n>/`, `reach/<percent>/<agent>/seed-<n>/`,
    `training/<agent>/`, `search/*.json`, `compare.json`, `compare.html`, `tensorboard/`. A cell is finished when its
    `result.json` is there and the files that it names are sound.

    Args:
        path: where; made when it is entered.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._lock = DirectoryLock(self.path)

    def __enter__(self) -> Self:
        """Take the lock; the system gives it back when the process ends, however it does.

        Raises:
            ConfigError: where another process has it, or the path is a file or holds something else.
        """
        check_directory(self.path, "out")
        is_begun = (self.path / "environment.yaml").is_file()
        if self.path.is_dir() and not is_begun and not is_free(self.path):
            raise ConfigError(f"out: {self.path} exists and is no comparison (it holds no environment.yaml)")
        self.path.mkdir(parents=True, exist_ok=True)
        self._lock.__enter__()
        folders = (one for pattern in _FOLDERS for one in self.path.glob(pattern))
        for folder in (self.path, *folders):
            remove_temporary(folder)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the lock back."""
        self._lock.__exit__(kind, error, trace)

    def settle(self, config: EnvConfig) -> None:
        """Write the environment, or see that it is the one the directory was begun with.

        Raises:
            ConfigError: where it differs.
        """
        file = self.path / "environment.yaml"
        now = config.model_dump(mode="json")
        if not file.exists():
            write_atomically(file, HEADER + reading.dump(now))
            return
        before = reading.read(files.file_text(file, f"out: {file}"), f"out: {file}").value
        # A key that this file was written without has its default; nothing of it runs.
        different = _difference(configs.of_run(before, file, trust=True).model_dump(mode="json"), now)
        if different:
            key, old, new = different
            raise ConfigError(f"out: {self.path} was begun with {key}={old!r}, not {new!r}; choose another directory")

    def settle_data(self, data: Mapping[str, str]) -> None:
        """Write what the comparison is begun on, or see that it has not changed since; cells are checked one by one.

        Raises:
            ConfigError: naming what has changed.
        """
        if (self.path / identity.FILE).exists() or any(self.path.glob("runs/*/*/result.json")):
            identity.check(self.path, data)
        else:
            identity.write(self.path, data)

    def cell(self, contestant: Contestant, seed: int, percent: int = 100) -> Path:
        """The run directory of a contestant under a seed, at a percentage of the budget."""
        above = self.path / "runs" if percent == 100 else self.path / "reach" / str(percent)
        return above / contestant.folder / f"seed-{seed}"

    def training(self, contestant: Contestant) -> Path:
        """The run directory in which a pretrained agent was trained."""
        return contestant.trained or self.path / "training" / contestant.folder

    def search(self, name: str) -> Path:
        """The file of a part of the search for static mixtures."""
        return self.path / "search" / f"{name}.json"


def is_finished(cell: Path) -> bool:
    """Whether a run directory is complete and sound; one that cannot be read counts as missing."""
    return (cell / "result.json").is_file() and RunDirectory(cell).damage() is None


def error_of(cell: Path) -> str | None:
    """The last line of the error that ended a cell; None where there was none."""
    file = _error_file(cell)
    if not file.is_file():
        return None
    lines = file.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else f"{file.name} is empty"


def write_error(cell: Path, text: str) -> None:
    """Keep the error that ended a cell, beside its directory."""
    write_atomically(_error_file(cell), text.strip() + "\n")


def forget_error(cell: Path) -> None:
    """A cell is run again: what ended it the last time is past."""
    _error_file(cell).unlink(missing_ok=True)


def check_same(cell: Path, wanted: Mapping[str, Any]) -> None:
    """See that a finished cell is the run that is wanted.

    Raises:
        ConfigError: where it was another agent, or had other options or another length.
    """
    if not is_finished(cell):
        return
    document = RunDirectory(cell).read_config()
    before = json.loads(json.dumps({key: document.get(key) for key in wanted}))
    different = _difference(before, json.loads(json.dumps(dict(wanted))))
    if different:
        key, old, new = different
        raise ConfigError(f"out: {cell} was made with {key}={old!r}, not {new!r}; choose another directory")


def check_data(cell: Path, data: Mapping[str, str]) -> None:
    """See that a run that was begun, and will go on or stand in the table, was begun on the comparison's data.

    Raises:
        ConfigError: naming what has changed.
    """
    if is_run(cell):
        identity.check_run(cell, data)


def _error_file(cell: Path) -> Path:
    return cell.with_name(f"{cell.name}.error.txt")


def _difference(before: Any, now: Any, key: str = "") -> tuple[str, Any, Any] | None:
    """The first dotted key whose values differ, and the two values."""
    if before == now:
        return None
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        for name in dict.fromkeys([*before, *now]):
            found = _difference(before.get(name), now.get(name), f"{key}.{name}" if key else str(name))
            if found:
                return found
    return key, before, now
