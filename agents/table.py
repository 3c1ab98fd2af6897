"""The one table of agent names: what exists, what it needs, and how it is made; light, so that `--help` is fast."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from curriculum_rl.agents.entries import FAMILIES
from curriculum_rl.agents.entry import AgentEntry
from curriculum_rl.errors import ConfigError

if TYPE_CHECKING:
    import gymnasium as gym
    from stable_baselines3.common.vec_env import VecEnv

    from curriculum_rl.agents.protocol import Agent


AGENTS: Mapping[str, AgentEntry] = MappingProxyType(
    {entry.name: entry for entries in FAMILIES.values() for entry in entries}
)


def entry(name: str, key: str = "agent") -> AgentEntry:
    """What is known of an agent: its line of the table, or what `module:Class` says (`curriculum_rl.agents.entry`).

    Args:
        name: a key of `AGENTS`, or `module:Class`.
        key: what the user wrote it under, for messages.

    Raises:
        ConfigError: for an unknown name, a class that cannot be found, or one that is no agent and no rule.
    """
    if name in AGENTS:
        return AGENTS[name]
    if ":" not in name:
        raise ConfigError(f"{key}: unknown name {name!r}; there are: {', '.join(AGENTS)}; or module:Class of your own")
    from curriculum_rl.agents.kinds import entry_of

    return entry_of(name, key)


def make(name: str, env: "gym.Env[Any, Any] | VecEnv | str | None", *, seed: int | None = 0, **options: Any) -> "Agent":
    """Make an agent by name.

    Args:
        name: a key of `AGENTS`, or `module:Class`: an agent or a rule of your own (`curriculum_rl.agents.entry`).
        env: what it plays: a Gymnasium environment, a stable-baselines3 VecEnv, or an id.
        seed: of the agent's draws and the env's resets; None draws one from the system.
        **options: the agent's own settings; `options_of(name)` lists them.

    Returns:
        An agent, a stable-baselines3 algorithm with `probabilities` and `observe`.

    Raises:
        ConfigError: for an unknown name or option, a value out of range, or an action space it cannot play.
    """
    cls = class_of(name)
    known = cls.options()
    for option in options:
        if option not in known:
            raise ConfigError(f"agent {name}: unknown option {option!r}; it has: {', '.join(known) or 'none'}")
    return cls(env=env, seed=seed, **options)


def load(name: str, path: str | Path, env: "gym.Env[Any, Any] | VecEnv | None" = None) -> "Agent":
    """Load what `agent.save(path)` wrote, by the name that it was made by.

    Raises:
        ConfigError: for an unknown name, or a file that is missing or of another agent.
    """
    cls = class_of(name)
    if not Path(path).is_file() and not Path(f"{path}.zip").is_file():
        raise ConfigError(f"path: no saved agent at {path}")
    return cls.load(path, env=env)


def check_file(name: str, path: str | Path) -> None:
    """See that a file is one that an agent of this name saved; an agent with files of its own is not looked at.

    Raises:
        ConfigError: as `load`.
    """
    cls: Any = class_of(name)
    reads = next(base for base in cls.__mro__ if "load" in vars(base))
    if "check_file" in vars(reads):
        cls.check_file(path)


def options_of(name: str) -> tuple[str, ...]:
    """The options that `make(name, ...)` takes."""
    return class_of(name).options()


def class_of(name: str) -> "type[Agent]":
    """The class behind a name or `module:Class`, imported now.

    Raises:
        ConfigError: as `entry`.
    """
    from curriculum_rl.agents.kinds import agent_class

    return agent_class(entry(name).target)
