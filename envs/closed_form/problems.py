"""Bandit problems whose best task is known at every moment, S jittered copies at once; no language model in them.

Shape letters: T plays, S copies, K arms. A rule is judged by pseudo-regret: the value of the best arm less that of the
arm played, summed over a run. No bound carries over to pretraining, where gains depend on history.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Values = Callable[[int, int, int, np.random.Generator], Floats]


class Problem(Protocol):
    """What a rule can be played on; rewards are gains of any size, to be scaled before a rule sees them, or 0 and 1."""

    @property
    def name(self) -> str:
        """In tables."""
        ...

    @property
    def arms(self) -> int:
        """K."""
        ...

    @property
    def horizon(self) -> int:
        """T."""
        ...

    @property
    def scaled(self) -> bool:
        """Whether rewards are gains."""
        ...

    def values(self, seeds: int, random: np.random.Generator) -> Floats:
        """(T, S, K) value of every arm at every play, in the units of the regret."""
        ...

    def pay(self, step: int, values: Floats, random: np.random.Generator) -> Floats:
        """(S,) values of the arms played at this step -> (S,) rewards."""
        ...


@dataclass(frozen=True)
class Bernoulli:
    """An arm pays 1 with the probability that is its value, else 0.

    Attributes:
        name: in tables.
        arms: K.
        build: (T, S, K, random) -> (T, S, K) values in [0, 1].
        horizon: T.
        switches: how often the best arm changes, for rules that are tuned with it.
    """

    name: str
    arms: int
    build: Values
    horizon: int = 10_000
    switches: int = 0
    scaled: bool = False

    def values(self, seeds: int, random: np.random.Generator) -> Floats:
        """(T, S, K) probabilities."""
        return self.build(self.horizon, seeds, self.arms, random)

    def pay(self, step: int, values: Floats, random: np.random.Generator) -> Floats:
        """(S,) zeros and ones."""
        return (random.random(len(values)) < values).astype(np.float64)


def stationary(horizon: int, seeds: int, arms: int, random: np.random.Generator) -> Floats:
    """One arm at level + .2 for ever, the others within .02 of the level, which is in [.35, .45]."""
    level = random.uniform(0.35, 0.45, (seeds, 1))
    values = level + random.uniform(-0.02, 0.02, (seeds, arms))
    values[np.arange(seeds), random.integers(arms, size=seeds)] = level[:, 0] + 0.2
    return np.broadcast_to(values, (horizon, seeds, arms))


def switching(horizon: int, seeds: int, arms: int, random: np.random.Generator) -> Floats:
    """Six segments of about equal length, in each another arm at level + .4; the level is in [.25, .35]."""
    segment = _segments(horizon, seeds, 6, random)
    level = random.uniform(0.25, 0.35, (seeds, 1))
    best = random.integers(arms, size=seeds) + np.vstack(
        [np.zeros((1, seeds), np.int64), random.integers(1, arms, (5, seeds)).cumsum(axis=0)]
    )
    lifted = (best % arms)[segment, np.arange(seeds)][:, :, None] == np.arange(arms)
    return np.asarray(level + 0.4 * lifted)


def wave(horizon: int, seeds: int, arms: int, random: np.random.Generator) -> Floats:
    """Learning progress: every arm's value swells from .1 to .9 and falls again, one arm after the other.

    The bumps are Gaussian, T / (2 K) wide within 10 %, their centres T / K apart within a fifth of that.
    """
    order = np.argsort(random.random((seeds, arms)), axis=1)
    centres = (order + 0.5 + random.uniform(-0.1, 0.1, (seeds, arms))) * horizon / arms
    widths = random.uniform(0.9, 1.1, (seeds, arms)) * horizon / (2 * arms)
    distance = (np.arange(horizon)[:, None, None] - centres) / widths
    return np.asarray(0.1 + 0.8 * np.exp(-(distance**2) / 2))


def garivier_moulines(horizon: int, seeds: int, arms: int, random: np.random.Generator) -> Floats:
    """Values .5, .3 and .4, the last one .9 from .3 T to .5 T (these ends within .02 T); levels within .02.

    Source:
        Garivier & Moulines (2011), On upper-confidence bound policies for switching bandit problems, section 5.
    """
    level = np.array([0.5, 0.3, 0.4]) + random.uniform(-0.02, 0.02, (seeds, arms))
    begin, end = (np.array([0.3, 0.5]) + random.uniform(-0.02, 0.02, (seeds, 2))).T * horizon
    time = np.arange(horizon)[:, None]
    values = np.broadcast_to(level, (horizon, seeds, arms)).copy()
    values[:, :, 2] += 0.5 * ((begin <= time) & (time < end))
    order = np.argsort(random.random((seeds, arms)), axis=1)
    return np.take_along_axis(values, order[None], axis=2)


def cosine(horizon: int, seeds: int, arms: int, random: np.random.Generator) -> Floats:
    """Value .5 + .4 cos of an angle that turns twice in a run; the arms' angles are spaced evenly, the first random."""
    order = np.argsort(random.random((seeds, arms)), axis=1)
    turns = 2 * np.arange(horizon)[:, None, None] / horizon + order / arms + random.random((seeds, 1))
    return 0.5 + 0.4 * np.cos(2 * np.pi * turns)


