"""A ridge regression on the shares of a mixture and their roots.

Shape letters: R runs, K tasks, M losses, T = 2 K terms.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_PENALTIES = 10.0 ** np.arange(-4.0, 1.0, 0.5)


@dataclass(frozen=True)
class Ridge:
    """Linear in the shares and their roots, so its optimum may lie inside the simplex.

    Terms are not scaled to equal variance: a task that hardly varies then counts little, which matters where runs are
    few.

    Attributes:
        mean: (T,) of the terms.
        weights: (T, M).
        level: (M,) mean loss.
        penalty: in mean variances of a term, per run; the one with the least leave-one-out error.
        unexplained: mean over losses of the leave-one-out squared error over the variance.
    """

    least_runs: ClassVar[int] = 2
    mean: Floats
    weights: Floats
    level: Floats
    penalty: float
    unexplained: float

    @classmethod
    def fit(cls, mixtures: Floats, losses: Floats) -> Self:
        """Fit all losses (R, M) of mixtures (R, K) under one penalty."""
        table, level = _terms(mixtures), losses.mean(axis=0)
        mean = table.mean(axis=0)
        U, singular, V = np.linalg.svd(table - mean, full_matrices=False)
        unit = max(float((table - mean).var(axis=0).mean()), 1e-12) * len(table)
        centred = losses - level
        spread = np.maximum(centred.var(axis=0), 1e-12)

        def unexplained(penalty: float) -> float:
            shrunk = singular**2 / (singular**2 + penalty * unit)
            leverage = (U**2) @ shrunk + 1 / len(table)
            left_out = (centred - (U * shrunk) @ (U.T @ centred)) / np.maximum(1 - leverage, 1e-9)[:, None]
            return float(((left_out**2).mean(axis=0) / spread).mean())

        best = float(min(_PENALTIES, key=unexplained))
        weights = V.T @ ((singular / (singular**2 + best * unit))[:, None] * (U.T @ centred))
        return cls(mean, weights, level, best, unexplained(best))

    @staticmethod
    def quantiles(mixtures: Floats, residuals: Floats) -> Callable[[Floats], Floats]:
        """Zeros: residuals count by their size alone, so that an interval is as wide everywhere."""
        return _zeros

    def predict(self, mixtures: Floats) -> Floats:
        """(..., K) shares -> (..., M) losses."""
        found: Floats = (_terms(mixtures) - self.mean) @ self.weights + self.level
        return found


def _terms(mixtures: Floats) -> Floats:
    """(..., K) shares -> (..., T)."""
    return np.concatenate([mixtures, np.sqrt(mixtures)], axis=-1)


def _zeros(mixtures: Floats) -> Floats:
    return np.zeros((2, *mixtures.shape[:-1]))
