"""A light head on frozen features, fitted on support examples and scored by its log-loss on query examples.

Shapes: N replicas, R rows, d features (one more with the intercept), C classes.
"""

from collections.abc import Sequence
from typing import Self

import numpy as np
import torch

from curriculum_rl.batch import Batch
from curriculum_rl.learners.base import Learner
from curriculum_rl.problem import Problem
from curriculum_rl.proxies.base import Price, Reading, Stateless
from curriculum_rl.proxies.examples import examples
from curriculum_rl.schema.proxies import HeadProxy
from curriculum_rl.text.targets import Split


class Head(Stateless):
    """Minus the log-loss, in nats per label, of a softmax head that is fitted anew at every reading.

    The head reads the mean of the last hidden states. It is fitted for a few steps on one set of examples (support)
    and scored on another (query), as MAML's inner step is; the learner itself stays as it is, so a reading costs
    forward passes alone. As the ridge probe it can mislead on small learners from scratch, whose random embeddings
    are a bag of words that a linear head reads well.

    Source: our reading of the downstream-aware variant of Luo et al. 2021 (arXiv 2106.03270).

    Args:
        support: (N, R, T) rows of labelled examples that the head is fitted on; labels are not read from rows.
        support_classes: (N, R) their classes.
        query: (N, R', T) rows that it is scored on.
        query_classes: (N, R') their classes.
        classes: C.
        steps: gradient steps of the head.
        ridge: strength, relative to standardised features and a mean of losses.
    """

    def __init__(
        self,
        *,
        support: Batch,
        support_classes: torch.Tensor,
        query: Batch,
        query_classes: torch.Tensor,
        classes: int,
        steps: int,
        ridge: float,
    ) -> None:
        self._support, self._query = support, query
        self._truth = torch.nn.functional.one_hot(support_classes, classes).double()
        self._asked = query_classes
        self._steps, self._ridge = steps, ridge

    @classmethod
    def build(
        cls, section: HeadProxy, problem: Problem, learner: Learner, seeds: Sequence[int], split: Split = "reward"
    ) -> Self:
        """As an environment file says: fitted on examples of the signal split and scored on those of another.

        Raises:
            ConfigError: where the target has no labels.
        """
        problem.target.require_labels("head")
        support, known = examples(problem, learner, "signal", section.examples, seeds, section.length)
        query, asked = examples(problem, learner, split, section.test_examples, seeds, section.length)
        return cls(
            support=support,
            support_classes=known,
            query=query,
            query_classes=asked,
            classes=len(problem.target.labelled["signal"].classes),
            steps=section.steps,
            ridge=section.ridge,
        )

    def price(self, learner: Learner) -> Price:
        """One forward pass over both sets; the head's cost is negligible."""
        tokens = sum(int(np.prod(batch.input_ids.shape[1:])) for batch in (self._support, self._query))
        return Price(tokens, learner.flops(tokens, training=False))

    def score(self, learner: Learner) -> Reading:
        """Score all replicas."""
        support, query = (learner.features(batch).double().cpu() for batch in (self._support, self._query))
        centre = support.mean(dim=1, keepdim=True)
        spread = support.std(dim=1, keepdim=True).clamp_min(1e-8)
        weights = softmax_head(_standardised(support, centre, spread), self._truth, self._steps, self._ridge)
        logits = _standardised(query, centre, spread) @ weights
        nats = torch.nn.functional.cross_entropy(logits.flatten(0, 1), self._asked.flatten(), reduction="none")
        right = (logits.argmax(dim=-1) == self._asked).double()
        return Reading(-nats.view_as(self._asked).mean(dim=1).numpy(), {"accuracy": right.mean(dim=1).numpy()})


def softmax_head(features: torch.Tensor, truth: torch.Tensor, steps: int, ridge: float) -> torch.Tensor:
    """Weights of a softmax regression with an L2 penalty, from zero, by accelerated gradient descent.

    The objective is the mean cross-entropy plus ridge / 2 x the squared weights; the step is 1 over a bound of its
    curvature, so it never overshoots.

    Args:
        features: (N, R, d + 1), standardised, with an intercept.
        truth: (N, R, C) one-hot.
        steps: how many.
        ridge: strength, > 0.

    Returns:
        (N, d + 1, C).

    Source: Nesterov 1983; the softmax's curvature is at most half that of least squares (Boehning 1992).
    """
    rows = features.shape[1]
    steepest = torch.linalg.eigvalsh(features.mT @ features / rows)[:, -1:, None]
    rate = 1 / (steepest / 2 + ridge)
    weights = features.new_zeros(len(features), features.shape[2], truth.shape[2])
    before = weights
    for step in range(steps):
        ahead = weights + step / (step + 3) * (weights - before)
        slope = features.mT @ (torch.softmax(features @ ahead, dim=-1) - truth) / rows + ridge * ahead
        before, weights = weights, ahead - rate * slope
    return weights


def _standardised(features: torch.Tensor, centre: torch.Tensor, spread: torch.Tensor) -> torch.Tensor:
    scaled = (features - centre) / spread
    return torch.cat([scaled, torch.ones_like(scaled[..., :1])], dim=-1)
