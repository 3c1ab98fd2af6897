"""The losses that a mixture ends with, fitted to a table of runs by ridge regression.

Shape letters: R runs, K tasks, M losses, T terms.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from curriculum_rl.envs.closed_form.mixture_runs import MixtureRuns

Floats = npt.NDArray[np.float64]

_OFFSET = 0.01  # of the logarithms: about what a share of one percent does not differ from none
_PENALTIES = 10.0 ** np.arange(-6.0, 0.5, 0.5)


@dataclass(frozen=True)
class MixtureLaw:
    """Predicts M losses of a mixture, linear in its shares, their roots, logarithms, and the roots' products.

    No prediction lies outside the losses that the runs had: where nothing was seen, nothing better is promised.

    Attributes:
        mean: (T,) of the terms.
        deviation: (T,) of the terms.
        weights: (T, M).
        level: (M,) mean loss.
        lowest: (M,) of the runs.
        highest: (M,) of the runs.
        penalty: of the ridge, per run.
        unexplained: mean over losses of the leave-one-out squared error over the variance.
    """

    mean: Floats
    deviation: Floats
    weights: Floats
    level: Floats
    lowest: Floats
    highest: Floats
    penalty: float
    unexplained: float

    @classmethod
    def fit(cls, runs: MixtureRuns) -> Self:
        """Fit all losses under one penalty, the one with the least leave-one-out error."""
        table, level = terms(runs.mixtures), runs.losses.mean(axis=0)
        mean, deviation = table.mean(axis=0), table.std(axis=0) + 1e-9
        U, singular, V = np.linalg.svd((table - mean) / deviation, full_matrices=False)
        centred = runs.losses - level
        spread = np.maximum(centred.var(axis=0), 1e-12)

        def unexplained(penalty: float) -> float:
            shrunk = singular**2 / (singular**2 + penalty * len(table))
            fitted = (U * shrunk) @ (U.T @ centred)
            leverage = (U**2) @ shrunk + 1 / len(table)
            left_out = (centred - fitted) / np.maximum(1 - leverage, 1e-9)[:, None]
            return float(((left_out**2).mean(axis=0) / spread).mean())

        best = min(_PENALTIES, key=unexplained)
        weights = V.T @ ((singular / (singular**2 + best * len(table)))[:, None] * (U.T @ centred))
        lowest, highest = runs.losses.min(axis=0), runs.losses.max(axis=0)
        return cls(mean, deviation, weights, level, lowest, highest, float(best), unexplained(best))

    def predict(self, mixtures: Floats) -> Floats:
        """(..., K) shares -> (..., M) nats per token."""
        found = (terms(mixtures) - self.mean) / self.deviation @ self.weights + self.level
        bounded: Floats = np.clip(found, self.lowest, self.highest)
        return bounded


def terms(mixtures: Floats) -> Floats:
    """(..., K) shares -> (..., T): p, sqrt p, ln(p + .01), and sqrt(p_i p_j) for every pair."""
    roots = np.sqrt(mixtures)
    first, second = np.triu_indices(mixtures.shape[-1], 1)
    return np.concatenate(
        [mixtures, roots, np.log(mixtures + _OFFSET), roots[..., first] * roots[..., second]], axis=-1
    )
