"""Nested values as JSON and arrays, and back: dicts, lists, tuples, numbers, text, arrays, tensors; nothing else."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

Arrays = dict[str, npt.NDArray[Any]]

# What safetensors holds of NumPy's.
_DTYPES = frozenset(
    ["bool", *(f"{sign}int{size}" for sign in ("", "u") for size in (8, 16, 32, 64)), "float16", "float32", "float64"]
)


def encode(value: Any, arrays: Arrays) -> Any:
    """A value as JSON values; arrays and tensors go into `arrays`, and their names stand in their places.

    Numbers keep their type, NumPy's scalars too; numbers that JSON lacks are written as words.

    Raises:
        TypeError: for anything else, classes, functions and objects of classes among it.
    """
    if isinstance(value, np.generic):
        return {"$number": [_known(value.dtype), encode(value.item(), arrays)]}
    if isinstance(value, np.ndarray | torch.Tensor):
        return _encoded_array(value, arrays)
    if type(value) is float and not math.isfinite(value):
        return {"$float": str(value)}
    if value is None or type(value) in (bool, int, float, str):
        return value
    if type(value) in (list, tuple):
        parts = [encode(part, arrays) for part in value]
        return parts if type(value) is list else {"$tuple": parts}
    if isinstance(value, dict):
        return _encoded_dict(value, arrays)
    raise TypeError(f"{type(value).__name__} is neither number, text, array nor a list, tuple or dict of these")


def _known(dtype: np.dtype[Any]) -> str:
    if dtype.name not in _DTYPES:
        raise TypeError(f"numbers of type {dtype} cannot be saved")
    return dtype.name


def _encoded_array(value: npt.NDArray[Any] | torch.Tensor, arrays: Arrays) -> dict[str, str]:
    kind = "$tensor" if isinstance(value, torch.Tensor) else "$array"
    array = value.detach().cpu().numpy() if isinstance(value, torch.Tensor) else value
    name = str(len(arrays))
    # A copy in C order: safetensors writes the memory as it lies. `ascontiguousarray` makes (1,) of ().
    arrays[name] = np.array(array, dtype=_known(array.dtype), order="C")
    return {kind: name}


def _encoded_dict(value: dict[Any, Any], arrays: Arrays) -> dict[str, Any]:
    if all(isinstance(key, str) and not key.startswith("$") for key in value):
        return {str(key): encode(part, arrays) for key, part in value.items()}
    if not all(type(key) in (int, str) for key in value):
        raise TypeError("the keys of a dict must be text or whole numbers")
    return {"$pairs": [[key, encode(part, arrays)] for key, part in value.items()]}


def decode(value: Any, arrays: Arrays) -> Any:
    """What `encode` was given; every array is taken out of `arrays`.

    Raises:
        ValueError: where it is not what `encode` writes; also KeyError, TypeError and OverflowError.
    """
    if isinstance(value, list):
        return [decode(part, arrays) for part in value]
    if not isinstance(value, dict):
        return value
    if not any(key.startswith("$") for key in value):
        return {key: decode(part, arrays) for key, part in value.items()}
    (kind, part), *more = value.items()
    if more or kind not in _DECODERS:
        raise ValueError(f"{kind!r} stands for nothing")
    return _DECODERS[kind](part, arrays)


def _number(part: Any, arrays: Arrays) -> np.generic:
    dtype, value = part
    if dtype not in _DTYPES:
        raise ValueError(f"{dtype!r} is no type of numbers")
    plain = decode(value, arrays)
    if type(plain) not in (bool, int, float):
        raise ValueError(f"{plain!r} is no number")
    number: np.generic = np.dtype(dtype).type(plain)
    return number


def _float(part: Any, _: Arrays) -> float:
    if part not in ("nan", "inf", "-inf"):
        raise ValueError(f"{part!r} is no number")
    return float(part)


def _tuple(part: Any, arrays: Arrays) -> tuple[Any, ...]:
    if not isinstance(part, list):
        raise ValueError("a tuple is no list")
    return tuple(decode(each, arrays) for each in part)


def _pairs(part: Any, arrays: Arrays) -> dict[Any, Any]:
    return {key: decode(each, arrays) for key, each in part}


_DECODERS: Mapping[str, Callable[[Any, Arrays], Any]] = {
    "$number": _number,
    "$float": _float,
    "$tuple": _tuple,
    "$pairs": _pairs,
    "$array": lambda part, arrays: arrays.pop(part),
    "$tensor": lambda part, arrays: torch.from_numpy(arrays.pop(part)),
}
