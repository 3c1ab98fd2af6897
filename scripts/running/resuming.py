"""Checkpoints of an interrupted run: agent, environment, random state and place in the logs."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from curriculum_rl.agents.rl import buffers
from curriculum_rl.errors import ConfigError
from curriculum_rl.recording import checkpoints

FOLDER = "checkpoint"


@dataclass(frozen=True)
class Checkpoint:
    """What `save` wrote.

    Attributes:
        agent: the file that the agent is loaded from.
        state: of everything else.
    """

    agent: Path
    state: dict[str, Any]

    @property
    def caller(self) -> dict[str, Any]:
        """The caller's own part."""
        own: dict[str, Any] = self.state["caller"]
        return own


def has_rollouts(agent: Any) -> bool:
    """Whether an agent collects rollouts and learns between them, as stable-baselines3's do.

    Such an agent can be continued exactly from the start of a rollout only: PPO's buffer is empty then, and DQN's holds
    what the last step showed.
    """
    return hasattr(agent, "rollout_buffer") or _replay(agent) is not None


def save(directory: Path, agent: Any, env: Any, observation: Any, starts: Any, state: dict[str, Any]) -> None:
    """Write all that an exact continuation needs; the older checkpoint stays until the new one is whole.

    Args:
        directory: the run directory.
        agent: saved by its own `save`.
        env: the VecEnv; its environments' `get_state` is kept.
        observation: what the agent would look at next.
        starts: which replicas begin an episode with it.
        state: the caller's own.
    """
    new, folder = directory / f".{FOLDER}", directory / FOLDER
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir()
    agent.save(new / "agent.zip")
    tree = {
        "env": env.env_method("get_state")[0],
        "observation": observation,
        "starts": np.asarray(starts),
        "torch": torch.get_rng_state(),
        "numpy": list(np.random.get_state()),  # noqa: NPY002 (stable-baselines3 draws from it)
        "replay": _replay_state(agent),
        "caller": state,
    }
    checkpoints.write(new, tree)
    shutil.rmtree(folder, ignore_errors=True)
    new.rename(folder)


def exists(directory: Path) -> bool:
    """Whether a run directory holds a checkpoint."""
    return checkpoints.exists(directory / FOLDER)


def read(directory: Path) -> Checkpoint:
    """The checkpoint of a run directory.

    Raises:
        ConfigError: if there is none.
    """
    if not exists(directory):
        raise ConfigError(f"--resume: {directory} holds no checkpoint; train again with --overwrite")
    return Checkpoint(directory / FOLDER / "agent.zip", checkpoints.read(directory / FOLDER))


def restore(checkpoint: Checkpoint, agent: Any) -> None:
    """Put a loaded agent and its environment where the checkpoint was taken."""
    state = checkpoint.state
    env = agent.env
    env.reset()  # SB3's Monitor wants one before its first step
    env.env_method("set_state", state["env"])
    agent._last_obs = state["observation"]
    agent._last_episode_starts = state["starts"].astype(bool)
    torch.set_rng_state(state["torch"])
    name, keys, place, has_gauss, gauss = state["numpy"]
    np.random.set_state((name, keys, place, has_gauss, gauss))  # noqa: NPY002
    _restore_replay(agent, state["replay"])


def clear(directory: Path) -> None:
    """Remove the checkpoint of a run that is finished."""
    shutil.rmtree(directory / FOLDER, ignore_errors=True)


def _replay(agent: Any) -> Any:
    return getattr(agent, "replay_buffer", None)


def _replay_state(agent: Any) -> dict[str, Any] | None:
    buffer = _replay(agent)
    return None if buffer is None else buffers.describe(buffer)


def _restore_replay(agent: Any, state: dict[str, Any] | None) -> None:
    """Fill the buffer of a loaded agent, which is empty."""
    if state is not None:
        buffers.restore(_replay(agent), state)
