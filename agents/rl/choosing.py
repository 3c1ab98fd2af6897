"""Which policy reads an env's observations."""

from collections.abc import Mapping
from typing import Any

from gymnasium import spaces as gym_spaces

from curriculum_rl.agents.rl.sets import is_two_part
from curriculum_rl.agents.shell import spaces
from curriculum_rl.errors import ConfigError

EQUIVARIANT = "EquivariantPolicy"
_READ_ARRAYS = ("MlpPolicy", "CnnPolicy", "TanhPolicy")
_READ_PARTS = ("MultiInputPolicy", "MultiInputTanhPolicy", EQUIVARIANT)


def policy_for(env: Any, known: Mapping[str, Any]) -> Any:
    """The equivariant one for observations in two parts, else the one of stable-baselines3.

    Args:
        env: with spaces, or None.
        known: an algorithm's policies by name.
    """
    space = getattr(env, "observation_space", None)
    if space is not None and is_two_part(space, spaces.arms(env.action_space)):
        return known[EQUIVARIANT]
    return "MultiInputPolicy" if isinstance(space, gym_spaces.Dict) else "MlpPolicy"


def check_policy(policy: Any, env: Any, known: Mapping[str, Any]) -> None:
    """See that a policy given by name exists and reads the env's observations.

    Raises:
        ConfigError: where it does not.
    """
    if not isinstance(policy, str):
        return
    if policy not in known:
        raise ConfigError(f"policy: {policy!r} is not one of {', '.join(known)}")
    parts = isinstance(getattr(env, "observation_space", None), gym_spaces.Dict)
    if env is not None and policy in (_READ_ARRAYS if parts else _READ_PARTS):
        kind = "a Dict" if parts else "one array"
        raise ConfigError(f"policy: {policy!r} cannot read observations that are {kind} (the key `observation`)")
