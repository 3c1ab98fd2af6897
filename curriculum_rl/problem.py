"""What a replica is given to do: tasks, target, held-out windows, divergences, a prior, learning rate.

Shape letters: N replicas, K tasks, S windows, T tokens of a window.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from curriculum_rl.batch import Batch
from curriculum_rl.errors import ConfigError
from curriculum_rl.heldout import HeldOut
from curriculum_rl.infos import TaskInfo
from curriculum_rl.objectives import Objective
from curriculum_rl.objectives.build import language_modelling
from curriculum_rl.tasks import Task
from curriculum_rl.text.targets import Split, Target
from curriculum_rl.text.tokenizers import Tokenizer

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Problem:
    """What may differ from replica to replica; what all replicas share stands in the configuration.

    Attributes:
        tokenizer: of the learner.
        context: T.
        tasks: the K arms.
        target: what matters downstream.
        heldout: what no task trains on, and who may read which part of it.
        divergence: (K,) of each task's corpus from the target's signal split, as `target.divergence` says; bits.
        prior: (K,) shares from the texts alone, as `target.prior` says; None where that is none.
        causal: whether the learner reads left to right by itself.
        learning_rate: the peak of the schedule.
    """

    tokenizer: Tokenizer
    context: int
    tasks: tuple[Task, ...]
    target: Target
    heldout: HeldOut
    divergence: Floats
    prior: Floats | None
    causal: bool
    learning_rate: float

    @property
    def target_objective(self) -> str:
        """The name of the objective that the target's text is scored under."""
        return self.modelling(self.causal).name

    @property
    def task_info(self) -> TaskInfo:
        """What agents are told of every task when a run begins; copies."""
        signal = self.target.text["signal"]
        known: TaskInfo = {
            "divergence": self.divergence.copy(),
            "corpus_tokens": np.array([float(len(task.corpus.tokens)) for task in self.tasks]),
            "target_objective": np.array([float(t.objective.name == self.target_objective) for t in self.tasks]),
            "target_signal": np.array([float(task.corpus is signal) for task in self.tasks]),
        }
        if self.prior is not None:
            known["prior"] = self.prior.copy()
        return known

    @property
    def windows(self) -> npt.NDArray[np.int64]:
        """(K,) windows of each task's corpus: one pass over it."""
        return np.array([task.corpus.size(self.context) for task in self.tasks])

    def modelling(self, causal: bool) -> Objective:
        """Language modelling left to right, or in both directions."""
        return language_modelling(self.tokenizer, causal=causal)

    def target_task(self, split: Split, *, causal: bool) -> Task:
        """Language modelling on a split of the target, as what others are compared with; nothing trains on it."""
        return Task(f"target {split}", self.target.text[split], self.modelling(causal))

    def target_windows(self, split: Split, count: int, seeds: Sequence[int], *, causal: bool) -> Batch:
        """(N, S, T) windows of a split of the target under a learner's own way of language modelling.

        Raises:
            ConfigError: where the split has fewer than S = `count`.
        """
        task = self.target_task(split, causal=causal)
        if task.corpus.size(self.context) < count:
            raise ConfigError(
                f"sequences: {count} windows of the target's {split} split were asked for, "
                f"it has {task.corpus.size(self.context)}"
            )
        return Batch.stack([task.batch(seed=seed, first=0, rows=count, context=self.context) for seed in seeds])
