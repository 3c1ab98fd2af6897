"""What a rule is: numbers in, probabilities out, for S independent runs at once and without an environment."""

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
State = dict[str, npt.NDArray[Any]]


class Rule(Protocol):
    """A bandit rule: settings in its fields, memory in a dict of arrays whose first dimension is S.

    Rewards are dimensionless: the gain less its moving average, in units of its running scale, clipped
    (`curriculum_rl.agents.bandits.scaling`), so 0 is an average segment and 1 is one standard deviation better.
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


def draw(probabilities: Floats, uniforms: Floats) -> Ints:
    """(S, K) probabilities and (S,) uniforms in [0, 1) -> (S,) arms, by inverting the distribution function."""
    cumulative = probabilities.cumsum(axis=1)
    arms: Ints = (cumulative <= (uniforms * cumulative[:, -1])[:, None]).sum(axis=1)
    return arms


def one_hot(arms: Ints, count: int) -> Floats:
    """(S,) arms -> (S, count) of zeros with a one at each arm."""
    out = np.zeros((len(arms), count))
    out[np.arange(len(arms)), arms] = 1.0
    return out


def add_plays(sums: Floats, arms: Ints, values: Floats | float) -> None:
    """Add, in place, the value of each play to its arm's sum; an arm that was played twice gets both.

    Args:
        sums: (S, K).
        arms: (S, M), or (S,) for M = 1.
        values: of the plays, in the shape of `arms`, or one number.
    """
    rows = np.arange(len(arms))
    if arms.ndim == 1:
        sums[rows, arms] += values
    else:
        np.add.at(sums, (rows[:, None], arms), values)


def of_plays(values: Floats, arms: Ints) -> Floats:
    """(S, M, K) values, (S, M) arms -> (S, M) the value of each play's arm; (S,) where the arms are."""
    flat = values.reshape(-1, values.shape[-1])
    picked: Floats = flat[np.arange(len(flat)), arms.ravel()].reshape(arms.shape)
    return picked
