"""What a checkpoint of a run holds, agent, environment, random state and place in the logs, and how it is put back."""

from collections import deque
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from stable_baselines3.common.vec_env import VecMonitor, unwrap_vec_wrapper

from curriculum_rl.agents.rl import buffers
from curriculum_rl.durable import naming
from curriculum_rl.recording import states
from curriculum_rl.recording.checkpoints import Checkpoints, Found, NoSoundCheckpointError
from curriculum_rl.recording.rows import Place, check_place

AGENT = "agent.zip"


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint that a run goes on from.

    Attributes:
        agent: the file that the agent is loaded from.
        state: of everything else, as `Draft` took it.
        place: in `segments.jsonl`.
    """

    agent: Path
    state: dict[str, Any]
    place: Place

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
    return has_long_rollouts(agent) or _replay(agent) is not None


def has_long_rollouts(agent: Any) -> bool:
    """Whether rollouts take so long that nobody waits for the end of one, as PPO's."""
    return hasattr(agent, "rollout_buffer")


class Draft:
    """All that an exact continuation needs, as it is now; the run may go on before it is committed.

    Args:
        kept: the run's checkpoints.
        agent: saved by its own `save`.
        env: the VecEnv; its environments' `get_state` is kept.
        observation: what the agent would look at next.
        starts: which replicas begin an episode with it.
        state: the caller's own.
        place: in `segments.jsonl`, which is on the disk so far.
    """

    def __init__(
        self,
        kept: Checkpoints,
        agent: Any,
        env: Any,
        observation: Any,
        starts: Any,
        state: dict[str, Any],
        place: Place,
    ) -> None:
        self._kept = kept
        self._folder = kept.draft()
        with naming(self._folder / AGENT):
            agent.save(self._folder / AGENT)
        environment = env.env_method("get_state")[0]
        self._about = {
            "segments": asdict(place),
            "timesteps": agent.num_timesteps,
            "shards": len(environment["replicas"].get("shards", [0])),
        }
        monitor = unwrap_vec_wrapper(env, VecMonitor)
        self._state = states.copied(
            {
                "env": environment,
                "told": list(env.unwrapped.reset_infos),
                "monitor": None if monitor is None else [monitor.episode_returns, monitor.episode_lengths],
                "observation": observation,
                "starts": np.asarray(starts),
                "torch": torch.get_rng_state(),
                "numpy": list(np.random.get_state()),  # noqa: NPY002 (stable-baselines3 draws from it)
                "replay": _replay_state(agent),
                "episodes": _columns(agent.ep_info_buffer or ()),
                "caller": state,
            }
        )

    def commit(self) -> None:
        """Make it the newest checkpoint; until then nothing has changed."""
        states.write(self._folder, self._state)
        self._kept.commit(self._about)


def find(kept: Checkpoints, segments: Path) -> Found | None:
    """The checkpoint that a run can go on from; None where there is none, nor any row. Nothing is changed.

    Raises:
        ConfigError: where there are rows and none is sound, or `segments` lacks rows that were there when it was taken.
    """
    try:
        found = kept.find()
    except NoSoundCheckpointError:
        if segments.exists() and segments.stat().st_size:
            raise
        return None  # nothing is lost by beginning anew
    if found is not None:
        check_place(segments, Place(**found.about["segments"]))
    return found


def read(found: Found) -> Checkpoint:
    """What was committed."""
    place = Place(**found.about["segments"])
    return Checkpoint(found.folder / AGENT, states.read(found.folder), place)


def restore(checkpoint: Checkpoint, agent: Any) -> None:
    """Put a loaded agent and its environment where the checkpoint was taken."""
    state = checkpoint.state
    env = agent.env
    env.reset()  # SB3's Monitor wants one before its first step
    env.env_method("set_state", state["env"])
    env.unwrapped.reset_infos = state["told"]
    monitor = unwrap_vec_wrapper(env, VecMonitor)
    if monitor is not None and state["monitor"] is not None:
        monitor.episode_returns, monitor.episode_lengths = state["monitor"]
    agent._last_obs = state["observation"]
    agent._last_episode_starts = state["starts"].astype(bool)
    agent.ep_info_buffer = deque(_entries(state["episodes"]), maxlen=agent._stats_window_size)
    agent.ep_success_buffer = deque(maxlen=agent._stats_window_size)
    torch.set_rng_state(state["torch"])
    name, keys, place, has_gauss, gauss = state["numpy"]
    np.random.set_state((name, keys, place, has_gauss, gauss))  # noqa: NPY002
    _restore_replay(agent, state["replay"])


def _columns(episodes: Any) -> dict[str, Any]:
    """What stable-baselines3 remembers of recent episodes: an array per key, so that the types stay."""
    return {key: np.array([one[key] for one in episodes]) for key in (episodes[0] if episodes else ())}


def _entries(columns: dict[str, Any]) -> list[dict[str, Any]]:
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _replay(agent: Any) -> Any:
    return getattr(agent, "replay_buffer", None)


def _replay_state(agent: Any) -> dict[str, Any] | None:
    buffer = _replay(agent)
    return None if buffer is None else buffers.describe(buffer)


def _restore_replay(agent: Any, state: dict[str, Any] | None) -> None:
    """Fill the buffer of a loaded agent, which is empty."""
    if state is not None:
        buffers.restore(_replay(agent), state)
