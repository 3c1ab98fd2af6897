"""The stable-baselines3 callback that joins what the env shows with what the agent thought, and keeps checkpoints."""

import os
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from stable_baselines3.common.callbacks import BaseCallback

from curriculum_rl.infos import SegmentInfo
from curriculum_rl.recording.recorder import Recorder
from curriculum_rl.scripts.running import resuming
from curriculum_rl.scripts.running.progress import Progress

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
        self._seconds: dict[str, float] = {}
        self._before: dict[str, float] = {}
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
        infos, done = self.locals["infos"], bool(self.locals["dones"][0])
        # Between two steps of the env there are this callback and the agent.
        self._spent["agent"] += max(0.0, self.training_env.get_attr("outside")[0] - self._callback)
        now = self.training_env.get_attr("seconds")[0]
        self._seconds = {clock: now[clock] + self._before.get(clock, 0.0) for clock in now} | self._spent
        rows = self._rows(infos)
        for row in rows:
            self._recorder.record(row)
        self._progress.update(rows[0], self.num_timesteps)
        self.last = rows[0]
        self.position["segment"] += 1
        if done:
            self._end_episodes(infos)
        if not resuming.has_rollouts(self.model) and (self.interrupted or self._due()) and not done:
            self._checkpoint(self.locals["new_obs"], self.locals["dones"])
        self._callback = time.perf_counter() - begun
        self._spent["logging"] += self._callback
        enough = self._stop_after is not None and self.position["episode"] >= self._stop_after
        return not self.interrupted and not enough

    def _probabilities(self) -> Any:
        """What the agent executed; an agent that does not say is asked with the observation it saw."""
        executed = self.locals.get("probabilities")
        return self.model.probabilities(self.model._last_obs) if executed is None else executed  # type: ignore[attr-defined]

    def _rows(self, infos: list[SegmentInfo]) -> list[dict[str, Any]]:
        actions = np.asarray(self.locals.get("clipped_actions", self.locals["actions"]))
        probabilities = np.asarray(self._probabilities())
        return [self._row(n, info, actions[n], probabilities[n]) for n, info in enumerate(infos)]

    def _row(self, replica: int, info: SegmentInfo, action: Any, probabilities: Any) -> dict[str, Any]:
        return {
            "segment": self.position["segment"],
            "episode": self.position["episode"] + replica,
            "replica": replica,
            "tokens": self.position["tokens_before"] + info["tokens"],
            "updates": info["updates"],
            "action": _in_order(action, info).tolist(),
            "probabilities": _in_order(probabilities, info).tolist(),
            "mixture": info["mixture"].tolist(),
            "share": info["share"].tolist(),
            "gain": info["gain"],
            "reward": float(self.locals["rewards"][replica]),
            "score": info["score"],
            "loss": info["loss"],
            "task_losses": info["task_losses"].tolist(),
            "learning_rate": info["learning_rate"],
            "failed": info["failed"],
            **({"inner_drop": info["inner_drop"]} if "inner_drop" in info else {}),
            "budget_left": info["budget_left"],
            "ledger": info["ledger"],
            "seconds": self._seconds,
        }

    def _end_episodes(self, infos: list[SegmentInfo]) -> None:
        for info in infos:
            self.finals.append({**info["final"], "score": info["score"], "share": info["share"].tolist()})
        self.position["episode"] += len(infos)
        self.position["tokens_before"] += infos[0]["tokens"]
        self._before = {clock: self._seconds[clock] for clock in self._seconds if clock not in self._spent}

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


def _in_order(chosen: Any, info: SegmentInfo) -> npt.NDArray[Any]:
    """A task number or a value per task in the order of the tasks, whatever order the agent saw them in."""
    given: npt.NDArray[Any] = np.asarray(chosen)
    order: npt.NDArray[np.int64] | None = info.get("order")
    if order is None:
        return given
    if given.ndim == 0:
        return np.asarray(order[int(given)])
    placed: npt.NDArray[Any] = np.empty_like(given)
    placed[order] = given
    return placed
