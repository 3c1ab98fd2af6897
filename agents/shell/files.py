"""Agents without a network as files: settings as JSON, memory as arrays, no pickle."""

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

from stable_baselines3.common.utils import check_for_correct_spaces

from curriculum_rl.agents.shell import archive, spaces
from curriculum_rl.errors import ConfigError, wrong


def check_settings(rule: Any) -> None:
    """See at once that a rule can be saved, not when its run has ended, and that its numbers are numbers.

    Raises:
        ConfigError: where its fields are no JSON values, or a boolean, NaN or infinity stands for a number.
    """
    for field in dataclasses.fields(rule):
        value = getattr(rule, field.name)
        number = type(field.default) in (int, float) and isinstance(value, bool)
        if number or (isinstance(value, float) and not math.isfinite(value)):
            raise wrong(field.name, value, "a finite number")
    try:
        json.dumps(dataclasses.asdict(rule))
    except TypeError as error:
        raise ConfigError(f"agent: the fields of {type(rule).__name__} cannot be saved as JSON: {error}") from None


def save(agent: Any, path: str | Path) -> None:
    """Write the settings, the memory and the state of the random streams of a shell's agent as one zip file."""
    memory, arrays = agent._memory.dump()
    settings = {
        "agent": type(agent).__name__,
        "rule": dataclasses.asdict(agent.rule),
        "options": agent.settings,
        "seed": agent.seed,
        "remembered": memory,
        "timesteps": agent.num_timesteps,
        "episodes": agent._episode_num,
        "seconds": agent.seconds,
        "observation_space": spaces.to_json(agent.observation_space),
        "action_space": spaces.to_json(agent.action_space),
    }
    archive.write(path, settings, arrays)


def load(cls: type[Any], path: str | Path, env: Any) -> Any:
    """The agent of this class that `save` wrote.

    Raises:
        ConfigError: where the file is no such agent, or the env has other spaces.
    """
    settings, arrays = archive.read(path, cls.__name__)
    agent = cls(seed=settings["seed"], **settings["options"], **settings["rule"])
    agent.observation_space = spaces.from_json(settings["observation_space"])
    agent.action_space = spaces.from_json(settings["action_space"])
    agent.n_envs = settings["remembered"]["replicas"]
    if env is not None:
        _adopt(agent, env)
    agent._check_space()
    agent._setup_model()
    agent._remember(settings["remembered"]["replicas"])
    agent._memory.restore(settings["remembered"], arrays)
    agent.num_timesteps, agent._episode_num = settings["timesteps"], settings["episodes"]
    agent.seconds = settings["seconds"]
    return agent


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
