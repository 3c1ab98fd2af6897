"""LinUCB: the best upper confidence limit of a linear model of the reward over per-task features."""

from dataclasses import dataclass

import numpy as np

from curriculum_rl.agents.bandits import linear
from curriculum_rl.agents.rule import Floats, State, check, greedy


@dataclass(frozen=True)
class LinUCB:
    """Play the task with the highest x . theta + width sqrt(x A^-1 x), A = ridge + sum x x', theta = A^-1 sum r x.

    One theta serves all tasks, so what is learned of one is known of others with the same features. Limits that differ
    by rounding alone share the pick.

    Source:
        Li, Chu, Langford & Schapire (2010), A contextual-bandit approach to personalized news article recommendation;
        Chu, Li, Reyzin & Schapire (2011), Contextual bandits with linear payoff functions (one theta). Width and ridge
        1 as in MABWiser.

    Attributes:
        width: of the confidence limit, in standard deviations, >= 0.
        ridge: > 0.
    """

    width: float = 1.0
    ridge: float = 1.0

    def __post_init__(self) -> None:
        """Check the settings."""
        check("width", self.width, least=0)
        check("ridge", self.ridge, above=0)

    def start(self, seeds: int, features: int) -> State:
        """No evidence."""
        return linear.start(seeds, features, self.ridge)

    def probabilities(self, state: State, features: Floats) -> Floats:
        """(S, M, K, F) -> (S, M, K) even over the tasks with the highest limit."""
        theta, covariance = linear.solve(state)
        spread = np.einsum("smkf,smkf->smk", features @ covariance[:, None], features)
        limit = features @ theta[:, None, :, None]
        index = limit[..., 0] + self.width * np.sqrt(np.maximum(spread, 0))
        return even_over_best(index)

    def update(self, state: State, features: Floats, rewards: Floats) -> None:
        """Add the plays."""
        linear.learn(state, features, rewards)


def even_over_best(index: Floats) -> Floats:
    """(..., K) index -> (..., K) even over all that are the highest but for rounding."""
    best = index.max(axis=-1, keepdims=True)
    near = (index >= best - 1e-9 * (1 + np.abs(best))).astype(np.float64)
    return greedy(near.reshape(-1, near.shape[-1])).reshape(index.shape)
