"""How far a mixture is from those of finished runs: the share of a batch that would be of other tasks."""

import numpy as np
import numpy.typing as npt
from scipy.spatial.distance import cdist  # type: ignore[import-untyped]

Floats = npt.NDArray[np.float64]

_QUANTILE = 0.99


def nearest(mixtures: Floats, runs: Floats) -> Floats:
    """(..., K) shares, (R, K) shares -> (...,) total variation distance to the nearest run, in [0, 1]."""
    found = cdist(mixtures.reshape(-1, mixtures.shape[-1]), runs, "cityblock").min(axis=1) / 2
    distances: Floats = found.reshape(mixtures.shape[:-1])
    return distances


def limit(runs: Floats) -> float:
    """The distance beyond which a mixture is far from all runs: 99 of 100 of them have another one nearer to them.

    Args:
        runs: (R, K) shares, R at least 2.
    """
    apart = cdist(runs, runs, "cityblock") / 2
    np.fill_diagonal(apart, np.inf)
    return float(np.quantile(apart.min(axis=1), _QUANTILE))
