"""Files of stable-baselines3, whose settings are pickled: the one module that reads them, and one that runs code."""

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.buffers import DictReplayBuffer, DictRolloutBuffer, ReplayBuffer, RolloutBuffer
from stable_baselines3.common.noise import NormalActionNoise, VectorizedActionNoise
from stable_baselines3.common.save_util import load_from_zip_file

from curriculum_rl.agents.rl import files, members, networks
from curriculum_rl.agents.saving import archive
from curriculum_rl.agents.shell import spaces
from curriculum_rl.agents.table import class_of
from curriculum_rl.durable import write_atomically
from curriculum_rl.errors import ConfigError

# Members by which the algorithm is known, the first that is there.
_KNOWN_BY = MappingProxyType(
    {"smoothing": "ac-odm", "policy_delay": "td3", "target_entropy": "sac", "exploration_rate": "dqn",
     "clip_range": "ppo", "gae_lambda": "a2c"}
)  # fmt: skip
_BUFFERS = (None, RolloutBuffer, DictRolloutBuffer, ReplayBuffer, DictReplayBuffer)


def read(path: Path, name: str | None = None) -> Any:
    """Make an agent of a file of stable-baselines3's `save`. Whatever code the file holds is run.

    Args:
        path: the file.
        name: of the agent; None: of its algorithm.

    Raises:
        ConfigError: where it is no such file, or holds what agents here do not have.
    """
    with archive.reading(path):
        cls: Any = class_of(name or _algorithm(path))
        try:
            data, states, tensors = load_from_zip_file(path, device="cpu")
        except Exception as error:  # the code of the file may raise anything
            raise ValueError(f"stable-baselines3 cannot read it: {type(error).__name__}: {error}") from error
        return _made(cls, data or {}, {"states": states, "tensors": tensors or {}})


def write(agent: Any, path: Path) -> None:
    """Write an agent with a network as stable-baselines3 does, pickled settings and all; its `load` reads the file.

    Raises:
        ConfigError: where the agent has no network.
    """
    if not hasattr(agent, "defaults"):
        raise ConfigError(f"agent: {type(agent).__name__} has no network; stable-baselines3 has no such agent")
    buffer = io.BytesIO()
    BaseAlgorithm.save(agent, buffer)
    write_atomically(path, buffer.getvalue())


def _algorithm(path: Path) -> str:
    """The name of the agent whose algorithm wrote a file, by the names of its members; nothing is unpickled."""
    with zipfile.ZipFile(path) as archive_:
        there = json.loads(archive_.read("data"))
    found = [name for member, name in _KNOWN_BY.items() if member in there]
    if not found:
        raise ValueError("it is of no algorithm known here; --agent says of which")
    return found[0]


def _made(cls: Any, data: dict[str, Any], parameters: dict[str, Any]) -> Any:
    networks.check_policy_class(data["policy_class"], cls.policy_aliases)
    agent = cls(data["policy_class"], device="cpu", _init_setup_model=False)
    networks.with_classes(data["policy_kwargs"])  # before they are only names
    there = {name: value for name, value in data.items() if name in {*vars(agent), "n_envs"}}
    _check_made_anew(there)
    values = members.describe(there, ())
    if "noise" in vars(agent) and "noise" not in data:
        values["noise"] = _noise(data.get("action_noise"))
    if "_entropy_per_task" in vars(agent) and "_entropy_per_task" not in data:
        values["_entropy_per_task"] = data["target_entropy"] == -spaces.arms(data["action_space"])
    content = {"members": values, "parameters": parameters}
    return files.rebuild(agent, content, {name: data[name] for name in ("observation_space", "action_space")})


def _check_made_anew(data: Mapping[str, Any]) -> None:
    """See that buffers are those that agents here make anew.

    Raises:
        ValueError: naming the one that is not.
    """
    for name in ("rollout_buffer_class", "replay_buffer_class"):
        if data.get(name) not in _BUFFERS:
            raise ValueError(f"{name}: agents here have no {data[name].__name__}")


def _noise(found: Any) -> float:
    """The one standard deviation of the noise of TD3's actions.

    Raises:
        ValueError: where there is no one.
    """
    if isinstance(found, VectorizedActionNoise):
        found = found.base_noise
    if found is None:
        return 0.0
    if type(found) is not NormalActionNoise or np.any(found._mu) or len(set(found._sigma)) != 1:
        raise ValueError(f"action_noise: {found} is not the same normal noise for every task, with mean 0")
    return float(found._sigma[0])
