"""A run that is continued from a checkpoint is the run that was never stopped, replay buffers included."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import VecMonitor

from curriculum_rl.agents import AGENTS, load, make
from curriculum_rl.envs.stable_baselines import make_sb3_vec_env
from curriculum_rl.scripts.running import resuming

QUICK: dict[str, Any] = {"learning_starts": 8, "batch_size": 8, "gradient_steps": 1}
OPTIONS: dict[str, dict[str, Any]] = {
    "a2c": {"n_steps": 4},
    "dqn": {**QUICK, "buffer_size": 24, "target_update_interval": 4},
    "sac": {**QUICK, "buffer_size": 200},
    "td3": {**QUICK, "buffer_size": 24},
    "ac-odm": QUICK,
}


class Keeper(BaseCallback):
    """Keeps what was played, and a checkpoint at a given number of segments."""

    def __init__(self, directory: Path | None, at: int = 0) -> None:
        super().__init__()
        self._directory, self._at = directory, at
        self.rows: list[Any] = []

    def _on_rollout_start(self) -> None:
        model: Any = self.model
        if self._directory is not None and self.num_timesteps == self._at:
            found = model._last_obs, model._last_episode_starts
            resuming.save(self._directory, model, self.training_env, *found, {"rows": len(self.rows)})

    def _on_step(self) -> bool:
        found = self.locals
        scores = [info["score"] for info in found["infos"]]
        self.rows.append((np.array(found["actions"]), np.array(found["probabilities"]), scores))
        return True


def environment(tiny: dict[str, Any], name: str) -> Any:
    kind = "mixture" if AGENTS[name].action == "mixture" else "task"
    overrides = {"observation": "dict", "action.permute": True, "action.kind": kind}
    return VecMonitor(make_sb3_vec_env(tiny, num_envs=2, downstream=False, overrides=overrides))


@pytest.mark.parametrize(("name", "at"), [(name, 16) for name in OPTIONS] + [("dqn", 4), ("dqn", 32)])
def test_a_continued_run_is_the_whole_run(tiny: dict[str, Any], tmp_path: Path, name: str, at: int) -> None:
    whole = Keeper(tmp_path, at)
    agent: Any = make(name, environment(tiny, name), seed=5, **OPTIONS[name]).learn(48, whole)
    env = environment(tiny, name)
    checkpoint = resuming.read(tmp_path)
    again: Any = load(name, checkpoint.agent, env=env)
    resuming.restore(checkpoint, again)
    assert again.num_timesteps == at
    rest = Keeper(None)
    again.learn(48 - at, rest, reset_num_timesteps=False)
    expected = whole.rows[checkpoint.caller["rows"] :]
    assert len(rest.rows) == len(expected) == (48 - at) // 2
    for found, kept in zip(rest.rows, expected, strict=True):
        assert found[0] == pytest.approx(kept[0], abs=1e-5)
        assert found[1] == pytest.approx(kept[1], abs=1e-5)
        assert found[2] == pytest.approx(kept[2], abs=1e-5)
    if resuming.has_rollouts(agent) and hasattr(agent, "replay_buffer"):
        assert np.allclose(again.replay_buffer.rewards, agent.replay_buffer.rewards, atol=1e-3)
        assert again.replay_buffer.pos == agent.replay_buffer.pos
