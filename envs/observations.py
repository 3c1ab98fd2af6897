"""What the agent sees: the same scale-free features for every task, and a few of the run; always finite.

Shape letters: N replicas, K tasks, F task features, G run features.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium import spaces

from curriculum_rl.pretraining.outcomes import Outcome
from curriculum_rl.pretraining.run import Pretraining

Floats = npt.NDArray[np.float64]
Features = npt.NDArray[np.float32]
Observation = Features | dict[str, Features]

TASK_FEATURES = ("loss", "slope", "share", "staleness", "gain", "repetitions", "divergence")
RUN_FEATURES = ("budget_left", "score", "score_slope", "learning_rate")
BOUND = 5.0


class Observer:
    """Keeps what the features need from segment to segment.

    Args:
        run: the run that is observed, after `begin`.
    """

    def __init__(self, run: Pretraining) -> None:
        experiment = run.experiment
        self._run = run
        shape = (len(run.seeds), len(experiment.tasks))
        self._log_vocabulary = np.log(experiment.tokenizer.vocab_size)
        self._windows = np.array([task.corpus.size(run.config.context) for task in experiment.tasks])
        self._divergence = np.broadcast_to(experiment.divergence, shape)
        self._loss = np.full(shape, self._log_vocabulary)
        self._slope = np.zeros(shape)
        self._since = np.zeros(shape)
        self._gain = np.zeros(shape)
        self._score_slope = np.zeros(len(run.seeds))
        self._rate = 0.0

    def update(self, outcome: Outcome, picks: Floats) -> None:
        """Take in a segment.

        Args:
            outcome: what it did.
            picks: (N, K) the shares that the agent chose: one-hot for a task, the mixture otherwise.
        """
        seen = np.isfinite(outcome.task_losses)
        self._slope = np.where(seen, outcome.task_losses - self._loss, self._slope)
        self._loss = np.where(seen, outcome.task_losses, self._loss)
        picked = picks >= picks.max(axis=1, keepdims=True)
        relative = outcome.gain / np.abs(self._run.progress.initial)
        self._since = np.where(picked, 0, self._since + 1)
        self._gain = np.where(picked, relative[:, None], self._gain)
        self._score_slope = relative
        self._rate = outcome.learning_rate / self._run.config.optimizer.learning_rate

    def tasks(self) -> Features:
        """(N, K, F) features in the order of `TASK_FEATURES`, in [-5, 5]."""
        progress = self._run.progress
        drawn = progress.counters
        share = drawn / np.maximum(drawn.sum(axis=1, keepdims=True), 1)
        columns = (
            self._loss / self._log_vocabulary,
            self._slope,
            share,
            np.log1p(self._since) / np.log(10),
            self._gain * 100,
            np.log1p(drawn / self._windows),
            self._divergence,
        )
        return _bounded(np.stack(columns, axis=-1))

    def run(self) -> Features:
        """(N, G) features in the order of `RUN_FEATURES`, in [-5, 5]."""
        progress = self._run.progress
        n = len(self._run.seeds)
        columns = (
            np.full(n, 1 - self._run.spent),
            (progress.score - progress.initial) / np.abs(progress.initial),
            self._score_slope * 100,
            np.full(n, self._rate),
        )
        return _bounded(np.stack(columns, axis=-1))

    def state(self) -> dict[str, Floats | float]:
        """Copies of what is kept."""
        return {
            "loss": self._loss.copy(),
            "slope": self._slope.copy(),
            "since": self._since.copy(),
            "gain": self._gain.copy(),
            "score_slope": self._score_slope.copy(),
            "rate": self._rate,
        }

    def load_state(self, state: dict[str, Floats | float]) -> None:
        """Continue from a state."""
        for name, value in state.items():
            setattr(self, f"_{name}", value)


def initial_tasks(run: Pretraining, replicas: int) -> Features:
    """(N, K, F) task features before the first segment, when nothing is trained or scored yet."""
    experiment = run.experiment
    features = np.zeros((replicas, len(experiment.tasks), len(TASK_FEATURES)))
    features[..., TASK_FEATURES.index("loss")] = 1.0
    features[..., TASK_FEATURES.index("divergence")] = experiment.divergence
    return _bounded(features)


def initial_run(replicas: int) -> Features:
    """(N, G) run features before the first segment."""
    return np.tile(np.array([1.0, 0.0, 0.0, 0.0], dtype=np.float32), (replicas, 1))


def space(kind: str, tasks: int) -> spaces.Space[Any]:
    """The observation space: one flat Box, or a Dict of the two parts (each flat)."""
    parts: dict[str, spaces.Space[Any]] = {
        "tasks": spaces.Box(-BOUND, BOUND, (tasks * len(TASK_FEATURES),), np.float32),
        "run": spaces.Box(-BOUND, BOUND, (len(RUN_FEATURES),), np.float32),
    }
    if kind == "dict":
        return spaces.Dict(parts)
    return spaces.Box(-BOUND, BOUND, (tasks * len(TASK_FEATURES) + len(RUN_FEATURES),), np.float32)


def observation(kind: str, tasks: Features, run: Features) -> Observation:
    """(N, K, F) and (N, G) features in the form of the space, stacked over replicas."""
    flat = tasks.reshape(len(tasks), -1)
    if kind == "dict":
        return {"tasks": flat, "run": run}
    return np.concatenate([flat, run], axis=1)


def of_replica(observed: Observation, replica: int) -> Observation:
    """One replica's part."""
    if isinstance(observed, dict):
        return {name: part[replica] for name, part in observed.items()}
    one: Features = observed[replica]
    return one


def _bounded(features: Floats) -> Features:
    return np.clip(np.nan_to_num(features, nan=0.0, posinf=BOUND, neginf=-BOUND), -BOUND, BOUND).astype(np.float32)
