"""A closed-form ridge probe on pooled features, scored by leave-one-out Brier score."""

from collections.abc import Sequence
from typing import Self

import numpy as np
import torch

from curriculum_rl.batch import Batch
from curriculum_rl.learners.base import Learner
from curriculum_rl.problem import Problem
from curriculum_rl.proxies.base import Price, Reading, Stateless
from curriculum_rl.proxies.examples import examples
from curriculum_rl.schema.proxies import ProbeProxy


class Probe(Stateless):
    """Minus the exact leave-one-out Brier score of a ridge regression from features to one-hot classes.

    It misleads on small learners trained from scratch: pooled random embeddings are a bag of words that a linear probe
    reads well, and early training collapses them, so random weights can score above most pretraining. Use it with a
    larger or a pretrained learner. The accuracy stands in the details and is no reward: it moves in steps.

    Args:
        batch: (N, R, T) rows of labelled examples of the reward split; their labels are not read from it.
        classes: (N, R) class of every row.
        ridge: strength, relative to standardised features.
    """

    def __init__(self, batch: Batch, classes: torch.Tensor, ridge: float) -> None:
        self._batch = batch
        self._one_hot = torch.nn.functional.one_hot(classes).double()
        self._ridge = ridge

    @classmethod
    def build(cls, section: ProbeProxy, problem: Problem, learner: Learner, seeds: Sequence[int]) -> Self:
        """As an environment file says.

        Raises:
            ConfigError: where the target has no labels.
        """
        problem.target.require_labels("probe")
        return cls(*examples(problem, learner, "reward", section.examples, seeds), section.ridge)

    def price(self, learner: Learner) -> Price:
        """One forward pass; the solver's cost is negligible."""
        tokens = int(np.prod(self._batch.input_ids.shape[1:]))
        return Price(tokens, learner.flops(tokens, training=False))

    def score(self, learner: Learner) -> Reading:
        """Score all replicas."""
        predicted = leave_one_out(learner.features(self._batch).double().cpu(), self._one_hot, self._ridge)
        brier = (predicted - self._one_hot).square().sum(dim=-1).mean(dim=-1)
        right = predicted.argmax(dim=-1) == self._one_hot.argmax(dim=-1)
        return Reading(-brier.numpy(), {"accuracy": right.double().mean(dim=-1).numpy()})


def leave_one_out(features: torch.Tensor, targets: torch.Tensor, ridge: float) -> torch.Tensor:
    """Predictions of each row by the ridge regression fitted on all the others.

    Args:
        features: (N, R, d); standardised here per feature, with an intercept added.
        targets: (N, R, C).
        ridge: strength, relative to standardised features; the intercept's is negligible.

    Returns:
        (N, R, C), by the hat matrix H: the residual without row i is the residual divided by 1 - H_ii.

    Source: Allen 1974, "The relationship between variable selection and data augmentation", (PRESS); Golub, Heath and
    Wahba 1979, section 2.
    """
    centred = features - features.mean(dim=1, keepdim=True)
    scaled = centred / centred.std(dim=1, keepdim=True).clamp_min(1e-8)
    x = torch.cat([scaled, torch.ones_like(scaled[..., :1])], dim=-1)
    strength = torch.full(x.shape[-1:], ridge, dtype=x.dtype)
    strength[-1] = 1e-8
    gram = x.mT @ x + torch.diag(strength)
    hat = x @ torch.cholesky_solve(x.mT, torch.linalg.cholesky(gram))
    residual = (targets - hat @ targets) / (1 - hat.diagonal(dim1=-2, dim2=-1))[..., None]
    return targets - residual
