"""Files of version 0.1's agents without a network (format 4: JSON and npz), as what files hold now."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium import spaces as gym_spaces

from curriculum_rl.agents.saving import archive
from curriculum_rl.agents.shell import spaces

FORMAT = 4


def is_older(path: Path) -> bool:
    """Whether a file is a zip of that format, whatever stands in it."""
    try:
        with zipfile.ZipFile(path) as archive_:
            return {"agent.json", "state.npz"} <= set(archive_.namelist())
    except (OSError, zipfile.BadZipFile):
        return False


def read(path: Path) -> archive.Saved:
    """What a file of that format holds; nothing in it is run.

    Raises:
        ConfigError: where it is damaged or of another format.
    """
    with archive.reading(path), zipfile.ZipFile(path) as archive_:
        found = json.loads(archive_.read("agent.json"))
        with np.load(io.BytesIO(archive_.read("state.npz")), allow_pickle=False) as stored:
            memory = dict(stored)
        if found["format"] != FORMAT:
            raise ValueError(
                f"it is of format {found['format']!r}, and this version reads {FORMAT} and {archive.FORMAT}"
            )
        content = {name: value for name, value in found.items() if name not in ("format", "agent")}
        for name in ("observation_space", "action_space"):
            content[name] = spaces.describe(_space(content[name]))
        return archive.Saved(path, found["agent"], {**content, "memory": _with_prior(content, memory)})


def _with_prior(content: dict[str, Any], memory: dict[str, Any]) -> dict[str, Any]:
    """The memory with what wrappers know of a prior today.

    Raises:
        ValueError: where the agent played with a prior: it was a temperature, and is an exponent now.
    """
    if content["options"].get("prior"):
        raise ValueError("its option prior is a temperature of divergences, which no agent has any more")
    of_runs = {name: array for name, array in memory.items() if name.endswith("wrapping.divergence")}
    for name, array in of_runs.items():
        prefix = name.removesuffix("divergence")
        memory[f"{prefix}prior"] = np.full(array.shape, 1 / max(1, array.shape[-1]))
        memory[f"{prefix}weighed"] = np.zeros(array.shape[0], bool)
    return memory


def _space(found: dict[str, Any]) -> gym_spaces.Space[Any]:
    if found["kind"] == "dict":
        return gym_spaces.Dict({name: _space(part) for name, part in found["spaces"].items()})
    if found["kind"] == "discrete":
        return gym_spaces.Discrete(found["n"])
    dtype: Any = np.dtype(found["dtype"]).type
    low, high = (np.array([*map(float, found[key])]).reshape(found["shape"]).astype(dtype) for key in ("low", "high"))
    return gym_spaces.Box(low, high, dtype=dtype)
