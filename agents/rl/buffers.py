"""The filled part of a replay buffer as arrays; stable-baselines3's own way is a pickle of all of it."""

from collections.abc import Mapping
from typing import Any

import numpy as np

_ARRAYS = ("observations", "next_observations", "actions", "rewards", "dones", "timeouts")


def describe(buffer: Any) -> dict[str, Any]:
    """What a buffer holds, and its next place."""
    filled = buffer.buffer_size if buffer.full else buffer.pos
    arrays = {}
    for name in _ARRAYS:
        whole = getattr(buffer, name)
        arrays[name] = {key: part[:filled] for key, part in _parts(whole).items()}
    return {"position": buffer.pos, "full": bool(buffer.full), "filled": filled, "arrays": arrays}


def restore(buffer: Any, described: Mapping[str, Any]) -> None:
    """Put what `describe` described into a buffer of the same size.

    Raises:
        ValueError: where it does not fit; nothing is put into the buffer then. Also KeyError and TypeError.
    """
    position, full, filled = (described[name] for name in ("position", "full", "filled"))
    if type(position) is not int or not 0 <= position < buffer.buffer_size or type(full) is not bool:
        raise ValueError(f"position: {position!r} is no place in a buffer of {buffer.buffer_size}")
    if filled != (buffer.buffer_size if full else position):
        raise ValueError(f"filled: {filled!r} does not go with position {position} in a buffer of {buffer.buffer_size}")
    pairs = [
        pair for name in _ARRAYS for pair in _pairs(name, getattr(buffer, name), described["arrays"][name], filled)
    ]
    for there, found in pairs:
        there[:filled] = found
    buffer.pos, buffer.full = position, full


def _parts(whole: Any) -> dict[str, Any]:
    return whole if isinstance(whole, dict) else {"": whole}


def _pairs(name: str, whole: Any, found: Mapping[str, Any], filled: int) -> list[tuple[Any, Any]]:
    parts = _parts(whole)
    if set(found) != set(parts):
        raise ValueError(f"{name}: {', '.join(found)} must be {', '.join(parts)}")
    for key, there in parts.items():
        wanted = (filled, *there.shape[1:])
        if not isinstance(found[key], np.ndarray) or found[key].shape != wanted or found[key].dtype != there.dtype:
            raise ValueError(f"{name} {key}: must be an array of shape {wanted} and type {there.dtype}")
    return [(parts[key], found[key]) for key in parts]
