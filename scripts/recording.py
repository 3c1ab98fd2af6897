"""The stable-baselines3 callback that joins what the env shows with what the agent thought, and keeps checkpoints."""

import os
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
from stable_baselines3.common.callbacks import BaseCallback

from curriculum_rl.recorder import Recorder
from curriculum_rl.scripts import resuming
from curriculum_rl.scripts.progress import Progress

CHECKPOINT_SECONDS = float(os.environ.get("CURRICULUM_RL_CHECKPOINT_SECONDS", "60"))


class Recording(BaseCallback):
    """Writes a row per segment, draws progress, keeps a checkpoint, and stops at a segment's end on Ctrl-C.

    Args:
        recorder: where rows go.
        progress: what a person watches.
        directory: the run directory, for checkpoints.
        episodes: stop after this many episodes; None: never.
        position: segments, episodes and tokens so far, of a run that is continued.
    """

    def __init__(
        self,
        recorder: Recorder,
        progress: Progress,
        directory: Path,
        *,
        episodes: int | None,
        position: dict[str, int] | None = None,
    ) -> None:
        super().__init__()
        self._recorder = recorder
        self._progress = progress
        self._directory = directory
        self._stop_after = episodes
        self.position = position or {"segment": 0, "episode": 0, "tokens_before": 0}
        self.finals: list[dict[str, Any]] = []
        self.last: dict[str, Any] = {}
        self.interrupted = False
        self._spent = {"agent": 0.0, "logging": 0.0}
        self._callback = 0.0
        self.wall = 0.0
        self._saved_at = time.monotonic()
        self._old_handler: Any = None

    def _on_training_start(self) -> None:
        self._old_handler = signal.signal(signal.SIGINT, self._interrupt)

    def _on_training_end(self) -> None:
        signal.signal(signal.SIGINT, self._old_handler)

    def _on_rollout_start(self) -> None:
        # An agent with a rollout buffer can only be continued exactly while the buffer is empty.
        if resuming.has_rollouts(self.model) and self.num_timesteps and self._due():
            self._checkpoint(self.model._last_obs, self.model._last_episode_starts)

    def _on_step(self) -> bool:
        begun = time.perf_counter()
        info, done = self.locals["infos"][0], bool(self.locals["dones"][0])
        # Between two steps of the env there are this callback and the agent.
        self._spent["agent"] += max(0.0, self.training_env.get_attr("outside")[0] - self._callback)
        row = self._row(info)
        self._recorder.record(row)
        self._progress.update(row, self.num_timesteps)
        self.last = row
        self.position["segment"] += 1
        if done:
            self._end_episode(info)
        if not resuming.has_rollouts(self.model) and (self.interrupted or self._due()) and not done:
            self._checkpoint(self.locals["new_obs"], self.locals["dones"])
        self._callback = time.perf_counter() - begun
        self._spent["logging"] += self._callback
        return not self.interrupted and self.position["episode"] != self._stop_after

    def _probabilities(self) -> Any:
        """What the agent executed; an agent that does not say is asked with the observation it saw."""
        executed = self.locals.get("probabilities")
        return self.model.probabilities(self.model._last_obs) if executed is None else executed  # type: ignore[attr-defined]

    def _row(self, info: dict[str, Any]) -> dict[str, Any]:
        action = self.locals.get("clipped_actions", self.locals["actions"])[0]
        return {
            "segment": self.position["segment"],
            "episode": self.position["episode"],
            "replica": 0,
            "tokens": self.position["tokens_before"] + info["tokens"],
            "updates": info["updates"],
            "action": np.asarray(action).tolist(),
            "probabilities": np.asarray(self._probabilities())[0].tolist(),
            "mixture": info["mixture"].tolist(),
            "share": info["share"].tolist(),
            "gain": info["gain"],
            "reward": float(self.locals["rewards"][0]),
            "score": info["score"],
            "loss": info["loss"],
            "task_losses": info["task_losses"].tolist(),
            "learning_rate": info["learning_rate"],
            "failed": info["failed"],
            "budget_left": info["budget_left"],
            "ledger": info["ledger"],
            "seconds": {**self.training_env.get_attr("seconds")[0], **self._spent},
        }

    def _end_episode(self, info: dict[str, Any]) -> None:
        self.finals.append({**info["final"], "score": info["score"], "share": info["share"].tolist()})
        self.position["episode"] += 1
        self.position["tokens_before"] += info["tokens"]

    def _due(self) -> bool:
        return time.monotonic() - self._saved_at > CHECKPOINT_SECONDS

    def _checkpoint(self, observation: Any, starts: Any) -> None:
        self._recorder.flush()
        state = {"position": dict(self.position), "finals": self.finals, "tokens": self.last.get("tokens", 0)}
        resuming.save(self._directory, self.model, self.training_env, observation, starts, state)
        self._saved_at = time.monotonic()

    def _interrupt(self, *_: Any) -> None:
        if self.interrupted:
            raise KeyboardInterrupt
        self.interrupted = True
