"""Nested states of scalars, arrays and tensors on disk: JSON for the tree, safetensors for the arrays; no pickle."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from curriculum_rl.durable import naming
from curriculum_rl.learners.base import Snapshot


def write(directory: Path, state: dict[str, Any]) -> None:
    """Write a state as `state.safetensors` into a folder that exists.

    Args:
        directory: where.
        state: dicts, lists, tuples, scalars, arrays, tensors and learner snapshots, nested at will.
    """
    arrays: dict[str, torch.Tensor] = {}
    tree = _flattened(state, arrays)
    path = directory / "state.safetensors"
    with naming(path):
        # The arrays carry the tree as metadata: one file.
        save_file(arrays, str(path), metadata={"state": json.dumps(tree)})


def read(directory: Path) -> dict[str, Any]:
    """Read what `write` wrote; arrays come back as NumPy arrays, tensors as CPU tensors."""
    path = directory / "state.safetensors"
    arrays = load_file(str(path))
    with safe_open(str(path), framework="pt") as file:
        tree = json.loads(file.metadata()["state"])
    state: dict[str, Any] = _restored(tree, arrays)
    return state


def copied(value: Any) -> Any:
    """The same state, sharing no memory with what goes on changing; learner snapshots are copies already."""
    if isinstance(value, dict):
        return {key: copied(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [copied(part) for part in value]
    if isinstance(value, torch.Tensor):
        return value.detach().clone()
    return value.copy() if isinstance(value, np.ndarray) else value


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
