"""`data.json`: the data that a run or a comparison was begun on, which must not change while it goes on."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from curriculum_rl.durable import write_atomically
from curriculum_rl.errors import ConfigError
from curriculum_rl.schema import files

FILE = "data.json"
_WHAT = {"tokenizer": "it", "learner": "the model it begins with"}
_REMEDY = "put the old data back, or begin anew (--overwrite, or another --out)"


def write(directory: Path, data: Mapping[str, str]) -> None:
    """Write what a run or a comparison is begun on.

    Args:
        directory: of the run or the comparison.
        data: sha256 by name (`curriculum_rl.experiment.Experiment.data`).
    """
    write_atomically(directory / FILE, json.dumps(dict(data), indent=2, ensure_ascii=False) + "\n")


def read(directory: Path) -> dict[str, str]:
    """What `write` wrote.

    Raises:
        ConfigError: where it is missing or damaged.
    """
    path = directory / FILE
    if not path.exists():
        raise ConfigError(f"path: {directory} holds no {FILE}, so its data are not known; begin anew")
    data: Any = files.read_json(path, f"path: {path}")
    if not isinstance(data, dict):
        raise ConfigError(f"path: {path} must hold an object (got {type(data).__name__})")
    return data


def check(directory: Path, data: Mapping[str, str]) -> None:
    """See that the data are those that a run or a comparison was begun on; nothing is written.

    Raises:
        ConfigError: naming what has changed, or is not known.
    """
    compare(read(directory), data, f"{directory} was begun")


def check_run(directory: Path, data: Mapping[str, str]) -> None:
    """The same of a run; one that was killed before it wrote even this has read nothing yet.

    Raises:
        ConfigError: naming what has changed, or is not known.
    """
    if (directory / FILE).exists() or (directory / "segments.jsonl").exists():
        check(directory, data)


def compare(before: Mapping[str, str], now: Mapping[str, str], when: str) -> None:
    """See that nothing has changed since.

    Args:
        before: sha256 by name.
        now: the same, of today.
        when: "the run was begun", for the message.

    Raises:
        ConfigError: naming every text that has changed, or else the tokenizer or the learner.
    """
    changed = [name for name in {**before, **now} if before.get(name) != now.get(name)]
    texts = [name for name in changed if name not in _WHAT]  # a tokenizer that is trained here changes with them
    if texts:
        what = "its text has" if len(texts) == 1 else "their texts have"
        raise ConfigError(f"{', '.join(texts)}: {what} changed since {when}; {_REMEDY}")
    for name in changed:
        raise ConfigError(f"{name}: {_WHAT[name]} has changed since {when}; {_REMEDY}")
