"""What a run writes into its directory, by name: all of it can be deleted, and nothing else is."""

import shutil
from collections.abc import Iterable
from pathlib import Path

from curriculum_rl.durable import is_temporary, remove_temporary
from curriculum_rl.errors import ConfigError
from curriculum_rl.recording.checkpoints import FOLDER
from curriculum_rl.recording.locks import LOCK
from curriculum_rl.schema import files

SCALARS = "stable-baselines3"
"""The child run that holds stable-baselines3's own scalars."""
LEARNER = "learner"

_EVENTS = "events.out.tfevents.*"
_FILES = (
    "data.json", "versions.json", "segments.jsonl", "result.json", "interrupted.json", "evaluation.json",
    "schedule.json", "policy.png", "learning.png", "agent.zip", "progress.csv",
    _EVENTS,
)  # fmt: skip
_OF_LEARNERS = (
    "learner.json", "learner.safetensors", "optimizer.safetensors", "light.safetensors", "model.safetensors",
    "config.json", "generation_config.json", "tokenizer.json", "curriculum_rl_tokenizer.json",
)  # fmt: skip


def is_free(directory: Path) -> bool:
    """Whether a directory holds nothing: no file but a lock and what a killed process left half-written."""
    return all(entry.name == LOCK or is_temporary(entry.name) for entry in directory.iterdir())


def remove_leftovers(directory: Path) -> None:
    """Delete the temporary files of a process that was killed; call it under the lock."""
    for folder in (directory, *_learners(directory)):
        remove_temporary(folder)


def delete(directory: Path) -> None:
    """Delete what a run has written and the folders that are empty then; files of the user's and the lock stay.

    So does `config.yaml`, by which the directory is known as a run's: whoever calls replaces or deletes it at last. The
    directory must be locked.
    """
    remove_leftovers(directory)
    shutil.rmtree(directory / FOLDER, ignore_errors=True)
    learners, children = _learners(directory), _folders(directory, "task=*", SCALARS)
    for folder in learners:
        for name in _listed(folder):
            (folder / name).unlink(missing_ok=True)
        _delete(folder, _OF_LEARNERS)
    for folder in children:
        _delete(folder, (_EVENTS,))
    _delete(directory, _FILES)
    for folder in [*reversed(learners), *children]:
        if not any(folder.iterdir()):
            folder.rmdir()


def _delete(folder: Path, patterns: Iterable[str]) -> None:
    """Delete the files, or links, of a folder that are called so."""
    for path in [path for pattern in patterns for path in folder.glob(pattern)]:
        if path.is_symlink() or not path.is_dir():
            path.unlink(missing_ok=True)


def _learners(directory: Path) -> list[Path]:
    """Where learners may have been saved."""
    above = _folders(directory, LEARNER)
    return [*above, *(folder for one in above for folder in _folders(one, "shard-*"))]


def _folders(directory: Path, *patterns: str) -> list[Path]:
    """Folders, but no links to folders: what these hold is not the run's."""
    found = [path for pattern in patterns for path in directory.glob(pattern)]
    return [path for path in found if path.is_dir() and not path.is_symlink()]


def _listed(learner: Path) -> list[str]:
    """The files that the `learner.json` of a saved learner lists, by their path from there."""
    try:
        names = list(files.read_json(learner / "learner.json", "learner.json")["sha256"])
    except (ConfigError, KeyError, TypeError):
        return []
    return [name for name in names if not Path(name).is_absolute() and ".." not in Path(name).parts]