def flip_flop(horizon: int, seeds: int, arms: int, random: np.random.Generator) -> Floats:
    """Two arms swap .8 and .2 in 20 segments of about equal length; the others stay within .02 of .4."""
    segment = _segments(horizon, seeds, 20, random)[:, :, None]
    order = np.argsort(random.random((seeds, arms)), axis=1)
    values = np.where(order == segment % 2, 0.8, 0.4 + random.uniform(-0.02, 0.02, (seeds, arms)))
    return np.where(order == 1 - segment % 2, 0.2, values)


def _segments(horizon: int, seeds: int, count: int, random: np.random.Generator) -> npt.NDArray[np.int64]:
    """(T, S) the segment of each play; their ends lie within a tenth of a segment of where they would be even."""
    ends = (np.arange(1, count) + random.uniform(-0.1, 0.1, (seeds, count - 1))) * horizon / count
    return np.asarray((np.arange(horizon)[:, None, None] >= ends).sum(axis=2))


@dataclass(frozen=True)
class Falling:
    """Short, noisy runs as pretraining has them: gains fall for every arm.

    Gain = level(t) * (1 + advantage(arm) + noise): the level falls as 1 / (1 + 10 t / T) for every arm, the best arm's
    advantage is .5, the others' are drawn in [-.2, .2], and the noise's standard deviation is the gap between the best
    arm and the mean of the others, over `snr`. "bernoulli" pays 0 or 1 with p = .6 for the best and .4 for the others.
    Values are advantages, so that late plays count as much as early ones.

    Attributes:
        kind: "falling", "steady" (the level does not fall), "switch" (falling; another arm is best from T/2 on), or
            "bernoulli".
        arms: K.
        horizon: T, plays.
        snr: signal-to-noise of one play.
    """

    kind: Literal["falling", "steady", "switch", "bernoulli"]
    arms: int
    horizon: int
    snr: float = 0.7
    scaled: bool = True

    @property
    def name(self) -> str:
        """Kind, K and T, and the noise where it is not the usual."""
        noise = "" if self.kind == "bernoulli" else f" snr={self.snr}"
        return f"{self.kind} K={self.arms} T={self.horizon}{noise}"

    def values(self, seeds: int, random: np.random.Generator) -> Floats:
        """(T, S, K) advantages."""
        if self.kind == "bernoulli":
            values = np.full((seeds, self.arms), 0.4)
            best = 0.6
        else:
            values = random.uniform(-0.2, 0.2, (seeds, self.arms))
            best = 0.5
        picked = np.argsort(random.random((seeds, self.arms)), axis=1)[:, :2]
        halves = np.stack([values, values])
        rows = np.arange(seeds)
        halves[0, rows, picked[:, 0]] = best
        halves[1, rows, picked[:, 1 if self.kind == "switch" else 0]] = best
        return halves[2 * np.arange(self.horizon) // self.horizon]

    def pay(self, step: int, values: Floats, random: np.random.Generator) -> Floats:
        """(S,) gains."""
        if self.kind == "bernoulli":
            return (random.random(len(values)) < values).astype(np.float64)
        level = 1.0 if self.kind == "steady" else 1 / (1 + 10 * step / self.horizon)
        return level * (1 + values + 0.5 / self.snr * random.standard_normal(len(values)))


KNOWN = (
    Bernoulli("stationary", 10, stationary),
    Bernoulli("5 switches", 10, switching, switches=5),
    Bernoulli("wave", 10, wave, switches=9),
    Bernoulli("Garivier-Moulines", 3, garivier_moulines, switches=2),
    Bernoulli("cosine drift", 5, cosine, switches=10),
    Bernoulli("flip-flop", 10, flip_flop, switches=19),
)
SHORT = tuple(Falling("falling", arms, horizon) for arms in (6, 12, 20) for horizon in (60, 120, 300))
