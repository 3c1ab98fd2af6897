"""What a segment of a pretraining run did, and where the run stands after it. Shapes: N replicas, K tasks."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Outcome:
    """What one segment did to each replica.

    Attributes:
        gain: (N,) score after minus score before, or what a `PaysByMixture` proxy says; 0 where the segment failed.
        score: (N,) after the segment, higher is better.
        loss: (N,) mean training loss, nats per scored token.
        task_losses: (N, K) mean training loss of each task's rows; NaN for a task that had none.
        mixture: (N, K) executed shares of the segment's rows; the weights of the tasks' losses where the method weighs
            them (`curriculum_rl.methods`).
        failed: (N,) whether the replica went back to the segment's start (a loss was not finite or exploded).
        updates: optimizer steps of this segment.
        learning_rate: of its last update.
        signals: what was measured after it, by name, each with a leading dimension N; empty where nothing was asked
            for, or the budget does not pay for a measurement and another update.
        inner_drop: (N,) nats that inner steps took off the loss; None where the method does not tell.
    """

    gain: Floats
    score: Floats
    loss: Floats
    task_losses: Floats
    mixture: Floats
    failed: npt.NDArray[np.bool_]
    updates: int
    learning_rate: float
    signals: Mapping[str, Floats]
    inner_drop: Floats | None = None


@dataclass
class Progress:
    """All of a run's state outside the learner and the proxy.

    Attributes:
        counters: (N, K) windows drawn of each task, also the rows trained on.
        credit: (N, K) fractions of rows owed by the apportionment.
        initial: (N,) score before the first segment.
        score: (N,) score now.
        updates: optimizer steps so far.
        segments: segments so far.
        heldout: (N, K) held-out loss of every task now; (N, 0) where the proxy takes none.
    """

    counters: Ints
    credit: Floats
    initial: Floats
    score: Floats
    updates: int = 0
    segments: int = 0
    heldout: Floats = field(default_factory=lambda: np.empty((1, 0)))
