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
        """Learn, in place, from one play of each run.

        Args:
            state: the memory, changed in place.
            arms: (S,) the tasks played, in [0, K).
            rewards: (S,) scaled rewards.
            probabilities: (S, K) the propensities the tasks were drawn with.
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
