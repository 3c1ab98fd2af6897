"""Action spaces of a scheduler (one task, or a mixture of K tasks), and spaces as plain values."""

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


def describe(space: spaces.Space[Any]) -> dict[str, Any]:
    """A space that stable-baselines3 can observe or act in, as plain values and arrays.

    Raises:
        ConfigError: for any other.
    """
    if isinstance(space, spaces.Box):
        return {"kind": "box", "low": space.low, "high": space.high}
    if isinstance(space, spaces.Discrete):
        return {"kind": "discrete", "n": int(space.n), "start": int(space.start)}
    if isinstance(space, spaces.MultiDiscrete):
        return {"kind": "multi_discrete", "nvec": space.nvec, "start": space.start}
    if isinstance(space, spaces.MultiBinary):
        return {"kind": "multi_binary", "n": space.n if isinstance(space.n, int) else list(map(int, space.n))}
    if isinstance(space, spaces.Dict):
        return {"kind": "dict", "spaces": {name: describe(part) for name, part in space.spaces.items()}}
    raise ConfigError(f"space: cannot save {space}; Box, Discrete, MultiDiscrete, MultiBinary and Dict of them can be")


def from_description(value: dict[str, Any]) -> spaces.Space[Any]:
    """The space that `describe` described.

    Raises:
        ValueError: where it describes none; also KeyError, TypeError and AssertionError.
    """
    kind = value["kind"]
    if kind == "dict":
        return spaces.Dict({name: from_description(part) for name, part in value["spaces"].items()})
    if kind == "discrete":
        return spaces.Discrete(value["n"], start=value["start"])
    if kind == "multi_discrete":
        return spaces.MultiDiscrete(value["nvec"], start=value["start"])
    if kind == "multi_binary":
        return spaces.MultiBinary(value["n"])
    if kind == "box":
        low, high = value["low"], value["high"]
        return spaces.Box(low, high, shape=low.shape, dtype=low.dtype.type)
    raise ValueError(f"{kind!r} is no kind of space")
