"""The one table of agent names: what exists, what it needs, and how it is made; light, so that `--help` is fast."""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from curriculum_rl.errors import ConfigError

if TYPE_CHECKING:
    import gymnasium as gym
    from stable_baselines3.common.vec_env import VecEnv

    from curriculum_rl.agents.protocol import Agent


@dataclass(frozen=True)
class AgentEntry:
    """One line of the table.

    Attributes:
        name: what a user types.
        target: "module:Class", imported only when the agent is made.
        protocol: "online" agents learn inside their one run; "pretrained" ones over many runs, before they are used.
        action: the action space it plays, "task" (Discrete), "mixture" (Box) or "any" (a pick is one-hot in a Box).
        needs_reward: whether the proxy must be paid for; where False its cost is only reported.
        summary: one line for `curriculum-rl list agents`.
        num_envs: how many replicas `curriculum-rl train` gives it by default.
        env: settings of the environment, by dotted key, that `curriculum-rl train` chooses for it where the user has
            not chosen.
    """

    name: str
    target: str
    protocol: Literal["online", "pretrained"]
    action: Literal["task", "mixture", "any"]
    needs_reward: bool
    summary: str
    num_envs: int = 1
    env: Mapping[str, Any] = field(default_factory=dict)


# What is learned over many runs must not hang on a task's number, and is paid for what it adds to stratified.
_POLICY_ENV = MappingProxyType({"observation": "dict", "action.permute": True, "reward.baseline": "stratified"})
_FIXED = "curriculum_rl.agents.fixed"
_BANDITS = "curriculum_rl.agents.bandits.agents"

AGENTS: Mapping[str, AgentEntry] = MappingProxyType(
    {
        entry.name: entry
        for entry in (
            AgentEntry(
                "stratified", f"{_FIXED}:Stratified", "online", "mixture", False, "every batch holds all tasks equally"
            ),
            AgentEntry("round-robin", f"{_FIXED}:RoundRobin", "online", "any", False, "one task after the other"),
            AgentEntry("random", f"{_FIXED}:Random", "online", "any", False, "a task at random, each as likely"),
            AgentEntry("fixed", f"{_FIXED}:Fixed", "online", "any", False, "always the same task (option: task)"),
            AgentEntry(
                "exp3s", f"{_BANDITS}:Exp3SAgent", "online", "any", True, "EXP3.S: exponential weights that forget"
            ),
            AgentEntry(
                "sw-ucb", f"{_BANDITS}:SlidingWindowUCBAgent", "online", "any", True, "UCB over a sliding window"
            ),
            AgentEntry(
                "d-ts", f"{_BANDITS}:DiscountedThompsonAgent", "online", "any", True, "discounted Gaussian Thompson"
            ),
            AgentEntry(
                "ppo",
                "curriculum_rl.agents.rl.ppo:PPO",
                "pretrained",
                "any",
                True,
                "PPO, trained over many runs",
                num_envs=32,
                env=_POLICY_ENV,
            ),
        )
    }
)


def make(name: str, env: "gym.Env[Any, Any] | VecEnv | str | None", *, seed: int | None = 0, **options: Any) -> "Agent":
    """Make an agent by name.

    Args:
        name: a key of `AGENTS`.
        env: what it plays: a Gymnasium environment, a stable-baselines3 VecEnv, or an id.
        seed: of the agent's draws and the env's resets; None draws one from the system.
        **options: the agent's own settings; `options_of(name)` lists them.

    Returns:
        An agent, a stable-baselines3 algorithm with `probabilities` and `observe`.

    Raises:
        ConfigError: for an unknown name or option, a value out of range, or an action space it cannot play.
    """
    cls = _class_of(name)
    known = cls.options()
    for option in options:
        if option not in known:
            raise ConfigError(f"agent {name}: unknown option {option!r}; it has: {', '.join(known) or 'none'}")
    return cls(env=env, seed=seed, **options)


def load(name: str, path: str | Path, env: "gym.Env[Any, Any] | VecEnv | None" = None) -> "Agent":
    """Load what `agent.save(path)` wrote.

    Raises:
        ConfigError: for an unknown name, or a file that is missing or of another agent.
    """
    cls = _class_of(name)
    if not Path(path).is_file() and not Path(f"{path}.zip").is_file():
        raise ConfigError(f"path: no saved agent at {path}")
    return cls.load(path, env=env)


def options_of(name: str) -> tuple[str, ...]:
    """The options that `make(name, ...)` takes."""
    return _class_of(name).options()


def _class_of(name: str) -> "type[Agent]":
    if name not in AGENTS:
        raise ConfigError(f"agent: unknown name {name!r}; there are: {', '.join(AGENTS)}")
    module, _, attribute = AGENTS[name].target.partition(":")
    cls: type[Agent] = getattr(importlib.import_module(module), attribute)
    return cls
