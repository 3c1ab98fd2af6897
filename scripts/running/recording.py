"""The stable-baselines3 callback that joins what the env shows with what the agent thought, and keeps checkpoints."""

import os
import signal
import threading
import time
from typing import Any

import numpy as np
import numpy.typing as npt
from stable_baselines3.common.callbacks import BaseCallback

from curriculum_rl.infos import SegmentInfo
from curriculum_rl.recording.checkpoints import Checkpoints
from curriculum_rl.recording.recorder import Recorder
from curriculum_rl.scripts.running import log, resuming
from curriculum_rl.scripts.running.progress import Progress

CHECKPOINT_SECONDS = float(os.environ.get("CURRICULUM_RL_CHECKPOINT_SECONDS", "60"))
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopped(KeyboardInterrupt):
    """A run was asked to stop, and did so between two rollouts, with a checkpoint."""


class Recording(BaseCallback):
    """Writes a row per segment, draws progress, keeps checkpoints, and stops at a segment's end on Ctrl-C or SIGTERM.

    The first checkpoint is taken after the first segment, or before it where the agent collects rollouts; then one
    every minute, and one where the run is stopped: at the end of the segment, or, of a rollout that takes long, at its
    beginning.

    Args:
        recorder: where rows go.
        progress: what a person watches.
        checkpoints: of the run; None: none are taken.
        episodes: stop after this many episodes; None: never.
        resumed: where the run goes on; None: it begins.

    Attributes:
        interrupted: whether the run was stopped before its end.
    """

    def __init__(
        self,
        recorder: Recorder,
        progress: Progress,
        checkpoints: Checkpoints | None,
        *,
        episodes: int | None,
        resumed: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self._recorder = recorder
        self._progress = progress
        self._checkpoints = checkpoints
        self._stop_after = episodes
        self._resumed = resumed
        self.position = resumed["position"] if resumed else {"segment": 0, "episode": 0, "tokens_before": 0}
        self.finals: list[dict[str, Any]] = list(resumed["finals"]) if resumed else []
        self.last: dict[str, Any] = {}
        self.interrupted = False
        self._asked = False
        self._draft: resuming.Draft | None = None
        self._spent = {"agent": 0.0, "logging": 0.0}
        self._callback = 0.0
        self._seconds: dict[str, float] = {}
        self._before: dict[str, float] = {}
        self.wall = 0.0
        self._saved_at = float("-inf")
        self._old_handlers: dict[int, Any] = {}

    def _on_training_start(self) -> None:
        if threading.current_thread() is threading.main_thread():  # others are never interrupted
            self._old_handlers = {number: signal.signal(number, self._ask) for number in _SIGNALS}
        if self._resumed:
            log.restore_log(self.model, self._resumed["log"])

    def _on_training_end(self) -> None:
        while self._old_handlers:
            signal.signal(*self._old_handlers.popitem())

    def _on_rollout_start(self) -> None:
        # An agent with a rollout buffer can only be continued exactly while the buffer is empty.
        if self._checkpoints is None or not resuming.has_rollouts(self.model):
            return
        if self._due() or self._asked or resuming.has_long_rollouts(self.model):
            self._take(self.model._last_obs, self.model._last_episode_starts)
        if self._due() or self._asked:
            self._keep()
        if self._asked:
            self.interrupted = True
            raise Stopped

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
        enough = self._stop_after is not None and self.position["episode"] >= self._stop_after
        if not enough:
            self._stop_or_keep()
        self._callback = time.perf_counter() - begun
        self._spent["logging"] += self._callback
        return not self.interrupted and not enough

    def _stop_or_keep(self) -> None:
        """Take a checkpoint where it is time, and see whether the run ends here; short rollouts are waited for."""
        if self._checkpoints is None:
            self.interrupted = self._asked
        elif not resuming.has_rollouts(self.model):
            self.interrupted = self._asked
            if self._asked or self._due():
                self._take(self.locals["new_obs"], self.locals["dones"])
                self._keep()
        elif self._asked and resuming.has_long_rollouts(self.model):
            self.interrupted = True
            self._keep()

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

    def _take(self, observation: Any, starts: Any) -> None:
        """Note all that a checkpoint holds, as it is now."""
        assert self._checkpoints is not None  # whoever calls has seen to it
        state = {"position": dict(self.position), "finals": self.finals, "log": log.log_state(self.model)}
        self._recorder.flush()
        where = self._recorder.place
        self._draft = resuming.Draft(
            self._checkpoints, self.model, self.training_env, observation, starts, state, where
        )

    def _keep(self) -> None:
        """Make the last note a checkpoint."""
        if self._draft is not None:
            self._recorder.sync()
            self._draft.commit()
            self._draft = None
            self._saved_at = time.monotonic()

    def _ask(self, *_: Any) -> None:
        if self._asked:
            raise KeyboardInterrupt
        self._asked = True


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
