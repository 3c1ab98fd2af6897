"""What an agent sees of a run: the same scale-free features for every task, and a few of the run; always finite.

Nothing here knows who trains: whoever can fill in a `Segment`, in this package or in a training loop of one's own, can
give an agent the observation that it was trained on.

Shape letters: N replicas, K tasks, F task features, G run features.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Features = npt.NDArray[np.float32]

TASK_FEATURES = ("loss", "slope", "share", "staleness", "gain", "repetitions", "divergence", "prior")
"""Names of the features of a task, in their order."""
RUN_FEATURES = ("budget_left", "score", "score_slope", "learning_rate")
"""Names of the features of a run, in their order."""
BOUND = 5.0
"""Features are clipped to [-BOUND, BOUND]."""


@dataclass(frozen=True)
class Segment:
    """What an observer must be told of a segment, and where the run stands after it.

    Attributes:
        losses: (N, K) mean training loss of each task's rows, nats per scored token; NaN for a task that had none.
        picks: (N, K) the shares that the agent chose: one-hot for a task, the mixture otherwise.
        gain: (N,) of the proxy's score over |its initial score|.
        score: (N,) score less the initial one over |the initial one|.
        rows: (N, K) rows of each task so far.
        budget_left: share of the budget, in [0, 1].
        learning_rate: the last one over its peak.
    """

    losses: Floats
    picks: Floats
    gain: Floats
    score: Floats
    rows: npt.NDArray[np.int64]
    budget_left: float
    learning_rate: float


class Observer:
    """Makes features of segments, and keeps what they need from one to the next.

    Args:
        replicas: N.
        windows: (K,) windows of each task's corpus: how many rows are one pass over it.
        divergence: (K,) of each task's text from the target's, bits.
        prior: (K,) shares from the texts alone; None: there are none, and all are alike.
        vocabulary: tokens of the vocabulary; an untrained learner's loss is about its logarithm.
    """

    def __init__(
        self,
        replicas: int,
        *,
        windows: npt.NDArray[np.int64],
        divergence: Floats,
        prior: Floats | None,
        vocabulary: int,
    ) -> None:
        shape = (replicas, len(windows))
        self._log_vocabulary = np.log(vocabulary)
        self._windows = windows
        self._divergence = np.broadcast_to(divergence, shape)
        times_even = np.ones(shape) if prior is None else np.broadcast_to(prior * len(prior), shape)
        self._prior = np.log(np.maximum(times_even, np.exp(-BOUND)))
        self._loss = np.full(shape, self._log_vocabulary)
        self._slope = np.zeros(shape)
        self._since = np.zeros(shape)
        self._gain = np.zeros(shape)

    def first(self) -> tuple[Features, Features]:
        """(N, K, F) and (N, G) features before the first segment, when nothing is trained or scored yet."""
        tasks = np.zeros((*self._loss.shape, len(TASK_FEATURES)))
        tasks[..., TASK_FEATURES.index("loss")] = 1.0
        tasks[..., TASK_FEATURES.index("divergence")] = self._divergence
        tasks[..., TASK_FEATURES.index("prior")] = self._prior
        run = np.zeros((len(self._loss), len(RUN_FEATURES)))
        run[:, RUN_FEATURES.index("budget_left")] = 1.0
        return bounded(tasks), bounded(run)

    def observe(self, segment: Segment) -> tuple[Features, Features]:
        """Take in a segment: (N, K, F) and (N, G) features after it, in the order of the names."""
        seen = np.isfinite(segment.losses)
        self._slope = np.where(seen, segment.losses - self._loss, self._slope)
        self._loss = np.where(seen, segment.losses, self._loss)
        picked = segment.picks >= segment.picks.max(axis=1, keepdims=True)
        self._since = np.where(picked, 0, self._since + 1)
        self._gain = np.where(picked, segment.gain[:, None], self._gain)
        return bounded(self._tasks(segment.rows)), bounded(self._run(segment))

    def _tasks(self, rows: npt.NDArray[np.int64]) -> Floats:
        features = {
            "loss": self._loss / self._log_vocabulary,
            "slope": self._slope,
            "share": rows / np.maximum(rows.sum(axis=1, keepdims=True), 1),
            "staleness": np.log1p(self._since) / np.log(10),
            "gain": self._gain * 100,
            "repetitions": np.log1p(rows / self._windows),
            "divergence": self._divergence,
            "prior": self._prior,
        }
        return np.stack([features[name] for name in TASK_FEATURES], axis=-1)

    def _run(self, segment: Segment) -> Floats:
        ones = np.ones(len(self._loss))
        features = {
            "budget_left": ones * segment.budget_left,
            "score": segment.score,
            "score_slope": segment.gain * 100,
            "learning_rate": ones * segment.learning_rate,
        }
        return np.stack([features[name] for name in RUN_FEATURES], axis=-1)

    def state(self) -> dict[str, Floats]:
        """Copies of what is kept."""
        return {name: getattr(self, f"_{name}").copy() for name in ("loss", "slope", "since", "gain")}

    def load_state(self, state: dict[str, Floats]) -> None:
        """Continue from a state."""
        for name, value in state.items():
            setattr(self, f"_{name}", value)


def bounded(features: Floats) -> Features:
    """Features as an agent gets them: finite, in [-BOUND, BOUND], float32."""
    return np.clip(np.nan_to_num(features, nan=0.0, posinf=BOUND, neginf=-BOUND), -BOUND, BOUND).astype(np.float32)
