"""From an agent's action to the shares of a segment's rows, and the two action spaces."""

from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium import spaces

from curriculum_rl.mixtures import shares
from curriculum_rl.schema.env import ActionConfig

Floats = npt.NDArray[np.float64]


def space(action: ActionConfig, tasks: int) -> spaces.Space[Any]:
    """`Discrete(K)` for tasks, `Box(-1, 1, (K,))` for mixtures (stable-baselines3 wants symmetric bounds)."""
    if action.kind == "task":
        return spaces.Discrete(tasks)
    return spaces.Box(-1.0, 1.0, (tasks,), np.float32)


def picks(action: npt.NDArray[np.generic] | int, config: ActionConfig, tasks: int) -> Floats:
    """(K,) the choice as shares: one-hot for a task; for a mixture see `curriculum_rl.mixtures.shares`.

    Raises:
        ValueError: for a task outside 0 to K - 1, or a mixture of another length, out of [-1, 1] or not finite.
    """
    if config.kind == "task":
        index = int(action)
        if not 0 <= index < tasks:
            raise ValueError(f"action: task {index} is not in 0 to {tasks - 1}")
        return np.asarray(np.arange(tasks) == index, dtype=np.float64)
    mixed = np.asarray(action, dtype=np.float64)
    if mixed.shape != (tasks,) or not np.all(np.abs(mixed) <= 1 + 1e-6):
        raise ValueError(f"action: a mixture must be {tasks} numbers in [-1, 1] (got {action})")
    return shares(mixed)


def mixture(chosen: Floats, config: ActionConfig) -> Floats:
    """(..., K) shares of the rows: a pick of a task is an emphasis on it, the rest is stratified over all tasks."""
    if config.kind == "mixture":
        return chosen
    shared: Floats = config.emphasis * chosen + (1 - config.emphasis) / chosen.shape[-1]
    return shared
