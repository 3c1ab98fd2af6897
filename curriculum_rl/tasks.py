"""Tasks (corpus x objective), and the rows of a segment as a pure function of seed, task and window number."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch

from curriculum_rl.batch import Batch
from curriculum_rl.draws import key, spread, window_of
from curriculum_rl.objectives import Objective, windows_of

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class Windows(Protocol):
    """What a task needs of a corpus: numbered windows of T + 1 tokens."""

    @property
    def name(self) -> str:
        """The corpus's name."""
        ...

    @property
    def tokens(self) -> npt.NDArray[np.uint16] | npt.NDArray[np.uint32]:
        """All its tokens."""
        ...

    @property
    def sha256(self) -> str:
        """Of all that its windows are made of."""
        ...

    def size(self, context: int) -> int:
        """How many windows there are."""
        ...

    def windows(self, index: Ints, context: int) -> Ints:
        """The windows of some numbers, (R, context + 1)."""
        ...


@dataclass(frozen=True)
class Task:
    """One arm: a corpus under an objective.

    Attributes:
        name: unique; appears in logs, schedules and TensorBoard.
        corpus: where its windows come from.
        objective: what is asked of them.
        depth: inner steps of a segment on it, where the method has any (`curriculum_rl.methods`); None: the method's.
    """

    name: str
    corpus: Windows
    objective: Objective
    depth: int | None = None

    def draw(self, *, seed: int, first: int, rows: int, context: int) -> Ints:
        """(rows,) numbers of the windows that draws `first` to `first + rows - 1` of this task take under a seed."""
        return window_of(key(seed, self.name), np.arange(first, first + rows), self.corpus.size(context))

    def batch(self, *, seed: int, first: int, rows: int, context: int) -> Batch:
        """Rows number `first` to `first + rows - 1` of this task under a seed, as a (rows, T) batch."""
        index = self.draw(seed=seed, first=first, rows=rows, context=context)
        keys = spread(key(seed, self.name, "corruption"), np.arange(first, first + rows))
        made = self.objective(windows_of(self.objective, self.corpus, index, context=context, keys=keys), keys)
        return Batch(
            torch.from_numpy(np.ascontiguousarray(made.input_ids)),
            torch.from_numpy(np.ascontiguousarray(made.targets)),
            torch.from_numpy(np.ascontiguousarray(made.weights)),
            torch.full((rows,), self.objective.causal),
        )


def apportion(shares: Floats, rows: int, updates: int, credit: Floats) -> tuple[Ints, Floats]:
    """Turn shares into whole rows: largest remainder in every update, the error carried over.

    Args:
        shares: (K,) share of each task, summing to 1.
        rows: B, rows of one update.
        updates: k, number of updates.
        credit: (K,) rows owed to each task so far.

    Returns:
        (k, B) the task of every row, and the (K,) credit after the last update. Over any number of updates under
        constant shares a task's rows differ from its exact share by less than K.
    """
    plan = np.empty((updates, rows), dtype=np.int64)
    credit = credit.copy()
    for update in range(updates):
        credit += shares * rows
        # A task without a share gets no row, whatever it is still owed from an earlier mixture.
        owed = np.where(shares > 0, np.maximum(credit, 0.0), 0.0)
        counts = np.floor(owed).astype(np.int64)
        while counts.sum() > rows:
            counts[np.argmax(counts)] -= 1
        remainder = np.where(shares > 0, credit - counts, -np.inf)
        for _ in range(rows - int(counts.sum())):
            winner = int(np.argmax(remainder))
            counts[winner] += 1
            remainder[winner] -= 1.0
        credit -= counts
        plan[update] = np.repeat(np.arange(len(shares)), counts)
    return plan, credit


def segment_batches(
    tasks: Sequence[Task], plan: Ints, counters: Ints, seeds: Sequence[int], context: int
) -> tuple[Batch, Ints]:
    """Draw all rows of one segment.

    Args:
        tasks: the K tasks.
        plan: (k, N, B) the task of every row.
        counters: (N, K) how many windows each replica has drawn of each task.
        seeds: N seeds, one per replica.
        context: T.

    Returns:
        A batch with leading dimensions (k, N), and the counters after it. A replica's n-th window of a task does not
        depend on its neighbours or on when it is drawn.
    """
    updates, replicas, rows = plan.shape
    shape = (updates, replicas, rows, context)
    out = Batch(
        torch.empty(shape, dtype=torch.int64),
        torch.empty(shape, dtype=torch.int64),
        torch.empty(shape, dtype=torch.float32),
        torch.empty(shape[:-1], dtype=torch.bool),
    )
    counters = counters.copy()
    for replica in range(replicas):
        for t in np.unique(plan[:, replica]):
            update, row = (torch.from_numpy(i) for i in np.nonzero(plan[:, replica] == t))
            part = tasks[t].batch(seed=seeds[replica], first=int(counters[replica, t]), rows=len(row), context=context)
            where = (update, replica, row)
            out.input_ids[where] = part.input_ids
            out.targets[where] = part.targets
            out.weights[where] = part.weights
            out.causal[where] = part.causal
            counters[replica, t] += len(row)
    return out, counters
