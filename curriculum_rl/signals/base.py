"""What every instrument that measures signals does: say its price, and measure. Shapes: N replicas, K tasks."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from curriculum_rl.proxies.base import Price
from curriculum_rl.signals.windows import Windows

Floats = npt.NDArray[np.float64]

FREE = Price(0, 0.0)


@dataclass(frozen=True)
class Cost:
    """What one measurement costs a replica, by the ledger's purposes."""

    signal: Price = FREE
    lookahead: Price = FREE

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(plus(self.signal, other.signal), plus(self.lookahead, other.lookahead))

    @property
    def flops(self) -> float:
        """Of both."""
        return self.signal.flops + self.lookahead.flops


class Moment(NamedTuple):
    """When something is measured.

    Attributes:
        seeds: N, of the replicas' runs.
        mixture: (N, K) shares of the last segment.
        number: how many measurements there were before; each draws other rows for gradients and branches.
        rate: the learning rate of look-ahead updates.
    """

    seeds: Sequence[int]
    mixture: Floats
    number: int
    rate: float


class Instrument(Protocol):
    """One kind of measurement; it leaves the learner bit-identical.

    Attributes:
        measures: the signals that it can measure, and what each is, its shape first.
    """

    measures: ClassVar[Mapping[str, str]]

    def __init__(self, windows: Windows, asked: Collection[str]) -> None:
        """Made for the signals that are asked for.

        Args:
            windows: tasks, target, learner, sizes, and rows of them.
            asked: names of `measures`, and perhaps of others.
        """
        ...

    def cost(self) -> Cost:
        """Of one measurement."""
        ...

    def measure(self, moment: Moment) -> dict[str, Floats]:
        """Signals by name with a leading dimension N, all that were asked for and perhaps more."""
        ...


def plus(*prices: Price) -> Price:
    """The sum."""
    return Price(sum(price.tokens for price in prices), sum(price.flops for price in prices))
