"""What a rule is: numbers in, probabilities out, for S independent runs at once and without an environment."""

import math
from numbers import Real
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from curriculum_rl.errors import ConfigError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
State = dict[str, npt.NDArray[Any]]
Rewards = Literal["scaled", "unit", "gain"]


class Rule(Protocol):
    """A bandit rule: settings in its fields, memory in a dict of arrays whose first dimension is S.

    Rewards are dimensionless: the gain less its moving average, in units of its running scale, clipped
    (`curriculum_rl.agents.shell.scaling`), so 0 is an average segment and 1 is one standard deviation better.
    A rule whose class says `rewards: ClassVar[Rewards] = "unit"` gets them mapped to [0, 1] instead: 0 for -clip,
    1/2 for an average segment, 1 for clip. One that says "gain" gets the gains as they are, nan for a failed segment.
    """

    def start(self, seeds: int, arms: int) -> State:
        """The memory of S = `seeds` runs over K = `arms` tasks before anything was seen."""
        ...

    def probabilities(self, state: State) -> Floats:
        """(S, K), each row sums to 1: with what probability each task is played next."""
        ...

    def update(self, state: State, arms: Ints, rewards: Floats, probabilities: Floats) -> None:
        """Learn, in place, from the M plays that each run made at this decision; time moves on by one, whatever M is.

        M is 1 for a run of its own and N where N replicas share one memory. The axis may be left out where M = 1.

        Args:
            state: the memory, changed in place.
            arms: (S, M) the tasks played, in [0, K).
            rewards: (S, M) scaled rewards.
            probabilities: (S, M, K) the propensities the tasks were drawn with.
        """
        ...


class ContextualRule(Protocol):
    """A bandit rule that looks at F features of each task before it chooses; one model for all tasks."""

    def start(self, seeds: int, features: int) -> State:
        """The memory of S = `seeds` runs with F = `features` before anything was seen."""
        ...

    def probabilities(self, state: State, features: Floats) -> Floats:
        """(S, M, K, F) features -> (S, M, K), each row sums to 1: with what probability each task is played next."""
        ...

    def update(self, state: State, features: Floats, rewards: Floats) -> None:
        """Learn, in place, from (S, M, F) features of the tasks played and their (S, M) scaled rewards."""
        ...


def draw(probabilities: Floats, uniforms: Floats) -> Ints:
    """(S, K) probabilities and (S,) uniforms in [0, 1) -> (S,) arms, by inverting the distribution function."""
    cumulative = probabilities.cumsum(axis=1)
    arms: Ints = (cumulative > uniforms[:, None] * cumulative[:, -1:]).argmax(axis=1)
    return arms


def one_hot(arms: Ints, count: int) -> Floats:
    """(S,) arms -> (S, count) of zeros with a one at each arm."""
    out: Floats = (arms[:, None] == np.arange(count)).astype(np.float64)
    return out


def add_plays(sums: Floats, arms: Ints, values: Floats | float) -> None:
    """Add, in place, the value of each play to its arm's sum; an arm that was played twice gets both.

    Args:
        sums: (S, K).
        arms: (S, M), or (S,) for M = 1.
        values: of the plays, in the shape of `arms`, or one number.
    """
    if arms.size == 1:  # an agent's own path: plain numbers take a tenth of the time
        sums[0, arms.item()] += values.item() if isinstance(values, np.ndarray) else values
    elif arms.size == len(arms):  # no arm twice in a row: a quarter of the time
        sums[np.arange(len(arms)), arms.ravel()] += values.ravel() if isinstance(values, np.ndarray) else values
    else:
        np.add.at(sums, (np.arange(len(arms))[:, None], arms), values)


def of_plays(values: Floats, arms: Ints) -> Floats:
    """(S, M, K) values, (S, M) arms -> (S, M) the value of each play's arm; (S,) where the arms are."""
    if arms.size == 1:
        return values[..., arms.item()]
    flat = values.reshape(-1, values.shape[-1])
    picked: Floats = flat[np.arange(len(flat)), arms.ravel()].reshape(arms.shape)
    return picked


def mean_of_plays(arms: Ints, values: Floats, count: int) -> tuple[Floats, Floats]:
    """(S, M) plays -> (S, K) how often each arm was played, and the mean of its values (0 where it was not)."""
    plays, sums = np.zeros((len(arms), count)), np.zeros((len(arms), count))
    add_plays(plays, arms, 1.0)
    add_plays(sums, arms, values)
    return plays, sums / np.maximum(plays, 1.0)


def greedy(values: Floats, exploration: float = 0.0) -> Floats:
    """(S, K) values -> (S, K) probabilities: even over the highest of a row, mixed with even over all.

    Args:
        values: of the tasks; infinite for those that go first.
        exploration: the share of uniform play, in [0, 1].
    """
    best: Floats = (values == values.max(axis=1, keepdims=True)).astype(np.float64)
    best /= best.sum(axis=1, keepdims=True)
    if exploration:
        best *= 1 - exploration
        best += exploration / values.shape[1]
    return best


def softmax(values: Floats) -> Floats:
    """(S, K) values -> (S, K) probabilities in proportion to e^value."""
    out: Floats = np.exp(values - values.max(axis=1, keepdims=True))
    out /= out.sum(axis=1, keepdims=True)
    return out


def reset_rows(state: State, fresh: State, rows: Any) -> None:
    """Put, in place, the one row of a fresh memory in place of some rows, (S,) of booleans or a slice."""
    for name, values in state.items():
        values[rows] = fresh[name]


def check(
    name: str,
    value: Any,
    *,
    above: float = -math.inf,
    least: float = -math.inf,
    most: float = math.inf,
    below: float = math.inf,
    whole: bool = False,
) -> None:
    """Refuse a setting that is no finite number, or out of its bounds, or no whole one where that is wanted.

    Raises:
        ConfigError: naming the setting, its value and the bounds.
    """
    if isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value):
        number = float(value)
        if above < number < below and least <= number <= most and not (whole and number % 1):
            return
    bounds = [("above", above), ("at least", least), ("at most", most), ("below", below)]
    words = " and ".join(f"{word} {bound:g}" for word, bound in bounds if math.isfinite(bound))
    kind = "a whole number" if whole else "a number"
    raise ConfigError(f"{name}: {value} must be {kind}{f' {words}' if words else ''}")
