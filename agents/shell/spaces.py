"""Action spaces of a scheduler (one task, or a mixture of K tasks) and spaces as JSON."""

from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium import spaces

from curriculum_rl.errors import ConfigError


def arms(space: spaces.Space[Any]) -> int:
    """K, the number of tasks that an action space chooses among.

    Raises:
        ConfigError: where the space is neither Discrete(K) nor Box(-1, 1, (K,)).
    """
    if isinstance(space, spaces.Discrete) and space.start == 0:
        return int(space.n)
    if is_mixture(space):
        return int(space.shape[0])  # type: ignore[index]
    raise ConfigError(f"action_space: an agent plays Discrete(K) or Box(-1, 1, (K,)), not {space}")


def is_mixture(space: spaces.Space[Any]) -> bool:
    """Whether actions are mixtures: a Box of shape (K,) that spans -1 to 1."""
    return (
        isinstance(space, spaces.Box)
        and len(space.shape) == 1
        and bool((space.low == -1).all())
        and bool((space.high == 1).all())
    )


def rows(space: spaces.Space[Any], observation: npt.NDArray[Any] | dict[str, npt.NDArray[Any]]) -> int | None:
    """N of a batch of observations, None for a single observation of this space."""
    if isinstance(space, spaces.Dict):
        name = next(iter(space.spaces))
        if not isinstance(observation, dict):
            raise ConfigError(f"observation: a dict with {', '.join(space.spaces)} is needed")
        return rows(space.spaces[name], observation[name])
    shape = np.shape(observation)  # type: ignore[arg-type]
    return None if shape == space.shape else shape[0]


def to_json(space: spaces.Space[Any]) -> dict[str, Any]:
    """A Box, Discrete, or Dict of them, as plain JSON values."""
    if isinstance(space, spaces.Box):
        bounds = [[repr(float(v)) for v in bound.ravel()] for bound in (space.low, space.high)]
        return {"kind": "box", "low": bounds[0], "high": bounds[1], "shape": space.shape, "dtype": str(space.dtype)}
    if isinstance(space, spaces.Discrete):
        return {"kind": "discrete", "n": int(space.n)}
    if isinstance(space, spaces.Dict):
        return {"kind": "dict", "spaces": {name: to_json(part) for name, part in space.spaces.items()}}
    raise ConfigError(f"space: cannot save {space}; Box, Discrete and Dict of them can be saved")


def from_json(value: dict[str, Any]) -> spaces.Space[Any]:
    """The space that `to_json` described."""
    if value["kind"] == "dict":
        return spaces.Dict({name: from_json(part) for name, part in value["spaces"].items()})
    if value["kind"] == "discrete":
        return spaces.Discrete(value["n"])
    dtype = np.dtype(value["dtype"])
    low, high = (np.array([float(v) for v in value[key]]).reshape(value["shape"]) for key in ("low", "high"))
    return spaces.Box(low.astype(dtype), high.astype(dtype), dtype=dtype.type)
