"""`learner.json`, the description of a saved learner, with the sha256 of every file that was saved with it."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any

from curriculum_rl.durable import damage, json_sha256, sha256, sync, write_atomically
from curriculum_rl.errors import ConfigError
from curriculum_rl.learners.description import read_json

DESCRIPTION = "learner.json"
_KEY = "sha256"


@contextmanager
def sealing(directory: Path) -> Iterator[None]:
    """Enter into `learner.json` what the body saves into a directory: by file its sha256, and that of the rest of it.

    What was there already and stays as it is is not entered. Where the body writes no `learner.json`, nothing is done.
    """
    path = directory / DESCRIPTION
    before, known = _states(directory), _entered(path)
    yield
    if not path.is_file():
        return
    known |= _entered(path)
    description = json.loads(path.read_text(encoding="utf-8"))
    description.pop(_KEY, None)
    saved = [name for name, state in _states(directory).items() if name in known or before.get(name) != state]
    for name in saved:
        sync(directory / name)
    sealed = {name: sha256(directory / name) for name in saved if name != DESCRIPTION}
    content = {**description, _KEY: {**sealed, DESCRIPTION: json_sha256(description)}}
    write_atomically(path, json.dumps(content, indent=2) + "\n")


def sealed(save: Callable[..., None]) -> Callable[..., None]:
    """A learner's `save` that enters its files into `learner.json`."""

    @wraps(save)
    def whole(learner: Any, directory: Path, **options: Any) -> None:
        with sealing(directory):
            save(learner, directory, **options)

    return whole


def read(directory: Path | str) -> dict[str, Any]:
    """The description of the learner in a directory, whose files are as they were saved.

    Raises:
        ConfigError: where there is none, or a file is damaged or missing.
    """
    folder = Path(directory)
    path = folder / DESCRIPTION
    if not path.exists():
        raise ConfigError(f"no saved learner: {path} does not exist")
    description = read_json(path)
    known = description.pop(_KEY, {})  # none where an older version saved it
    if not isinstance(known, dict):
        raise ConfigError(f"{path}: {_KEY}: must be an object (got {type(known).__name__})")
    own = known.pop(DESCRIPTION, None)
    reason = damage(folder, known)
    if own is not None and own != json_sha256(description):
        reason = f"{DESCRIPTION} is not what was written (its sha256 differs)"
    if reason is not None:
        raise ConfigError(f"{folder}: {reason}; take another copy of the learner")
    return description


def _entered(path: Path) -> set[str]:
    """The files that a description has entered; none where there is no description."""
    try:
        return set(read_json(path)[_KEY])
    except (ConfigError, KeyError, TypeError):
        return set()


def _states(directory: Path) -> dict[str, tuple[int, int, int]]:
    """The files of a folder: what changes when one is written again."""
    found = {}
    for path in directory.rglob("*") if directory.is_dir() else ():
        if path.is_file():
            stat = path.stat()
            found[path.relative_to(directory).as_posix()] = (stat.st_ino, stat.st_size, stat.st_mtime_ns)
    return found
