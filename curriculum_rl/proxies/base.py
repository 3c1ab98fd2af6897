"""What every proxy does: score learners, and say what the next score costs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from curriculum_rl.learners.base import Learner

Floats = npt.NDArray[np.float64]


class Price(NamedTuple):
    """Cost of one replica's share of a call: learner tokens and FLOPs."""

    tokens: int
    flops: float


@dataclass(frozen=True)
class Reading:
    """What a proxy read.

    Attributes:
        score: (N,) higher is better.
        details: further figures for people, each (N,), such as an accuracy; never rewarded.
        heldout: (N, K) held-out loss of every task, where the proxy is a `PaysByMixture`.
    """

    score: Floats
    details: Mapping[str, Floats] = field(default_factory=dict)
    heldout: Floats | None = None


class Proxy(Protocol):
    """A cheap stand-in for the target. It leaves the learner bit-identical."""

    def price(self, learner: Learner) -> Price:
        """What the next call of `score` will cost; zero where it repeats an earlier reading."""
        ...

    def score(self, learner: Learner) -> Reading:
        """Score all replicas."""
        ...

    def state(self) -> dict[str, Any]:
        """What an exact continuation needs beyond the seeds, JSON-able."""
        ...

    def load_state(self, state: dict[str, Any]) -> None:
        """Continue from a state."""
        ...


@runtime_checkable
class PaysByMixture(Protocol):
    """A proxy whose gain is no difference of two scores: what was trained on decides which losses count."""

    def gain(self, before: Floats, after: Floats, mixture: Floats) -> Floats:
        """(N,) what a segment was worth.

        Args:
            before: (N, K) `heldout` of the reading before it.
            after: (N, K) of the one after it.
            mixture: (N, K) executed shares of its rows.
        """
        ...


class Refreshed:
    """A proxy taken anew every `every` calls and repeated, at no cost, in between.

    Args:
        proxy: what is refreshed.
        every: calls of `score` that one reading serves.
    """

    def __init__(self, proxy: "Proxy", every: int) -> None:
        self._proxy = proxy
        self._every = every
        self._calls = 0
        self._last = Reading(np.empty(0))

    def price(self, learner: Learner) -> Price:
        """Zero for a call that repeats the last reading."""
        return Price(0, 0.0) if self._calls % self._every else self._proxy.price(learner)

    def score(self, learner: Learner) -> Reading:
        """Score all replicas, or repeat the last reading."""
        if self._calls % self._every == 0:
            self._last = self._proxy.score(learner)
        self._calls += 1
        return self._last

    def state(self) -> dict[str, Any]:
        """The call number and the reading that is being repeated."""
        details = {name: values.tolist() for name, values in self._last.details.items()}
        return {"calls": self._calls, "score": self._last.score.tolist(), "details": details}

    def load_state(self, state: dict[str, Any]) -> None:
        """Continue from a state."""
        self._calls = state["calls"]
        details = {name: np.asarray(values) for name, values in state["details"].items()}
        self._last = Reading(np.asarray(state["score"]), details)


class Stateless:
    """The state of a proxy that has none."""

    def state(self) -> dict[str, Any]:
        """Nothing."""
        return {}

    def load_state(self, state: dict[str, Any]) -> None:
        """Nothing to continue from."""
