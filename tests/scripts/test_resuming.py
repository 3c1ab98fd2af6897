"""A run that is continued from a checkpoint is the run that was never stopped, replay buffers included."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import VecMonitor

from curriculum_rl.agents import AGENTS, load, make
from curriculum_rl.envs.stable_baselines import make_sb3_vec_env
from curriculum_rl.recording.checkpoints import Checkpoints
from curriculum_rl.recording.rows import Place
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

    def __init__(self, kept: Checkpoints | None, at: int = 0) -> None:
        super().__init__()
        self._kept, self._at = kept, at
        self.rows: list[Any] = []
        self._draft: resuming.Draft | None = None

    def _on_rollout_start(self) -> None:
        model: Any = self.model
        if self._kept is not None and self.num_timesteps == self._at:
            seen = model._last_obs, model._last_episode_starts
            state, place = {"rows": len(self.rows)}, Place(0, 0, "", 0)
            self._draft = resuming.Draft(self._kept, model, self.training_env, *seen, state, place)

    def _on_rollout_end(self) -> None:
        # What was noted at the beginning is what is kept, wherever the run has got to.
        if self._draft is not None:
            self._draft.commit()
            self._draft = None

    def _on_step(self) -> bool:
        found = self.locals
        scores = [info["score"] for info in found["infos"]]
        self.rows.append((np.array(found["actions"]), np.array(found["probabilities"]), scores))
        return True


def environment(tiny: dict[str, Any], name: str) -> Any:
    kind = "mixture" if AGENTS[name].action == "mixture" else "task"
    overrides = {"observation": "dict", "action.permute": True, "action.kind": kind}
    return VecMonitor(make_sb3_vec_env(tiny, num_envs=2, downstream=False, overrides=overrides))


@pytest.mark.parametrize(
    ("name", "at"), [(name, 16) for name in OPTIONS] + [("dqn", 4), ("dqn", 32), ("a2c", 0), ("dqn", 0)]
)
def test_a_continued_run_is_the_whole_run(tiny: dict[str, Any], tmp_path: Path, name: str, at: int) -> None:
    whole = Keeper(Checkpoints(tmp_path), at)
    agent: Any = make(name, environment(tiny, name), seed=5, **OPTIONS[name]).learn(48, whole)
    env = environment(tiny, name)
    found = Checkpoints(tmp_path).find()
    assert found is not None and found.about["timesteps"] == at
    checkpoint = resuming.read(found)
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
