"""How far the target's text is from a task's in the eyes of a learner: measures of two clouds of feature vectors.

A row of a cloud is the mean of a learner's last hidden state over one window of text (`Learner.features`).
Shape letters: n rows of the target's cloud, m rows of the task's, d width, P projections.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from scipy.spatial.distance import cdist  # type: ignore[import-untyped]
from scipy.special import ndtri  # type: ignore[import-untyped]
from scipy.stats import wasserstein_distance  # type: ignore[import-untyped]

from curriculum_rl.draws import key, spread, uniforms
from curriculum_rl.proxies.probe import leave_one_out
from curriculum_rl.text.divergence import cosine

Floats = npt.NDArray[np.float64]

PROJECTIONS = 128
RIDGE = 1.0
"""Of the classifier that tells the clouds apart, relative to standardised features."""


def sliced_wasserstein(x: Floats, y: Floats, *, projections: int = PROJECTIONS, seed: int = 0) -> float:
    """The mean 1-Wasserstein distance of the clouds seen along random directions, at least 0, in units of the features.

    Args:
        x: (n, d).
        y: (m, d).
        projections: P, directions drawn uniformly from the sphere.
        seed: the directions are a function of it, P and d.

    Source: Rabin et al. 2011 and Bonneel et al. 2015 (there also with other exponents).
    """
    numbers = uniforms(spread(key("sliced Wasserstein", seed), np.arange(projections)), x.shape[1])
    directions = ndtri((numbers.astype(np.float64) + 2.0**-25).clip(max=1 - 2.0**-25))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    pairs = zip((x @ directions.T).T, (y @ directions.T).T, strict=True)
    return float(np.mean([wasserstein_distance(one, other) for one, other in pairs]))


def mmd(x: Floats, y: Floats) -> float:
    """Squared maximum mean discrepancy, in [0, 2], under exp(-|a - b|^2 / (2 h^2)), h the median distance of all rows.

    The biased estimate (each cloud's own pairs include a row with itself): never negative, and 0 for equal clouds.

    Source: Gretton et al. 2012, "A kernel two-sample test", equation 5 and section 8 (the median heuristic).
    """
    rows = np.concatenate([x, y])
    squares = cdist(rows, rows, "sqeuclidean")
    median = float(np.median(squares[np.triu_indices(len(rows), 1)]))
    if median == 0:  # most rows are equal: any width tells those that are not
        median = float(squares.max()) or 1.0
    kernel = np.exp(-squares / (2 * median))
    n = len(x)
    return max(0.0, float(kernel[:n, :n].mean() + kernel[n:, n:].mean() - 2 * kernel[:n, n:].mean()))


def coral(x: Floats, y: Floats) -> float:
    """Squared Frobenius norm of the difference of the covariances over 4 d^2, at least 0; means do not count.

    Source: Sun and Saenko 2016, "Deep CORAL", equation 1.
    """
    d = x.shape[1]
    return float(np.square(_covariance(x) - _covariance(y)).sum() / (4 * d * d))


def proxy_a_distance(x: Floats, y: Floats, *, ridge: float = RIDGE) -> float:
    """2 (1 - 2 e), in [0, 2], e the error of a linear classifier that tells the clouds apart; 0 where it cannot.

    The classifier is a ridge regression to -1 and 1, its error exact leave-one-out, both clouds weighing the same.

    Source: Ben-David et al. 2007, "Analysis of representations for domain adaptation" (there with a held-out half).
    """
    cloud = torch.from_numpy(np.concatenate([x, y]))[None]
    side = torch.cat([torch.ones(len(x)), -torch.ones(len(y))]).double()[None, :, None]
    wrong = (leave_one_out(cloud, side, ridge) * side <= 0)[0, :, 0].double()
    error = float(wrong[: len(x)].mean() + wrong[len(x) :].mean()) / 2
    return max(0.0, 2 * (1 - 2 * error))


def mean_cosine(x: Floats, y: Floats) -> float:
    """1 - the cosine of the angle between the clouds' means, in [0, 2]."""
    return cosine(x.mean(axis=0), y.mean(axis=0))


def _covariance(rows: Floats) -> Floats:
    centred = rows - rows.mean(axis=0)
    covariance: Floats = centred.T @ centred / max(1, len(rows) - 1)
    return covariance


@dataclass(frozen=True)
class FeatureMeasure:
    """A measure of two clouds of features.

    Attributes:
        distance: of an (n, d) and an (m, d) cloud.
        flops: its leading term for two clouds of n rows each: a function of n and d.
    """

    distance: Callable[[Floats, Floats], float]
    flops: Callable[[int, int], float]


FEATURE_MEASURES: Mapping[str, FeatureMeasure] = {
    "wasserstein": FeatureMeasure(
        sliced_wasserstein,
        lambda n, d: 4.0 * n * d * PROJECTIONS,
    ),
    "mmd": FeatureMeasure(mmd, lambda n, d: 3.0 * d * (2 * n) ** 2),
    "coral": FeatureMeasure(coral, lambda n, d: 4.0 * n * d**2),
    "pad": FeatureMeasure(
        proxy_a_distance,
        lambda n, d: 8.0 * n * d**2 + d**3 / 3 + 2.0 * d * (2 * n) ** 2,
    ),
    "mean-cosine": FeatureMeasure(mean_cosine, lambda n, d: 2.0 * n * d),
}
"""Measures of a learner's features by name."""
