"""Which members of a stable-baselines3 algorithm a file holds, and why it need not hold the others."""

import math
from collections import deque
from collections.abc import Collection, Mapping
from numbers import Integral, Real
from types import MappingProxyType
from typing import Any

import numpy as np
from stable_baselines3.common.type_aliases import TrainFreq, TrainFrequencyUnit

from curriculum_rl.agents.rl import networks, schedules
from curriculum_rl.agents.rl.options import settings_of
from curriculum_rl.agents.rule import check
from curriculum_rl.agents.saving import tree

_OF_POLICY = "a part of the policy, whose parameters are in the file"
_OF_LEARN = "made anew by every call of learn"
_SEEN = "what the env showed last: a checkpoint has it, and else the env is reset"
_STATISTICS = "parts of the networks' states, which are in the file"

REBUILT: Mapping[str, str] = MappingProxyType(
    {
        "policy": "made of its class, policy_kwargs and the spaces; its parameters are in the file",
        "policy_class": "in the file by name",
        "observation_space": "in the file as numbers",
        "action_space": "in the file as numbers; nothing draws from its own random stream",
        "algorithm": "in the file as the agent's name",
        "device": "said by whoever loads it",
        "env": "given by whoever loads it",
        "_vec_normalize_env": "a part of env",
        "tensorboard_log": "a place on the machine that wrote the file",
        "rollout_buffer": "empty wherever an agent is saved to be continued",
        "rollout_buffer_class": "follows from the observations",
        "replay_buffer": "in checkpoints",
        "replay_buffer_class": "follows from the observations",
        "lr_schedule": "follows from learning_rate",
        "exploration_schedule": "follows from the three options of exploration",
        "action_noise": "follows from noise",
        "ent_coef_optimizer": "its state is in the file",
        "log_ent_coef": "in the file beside the parameters",
        "ent_coef_tensor": "in the file beside the parameters",
        "q_net": _OF_POLICY,
        "q_net_target": _OF_POLICY,
        "actor": _OF_POLICY,
        "actor_target": _OF_POLICY,
        "critic": _OF_POLICY,
        "critic_target": _OF_POLICY,
        "batch_norm_stats": _STATISTICS,
        "batch_norm_stats_target": _STATISTICS,
        "actor_batch_norm_stats": _STATISTICS,
        "actor_batch_norm_stats_target": _STATISTICS,
        "critic_batch_norm_stats": _STATISTICS,
        "critic_batch_norm_stats_target": _STATISTICS,
        "_logger": _OF_LEARN,
        "_custom_logger": _OF_LEARN,
        "_callback": _OF_LEARN,
        "_executed": "of the decision in progress",
        "_last_obs": _SEEN,
        "_last_episode_starts": _SEEN,
        "_last_original_obs": _SEEN,
    }
)
"""Members that no file holds, and why an agent that is loaded has them all the same."""

_SCHEDULES = ("learning_rate", "clip_range", "clip_range_vf")
_EPISODES = ("ep_info_buffer", "ep_success_buffer")
_SEED = MappingProxyType({"least": 0, "below": 2**32, "whole": True})
_WHERE_GIVEN: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {"seed": _SEED, "target_kl": {"above": 0}, "n_envs": {"least": 1, "most": 2**16, "whole": True}}
)


def describe(members: Mapping[str, Any], left_out: Collection[str]) -> dict[str, Any]:
    """The members that a file holds, as values that it can hold.

    Args:
        members: by name, of an algorithm.
        left_out: names that are left out besides those of `REBUILT`.

    Raises:
        TypeError: naming a member that no file can hold.
    """
    described = {}
    for name, value in members.items():
        if name not in REBUILT and name not in left_out:
            try:
                described[name] = _described(name, value)
                tree.encode(described[name], {})
            except TypeError as error:
                raise TypeError(f"{name}: {error}") from None
    return described


def _described(name: str, value: Any) -> Any:
    if name == "policy_kwargs":
        return networks.with_names(value)
    if name in _SCHEDULES:
        return schedules.describe(value)
    if isinstance(value, deque):
        return list(value)
    if isinstance(value, TrainFreq):
        if value.unit is not TrainFrequencyUnit.STEP:
            raise TypeError("gradient steps after whole episodes are no option here")
        return value.frequency
    return value


def from_description(agent: Any, described: Mapping[str, Any]) -> dict[str, Any]:
    """The members that `describe` described, checked against an agent of their class that is not set up.

    Raises:
        ValueError: naming a member that no such agent has, or whose value is none that it could have.
    """
    made = {}
    for name, value in described.items():
        if name in REBUILT or not name.isidentifier() or hasattr(type(agent), name):
            raise ValueError(f"{name} is no member that a file holds")
        try:
            made[name] = _checked(agent, name, value)
        except TypeError as error:
            raise ValueError(f"{name}: {error}") from None
    window = made.get("_stats_window_size", agent._stats_window_size)
    for name in _EPISODES:
        if made.get(name) is not None:
            made[name] = deque(made[name], maxlen=window)
    return made


def _checked(agent: Any, name: str, value: Any) -> Any:
    if name == "policy_kwargs":
        return networks.with_classes(value)
    if name in _SCHEDULES:
        value = schedules.from_description(value)
    if name in _EPISODES:
        return None if value is None else [_episode(each) for each in value]
    if name in agent.defaults:
        return settings_of(type(agent).__name__, agent.defaults, {name: value})[name]
    if name == "use_sde" and value is not False:
        raise ValueError("use_sde: agents here do not explore so")
    if name in _WHERE_GIVEN:
        if value is not None:
            check(name, value, **_WHERE_GIVEN[name])
    elif name == "_aligned":
        if value is not None and not (isinstance(value, np.ndarray) and value.ndim == 2 and value.dtype == np.float64):
            raise ValueError("_aligned: must be an array of a number for each replica and task")
    elif name == "clip_range_vf":
        if value is not None:
            schedules.check_schedule(name, value, {"above": 0})
    elif name in vars(agent):
        _check_kind(name, value, vars(agent)[name])
    return value


def _check_kind(name: str, value: Any, usual: Any) -> None:
    """See that a value is of the kind that a new agent has there; None stands for any."""
    if isinstance(usual, bool) or usual is None or not isinstance(usual, Real):
        if usual is not None and not isinstance(value, type(usual)):
            raise ValueError(f"{name}: {value!r} must be of type {type(usual).__name__}")
        return
    if not isinstance(value, Real) or isinstance(value, bool) or (math.isfinite(usual) and not math.isfinite(value)):
        raise ValueError(f"{name}: {value!r} must be a number")
    if isinstance(usual, Integral):
        check(name, value, least=min(int(usual), 0), whole=True)


def _episode(value: Any) -> Any:
    """What stable-baselines3 keeps of an episode that ended: its figures by name, or whether it was a success."""
    figures = value.values() if isinstance(value, dict) else [value]
    if not all(isinstance(each, Real | np.bool_ | str) for each in figures):
        raise ValueError(f"{value!r} is nothing that an episode ends with")
    return value
