"""An interval around a law's prediction, wide enough for runs that the law was not fitted to.

Shape letters: R runs, K tasks.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np
import numpy.typing as npt

from curriculum_rl.mixtures import distance

Floats = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Quantiles = Callable[[Floats], Floats]

LEVEL = 0.9
"""Share of runs that an interval is made to hold."""
_PARTS = 5
_FEWEST = 9  # scores of which one is the nominal quantile


class Law(Protocol):
    """What is asked of a law's class."""

    @classmethod
    def fit(cls, mixtures: Floats, losses: Floats) -> Any:
        """An object with `predict`, fitted to losses (R, M)."""

    @staticmethod
    def quantiles(mixtures: Floats, residuals: Floats) -> Quantiles:
        """From (..., K) shares to (2, ...) quantiles of residuals at the ends of `LEVEL`, fitted to (R,) of them."""


@dataclass(frozen=True)
class Interval:
    """Quantiles of residuals by the law, moved outward until they hold `LEVEL` of what it was not fitted to.

    Residuals are those of runs that are left out, a random fifth of them at a time. So is the move for mixtures near
    the runs. For mixtures that are far from all of them it follows from runs of whole regions that are left out: all
    those with the same largest share. It is infinite where there are too few runs to say.

    Source:
        Romano, Patterson and Candes (2019), conformalized quantile regression, arXiv 1905.03222, with left-out parts
        in place of one split; regions and the two moves are ours.

    Attributes:
        quantiles: from (..., K) shares to (2, ...).
        near: what each limit moves outward near the runs; below 0 it moves inward.
        far: the same for mixtures far from all runs.
    """

    quantiles: Quantiles
    near: float
    far: float

    @classmethod
    def fit(cls, law: Law, mixtures: Floats, loss: Floats) -> Self:
        """Fit to a loss (R,) of mixtures (R, K)."""
        residuals, scores, regional = (np.full(len(loss), np.nan) for _ in range(3))
        beyond = np.zeros(len(loss), bool)
        fifths = np.random.default_rng(0).permutation(len(loss)) % _PARTS
        for held in _left_out(fifths):
            residuals[held] = _residuals(law, mixtures, loss, held)
        for held in _left_out(fifths):
            scores[held] = _scores(law, mixtures, residuals, held, residuals[held])
        for held in _left_out(mixtures.argmax(axis=1)):
            regional[held] = _scores(law, mixtures, residuals, held, _residuals(law, mixtures, loss, held))
            kept = mixtures[~held]
            beyond[held] = distance.nearest(mixtures[held], kept) > distance.limit(kept)
        near = _end(scores)
        far = _end(regional[beyond] if beyond.sum() >= _FEWEST else regional[~np.isnan(regional)])
        return cls(law.quantiles(mixtures, residuals), near, max(near, far))

    def offsets(self, mixtures: Floats, far: Booleans) -> Floats:
        """(..., K) shares and whether they are far from all runs -> (2, ...) what is added to the prediction."""
        move = np.where(far, self.far, self.near)
        low, high = self.quantiles(mixtures)
        return np.stack([low - move, high + move])


def _left_out(labels: Ints) -> Iterator[Booleans]:
    """(R,) labels -> for each of them the runs that have it, where at least two others stay."""
    for label in np.unique(labels):
        held: Booleans = labels == label
        if (~held).sum() >= 2:
            yield held


def _residuals(law: Law, mixtures: Floats, loss: Floats, held: Booleans) -> Floats:
    """Of the held runs, by a law that is fitted to the others."""
    fitted = law.fit(mixtures[~held], loss[~held, None])
    residuals: Floats = loss[held] - fitted.predict(mixtures[held])[:, 0]
    return residuals


def _scores(law: Law, mixtures: Floats, residuals: Floats, held: Booleans, own: Floats) -> Floats:
    """How far the held runs' own residuals lie outside quantiles fitted to the others'; below 0 inside."""
    low, high = law.quantiles(mixtures[~held], residuals[~held])(mixtures[held])
    scores: Floats = np.maximum(low - own, own - high)
    return scores


def _end(scores: Floats) -> float:
    """The score that one more run exceeds with a chance of 1 - `LEVEL` at most."""
    place = math.ceil((len(scores) + 1) * LEVEL)
    return float(np.sort(scores)[place - 1]) if place <= len(scores) else math.inf
