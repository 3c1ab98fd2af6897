"""Held-out loss on a fixed set of target windows: the cheapest proxy, and the default."""

from collections.abc import Sequence
from typing import Self

import numpy as np

from curriculum_rl.batch import Batch
from curriculum_rl.learners.base import Learner
from curriculum_rl.learners.losses import mean_loss
from curriculum_rl.problem import Problem
from curriculum_rl.proxies.base import Price, Reading, Stateless
from curriculum_rl.schema.proxies import HeldOutLossProxy


class HeldOutLoss(Stateless):
    """Minus the mean loss, in nats per scored token, on the same windows every time.

    The same windows before and after a segment (common random numbers) are what makes a small set usable: its gain
    follows the true gain far more closely than that of independent sets.

    Args:
        batch: (N, S, T) windows of the target's reward split, each replica's own.
    """

    def __init__(self, batch: Batch) -> None:
        self._batch = batch

    @classmethod
    def build(cls, section: HeldOutLossProxy, problem: Problem, learner: Learner, seeds: Sequence[int]) -> Self:
        """As an environment file says."""
        return cls(problem.target_windows("reward", section.sequences, seeds, causal=learner.causal_rows))

    def price(self, learner: Learner) -> Price:
        """One forward pass over S x T tokens."""
        tokens = int(np.prod(self._batch.input_ids.shape[1:]))
        return Price(tokens, learner.flops(tokens, training=False))

    def score(self, learner: Learner) -> Reading:
        """Score all replicas."""
        return Reading(-mean_loss(learner, self._batch))
