"""Nested states of scalars, arrays and tensors on disk: JSON for the tree, safetensors for the arrays; no pickle."""

import dataclasses
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from curriculum_rl.learners.base import Snapshot


def write(directory: Path, state: dict[str, Any]) -> None:
    """Write a state as `state.json` and `arrays.safetensors`, replacing an older one in one step.

    Args:
        directory: where; made if it is not there.
        state: dicts, lists, tuples, scalars, arrays, tensors and learner snapshots, nested at will.
    """
    arrays: dict[str, torch.Tensor] = {}
    tree = _flattened(state, arrays)
    directory.mkdir(parents=True, exist_ok=True)
    # The arrays carry the tree as metadata: one file, so one atomic replacement.
    temporary = directory / f".state.{os.getpid()}"
    save_file(arrays, str(temporary), metadata={"state": json.dumps(tree)})
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    temporary.replace(directory / "state.safetensors")


def read(directory: Path) -> dict[str, Any]:
    """Read what `write` wrote; arrays come back as NumPy arrays, tensors as CPU tensors."""
    from safetensors import safe_open

    path = directory / "state.safetensors"
    arrays = load_file(str(path))
    with safe_open(str(path), framework="pt") as file:
        tree = json.loads(file.metadata()["state"])
    state: dict[str, Any] = _restored(tree, arrays)
    return state


def exists(directory: Path) -> bool:
    """Whether there is a state to read."""
    return (directory / "state.safetensors").is_file()


def _flattened(value: Any, arrays: dict[str, torch.Tensor]) -> Any:
    if isinstance(value, Snapshot):
        return {"$snapshot": _flattened(_fields(value), arrays)}
    if isinstance(value, torch.Tensor | np.ndarray):
        kind = "$tensor" if isinstance(value, torch.Tensor) else "$array"
        name = str(len(arrays))
        arrays[name] = torch.as_tensor(value).detach().cpu().contiguous()
        return {kind: name}
    if isinstance(value, dict):
        return {key: _flattened(part, arrays) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_flattened(part, arrays) for part in value]
    return value.item() if isinstance(value, np.generic) else value


def _restored(value: Any, arrays: dict[str, torch.Tensor]) -> Any:
    if isinstance(value, dict):
        if "$tensor" in value:
            return arrays[value["$tensor"]]
        if "$array" in value:
            return arrays[value["$array"]].numpy()
        if "$snapshot" in value:
            return Snapshot(**_restored(value["$snapshot"], arrays))
        return {key: _restored(part, arrays) for key, part in value.items()}
    return [_restored(part, arrays) for part in value] if isinstance(value, list) else value


def _fields(snapshot: Snapshot) -> dict[str, Any]:
    return {field.name: getattr(snapshot, field.name) for field in dataclasses.fields(snapshot)}
