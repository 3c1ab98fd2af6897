"""From a gain of counting to a gain of training: the factor that measured runs had, and how far it carries."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from curriculum_rl.priors.gain import Gain
from curriculum_rl.priors.tasks import PriorName

Floats = npt.NDArray[np.float64]

FACTOR = 0.77
"""Nats that a run gained for a nat that counting gained: geometric mean over development families, which
`benchmarks/gains.py` prints; the runs are of width 64, 2 layers and 800 to 2,400 updates of 384 tokens."""
ERRORS: Mapping[PriorName, float] = MappingProxyType({"em": 1.68, "js": 1.43})
"""The worst factor by which a gain was missed, either way: of `em` where a family is left out of the factor's mean, of
`js` where the factor is that of `em` (`benchmarks/gains.py`)."""
FAMILIES = 6
"""That both come from."""
CERTAIN = 2.0
"""Beyond this worst miss what is printed says that the number itself says little."""
DEVIATIONS = 2.0
"""Standard errors of the count that an interval takes in, either way."""
ALIKE = 0.02
"""Nats per token below which a predicted gain says that no mixture of these sources is worth choosing."""


@dataclass(frozen=True)
class Prediction:
    """What a mixture will gain over an even one in a run, nats per token of the target.

    Attributes:
        nats: the gain of counting times FACTOR.
        low: likewise of the gain less its standard errors, and missed as in ERRORS.
        high: likewise the other way.
        counted: the gain of counting.
        error: the factor by which it may be missed.
    """

    nats: float
    low: float
    high: float
    counted: Gain
    error: float

    @property
    def alike(self) -> bool:
        """Whether the sources are so alike for the target that no mixture of them is worth choosing."""
        return self.nats < ALIKE

    @property
    def unsure(self) -> bool:
        """Whether the count alone is uncertain by more than what makes sources alike: there is too little text."""
        return DEVIATIONS * self.counted.error * FACTOR > ALIKE

    @property
    def can_help(self) -> bool | None:
        """Whether scheduling can help here; None: too little text to say that it cannot."""
        return None if self.alike and self.unsure else not self.alike

    @property
    def words(self) -> str:
        """What it says, in a line."""
        verdicts = {
            True: "",
            False: ": scheduling cannot help here",
            None: ": too little text to tell whether scheduling can help here",
        }
        if self.can_help is False and self.nats < -ALIKE:
            verdicts[False] = ": by counting these shares harm"
        said = f"{self.nats:+.3f} nats per token over even (from {self.low:+.3f} to {self.high:+.3f})"
        return f"{said}{verdicts[self.can_help]}"

    def entries(self) -> dict[str, float | int | bool | None]:
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
            "factor_error": self.error,
            "can_help": self.can_help,
        }


def predicted(counted: Gain, prior: PriorName) -> Prediction:
    """The gain of a run under a prior's shares, from that of counting."""
    error = ERRORS[prior]
    ends = [counted.nats + sign * DEVIATIONS * counted.error for sign in (-1, 1)]
    factors = (FACTOR / error, FACTOR * error)
    low, high = min(ends[0] * one for one in factors), max(ends[1] * one for one in factors)
    return Prediction(counted.nats * FACTOR, low, high, counted, error)


def calibrated(error: float) -> str:
    """Where the factor comes from, in words, and by how much a gain may be missed."""
    said = (
        f"small models gained {FACTOR:.2f} times what counting did on {FAMILIES} families, and one that had no part in "
        f"that up to {error:.1f} times more or less"
    )
    return f"{said}: read the interval, not the number" if error > CERTAIN else said


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
