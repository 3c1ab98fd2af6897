"""Agents without a network as files: settings and memory; what a file says is checked before it is used."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from stable_baselines3.common.utils import check_for_correct_spaces

from curriculum_rl.agents.rule import check
from curriculum_rl.agents.saving import archive, tree
from curriculum_rl.agents.shell import spaces
from curriculum_rl.errors import ConfigError, wrong

_MOST_REPLICAS = 2**16
_MOST_SHARES = 2**22  # of all replicas together


def check_settings(rule: Any) -> None:
    """See at once that a rule can be saved, not when its run has ended, and that its numbers are numbers.

    Raises:
        ConfigError: where its fields are no plain values, or a boolean, NaN or infinity stands for a number.
    """
    for field in dataclasses.fields(rule):
        value = getattr(rule, field.name)
        number = type(field.default) in (int, float) and isinstance(value, bool)
        if number or (isinstance(value, float) and not math.isfinite(value)):
            raise wrong(field.name, value, "a finite number")
    arrays: tree.Arrays = {}
    try:
        tree.encode(dataclasses.asdict(rule), arrays)
        if arrays:
            raise TypeError("an array is a rule's memory, and no setting")
    except TypeError as error:
        raise ConfigError(f"agent: the fields of {type(rule).__name__} cannot be saved: {error}") from None


def save(agent: Any, path: Any) -> None:
    """Write the settings, the memory and the state of the random streams of a shell's agent as one file.

    Raises:
        ConfigError: where the rule's memory holds what is no number.
    """
    remembered, arrays = agent._memory.dump()
    content = {
        "rule": dataclasses.asdict(agent.rule),
        "options": agent.settings,
        "seed": agent.seed,
        "remembered": remembered,
        "memory": arrays,
        "timesteps": agent.num_timesteps,
        "episodes": agent._episode_num,
        "seconds": agent.seconds,
        "observation_space": spaces.describe(agent.observation_space),
        "action_space": spaces.describe(agent.action_space),
    }
    try:
        archive.write(path, type(agent).__name__, content)
    except TypeError as error:
        raise ConfigError(f"agent: the memory of {type(agent).__name__} cannot be saved: {error}") from error


def load(cls: type[Any], path: Any, env: Any) -> Any:
    """The agent of this class that `save` wrote.

    Raises:
        ConfigError: where the file is no such agent, or the env has other spaces.
    """
    saved = archive.read(path)
    archive.check_agent(saved, cls.__name__)
    with archive.reading(saved.path):
        agent = _made(cls, saved.content)
    if env is not None:
        _adopt(agent, env)
    agent._setup_model()
    with archive.reading(saved.path):
        agent._remember(saved.content["remembered"]["replicas"])
        _restore(agent._memory, saved.content)
    return agent


def _made(cls: type[Any], content: dict[str, Any]) -> Any:
    """The agent with its settings, counters and spaces, and without a memory.

    Raises:
        ValueError: where the file says what no such agent has.
    """
    fields = {field.name for field in dataclasses.fields(cls.rule_class)}
    known = {"rule": fields, "options": {*cls.own_settings()}}
    for part, names in known.items():
        # Other names would be arguments of the agent itself, its environment among them.
        unknown = {*content[part]} - names
        if unknown:
            raise ValueError(f"{part}: {sorted(unknown)[0]!r} is none of {cls.__name__}")
    seed = content["seed"]
    if seed is not None:
        check("seed", seed, least=0, below=2**32, whole=True)
    for name in ("timesteps", "episodes"):
        check(name, content[name], least=0, whole=True)
    check("seconds", content["seconds"], least=0)
    agent = cls(seed=seed, **content["options"], **content["rule"])
    agent.observation_space = spaces.from_description(content["observation_space"])
    agent.action_space = spaces.from_description(content["action_space"])
    agent.num_timesteps, agent._episode_num = content["timesteps"], content["episodes"]
    agent.seconds = content["seconds"]
    agent._check_space()
    agent.n_envs = content["remembered"]["replicas"]
    check("replicas", agent.n_envs, least=1, most=min(_MOST_REPLICAS, _MOST_SHARES // agent.arms), whole=True)
    return agent


def _restore(memory: Any, content: dict[str, Any]) -> None:
    """Put into a fresh memory what the file holds.

    Raises:
        ValueError: where that is not what such a memory holds.
    """
    _check_memory(memory, content["memory"])
    memory.restore(content["remembered"], dict(content["memory"]))
    chances = memory.executed
    if not (chances >= 0).all() or not np.allclose(chances.sum(axis=1), 1, atol=1e-6):
        raise ValueError("what its memory leads to is no distribution over tasks")


def _check_memory(memory: Any, found: Mapping[str, Any]) -> None:
    """See that arrays are those of a memory: by name, numbers, of its shape; wrappers are for any number of runs."""
    _, wanted = memory.dump()
    if found.keys() != wanted.keys():
        raise ValueError(f"its memory has {', '.join(found) or 'nothing'}, not {', '.join(wanted) or 'nothing'}")
    runs = {len(array) for name, array in found.items() if name in memory.wrapper_arrays}
    for name, array in found.items():
        if not isinstance(array, np.ndarray) or array.dtype.kind not in "biuf":
            raise ValueError(f"{name} of its memory is no array of numbers")
        leading = 1 if name in memory.wrapper_arrays else 0
        if array.shape[leading:] != wanted[name].shape[leading:] or len(runs) > 1:
            raise ValueError(f"{name} of its memory has shape {array.shape}, not {wanted[name].shape}")


def _adopt(agent: Any, env: Any) -> None:
    """Take over an env, if its spaces are those the agent was saved with."""
    agent.env = agent._wrap_env(env, agent.verbose)
    agent.n_envs = agent.env.num_envs
    arms = spaces.arms(agent.env.action_space)
    if arms != spaces.arms(agent.action_space):
        raise ConfigError(
            f"env: {arms} tasks, but the agent was saved with {spaces.arms(agent.action_space)}; "
            "what it learned is about its own tasks"
        )
    try:
        check_for_correct_spaces(agent.env, agent.observation_space, agent.action_space)
    except ValueError as error:
        raise ConfigError(f"env: not the spaces the agent was saved with: {error}") from error
