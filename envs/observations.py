"""The observation spaces, and features in their form. Shape letters: N replicas, K tasks, F and G features."""

from typing import Any

import numpy as np
from gymnasium import spaces

from curriculum_rl.observation import BOUND, RUN_FEATURES, TASK_FEATURES, Features

Observation = Features | dict[str, Features]


def space(kind: str, tasks: int) -> spaces.Space[Any]:
    """The observation space: one flat Box, or a Dict of the two parts (each flat)."""
    parts: dict[str, spaces.Space[Any]] = {
        "tasks": spaces.Box(-BOUND, BOUND, (tasks * len(TASK_FEATURES),), np.float32),
        "run": spaces.Box(-BOUND, BOUND, (len(RUN_FEATURES),), np.float32),
    }
    if kind == "dict":
        return spaces.Dict(parts)
    return spaces.Box(-BOUND, BOUND, (tasks * len(TASK_FEATURES) + len(RUN_FEATURES),), np.float32)


def observation(kind: str, tasks: Features, run: Features) -> Observation:
    """(N, K, F) and (N, G) features in the form of the space, stacked over replicas."""
    flat = tasks.reshape(len(tasks), -1)
    if kind == "dict":
        return {"tasks": flat, "run": run}
    return np.concatenate([flat, run], axis=1)


def of_replica(observed: Observation, replica: int) -> Observation:
    """One replica's part."""
    if isinstance(observed, dict):
        return {name: part[replica] for name, part in observed.items()}
    one: Features = observed[replica]
    return one
