"""Linear Thompson sampling: draw a linear model of the reward, play the task that it says is best."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from curriculum_rl.agents.bandits import linear
from curriculum_rl.agents.bandits.lin_ucb import even_over_best
from curriculum_rl.agents.rule import Floats, State, check


@dataclass(frozen=True)
class LinearThompson:
    """theta ~ N(A^-1 sum r x, spread^2 A^-1), A = ridge + sum x x'; play the task with the highest x . theta.

    The tasks' draws share theta, so the probability that one is the best has no simple integral. The rule plays the
    shares in which each task is the best over `draws` fixed draws: its propensities are known exactly, and it is an
    approximation of Thompson sampling.

    Source:
        Agrawal & Goyal (2013), Thompson sampling for contextual bandits with linear payoffs. Spread and ridge 1 as in
        MABWiser.

    Attributes:
        spread: v, the standard deviation assumed of scaled rewards, > 0; smaller is greedier.
        ridge: > 0.
        draws: how many, >= 1.
    """

    spread: float = 1.0
    ridge: float = 1.0
    draws: int = 256

    def __post_init__(self) -> None:
        """Check the settings."""
        check("spread", self.spread, above=0)
        check("ridge", self.ridge, above=0)
        check("draws", self.draws, least=1, whole=True)

    def start(self, seeds: int, features: int) -> State:
        """No evidence."""
        return linear.start(seeds, features, self.ridge)

    def probabilities(self, state: State, features: Floats) -> Floats:
        """(S, M, K, F) -> (S, M, K) share of the draws in which a task is the best."""
        theta, covariance = linear.solve(state)
        root = np.linalg.cholesky(covariance)
        drawn = theta[:, :, None] + self.spread * (root @ _normals(int(self.draws), theta.shape[1]))
        values = (features @ drawn[:, None]).swapaxes(2, 3)  # (S, M, draws, K)
        return np.asarray(even_over_best(values).mean(axis=2))

    def update(self, state: State, features: Floats, rewards: Floats) -> None:
        """Add the plays."""
        linear.learn(state, features, rewards)


@cache
def _normals(draws: int, features: int) -> Floats:
    """(F, draws) standard normal numbers, always the same."""
    return np.random.Generator(np.random.PCG64([draws, features])).standard_normal((features, draws))
