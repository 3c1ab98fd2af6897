"""From a gain of counting to a gain of training: the factor that measured runs had, and how far it carries."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from curriculum_rl.priors.gain import Gain

Floats = npt.NDArray[np.float64]

FACTOR = 2.4
"""Nats that a run gained for a nat that counting gained: geometric mean over development families, which
`benchmarks/gains.py` prints; the runs are of width 64, 2 layers and 800 to 2,400 updates of 384 tokens."""
ERROR = 1.7
"""The worst factor by which a family left out of that mean was missed, either way (`benchmarks/gains.py`)."""
FAMILIES = 6
"""That both come from."""
DEVIATIONS = 2.0
"""Standard errors of the count that an interval takes in, either way."""
ALIKE = 0.02
"""Nats per token below which a predicted gain says that no mixture of these sources is worth choosing."""


@dataclass(frozen=True)
class Prediction:
    """What a mixture will gain over an even one in a run, nats per token of the target.

    Attributes:
        nats: the gain of counting times FACTOR.
        low: likewise of the gain less its standard errors, and missed by ERROR.
        high: likewise the other way.
        counted: the gain of counting.
    """

    nats: float
    low: float
    high: float
    counted: Gain

    @property
    def alike(self) -> bool:
        """Whether the sources are so alike for the target that scheduling cannot help."""
        return self.nats < ALIKE

    @property
    def words(self) -> str:
        """What it says, in a line."""
        said = f"{self.nats:+.3f} nats per token over even (from {self.low:+.3f} to {self.high:+.3f})"
        return f"{said}: scheduling cannot help here" if self.alike else said

    def entries(self) -> dict[str, float | int | bool]:
        """The same, JSON-able, with what it was made of."""
        return {
            "nats": self.nats,
            "low": self.low,
            "high": self.high,
            "counted": self.counted.nats,
            "standard_error": self.counted.error,
            "pieces": self.counted.pieces,
            "tokens": self.counted.tokens,
            "factor": FACTOR,
            "factor_error": ERROR,
            "alike": self.alike,
        }


def predicted(counted: Gain) -> Prediction:
    """The gain of a run, from that of counting."""
    ends = [counted.nats + sign * DEVIATIONS * counted.error for sign in (-1, 1)]
    factors = (FACTOR / ERROR, FACTOR * ERROR)
    low, high = min(ends[0] * one for one in factors), max(ends[1] * one for one in factors)
    return Prediction(counted.nats * FACTOR, low, high, counted)


def effective(shares: Floats | Sequence[float]) -> float:
    """How many sources shares amount to: exp of their entropy, from 1 to K."""
    kept = np.asarray(shares, np.float64)
    kept = kept[kept > 0]
    return float(np.exp(-(kept * np.log(kept)).sum()))


@dataclass(frozen=True)
class Fit:
    """Measured gains against counted ones.

    Attributes:
        factor: geometric mean of measured over counted.
        left_out: by family, measured over what the other families' factor says.
    """

    factor: float
    left_out: Mapping[str, float]

    @property
    def error(self) -> float:
        """The worst of the left-out ones, either way, >= 1."""
        return max(max(ratio, 1 / ratio) for ratio in self.left_out.values())


def fitted(counted: Mapping[str, float], measured: Mapping[str, float]) -> Fit:
    """One factor for all families, and each family's miss where the others alone make the factor.

    Args:
        counted: gain of counting by family, above 0.
        measured: gain of training by family, above 0; at least two families.
    """
    logs = {family: math.log(measured[family] / counted[family]) for family in counted}
    total = sum(logs.values())
    left_out = {family: math.exp(log - (total - log) / (len(logs) - 1)) for family, log in logs.items()}
    return Fit(math.exp(total / len(logs)), left_out)
