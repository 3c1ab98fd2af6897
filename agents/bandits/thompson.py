"""Discounted Gaussian Thompson sampling: play each task as often as it is probably the best, and forget slowly."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr  # type: ignore[import-untyped]

from curriculum_rl.agents.rule import Floats, Ints, State, add_plays
from curriculum_rl.errors import ConfigError

_GRID = np.linspace(0.0, 1.0, 33)
_REACH = 3.5  # standard deviations either side; with this grid the error stays near .01 (test_bandit_rules.py)


@dataclass(frozen=True)
class DiscountedThompson:
    """Gaussian beliefs about each task's reward; older evidence counts less, so unplayed tasks grow uncertain again.

    With n and s the discounted number and sum of a task's rewards, and m = n + prior_plays, its belief is a normal
    distribution with mean s / m and variance noise^2 / m. Thompson sampling plays a task with the probability that a
    draw from its belief is the highest. These probabilities are integrated on a grid, not sampled, so that the
    propensities are known, and the pick is drawn from them.

    Source:
        Agrawal & Goyal (2013), Further optimal regret bounds for Thompson sampling (Gaussian priors);
        Raj & Kalyani (2017), Taming non-stationary bandits: a Bayesian approach (the discount).

    Attributes:
        discount: what a play is worth one decision later, in (0, 1].
        prior_plays: plays that the belief "an average task" is worth, > 0.
        noise: the standard deviation assumed of scaled rewards, > 0; smaller is greedier. Rewards are scaled
            to about 1, but at horizons of 10 K plays the honest value leaves no time to use what was learned.
    """

    discount: float = 0.99
    prior_plays: float = 0.3
    noise: float = 0.2

    def __post_init__(self) -> None:
        """Check the settings."""
        if not 0 < self.discount <= 1:
            raise ConfigError(f"discount: {self.discount} must be in (0, 1]")
        if not self.prior_plays > 0:
            raise ConfigError(f"prior_plays: {self.prior_plays} must be above 0")
        if not self.noise > 0:
            raise ConfigError(f"noise: {self.noise} must be above 0")

    def start(self, seeds: int, arms: int) -> State:
        """No evidence."""
        return {"counts": np.zeros((seeds, arms)), "sums": np.zeros((seeds, arms))}

    def probabilities(self, state: State) -> Floats:
        """(S, K) that a draw from a task's belief is the highest."""
        weight = state["counts"] + self.prior_plays
        means = state["sums"] / weight
        return probability_of_best(means, self.noise / np.sqrt(weight))

    def update(self, state: State, arms: Ints, rewards: Floats, probabilities: Floats) -> None:
        """Discount all evidence once, then add the plays of this decision."""
        counts, sums = state["counts"], state["sums"]
        counts *= self.discount
        sums *= self.discount
        add_plays(counts, arms, 1.0)
        add_plays(sums, arms, rewards)


def probability_of_best(means: Floats, deviations: Floats) -> Floats:
    """(S, K) probability that each of K independent normal variables is the largest.

    P(i) = integral of prod_(j != i) F_j dF_i, by the trapezoid rule on a grid from the point that the largest
    exceeds almost surely to the point that none exceeds; then normalised.

    Args:
        means: (S, K).
        deviations: (S, K), > 0.
    """
    reach = _REACH * deviations
    low = (means - reach).max(axis=1, keepdims=True)
    width = (means + reach).max(axis=1, keepdims=True) - low
    points = (width / deviations)[:, :, None] * _GRID  # (S, K, G) in standard deviations from each mean
    points += ((low - means) / deviations)[:, :, None]
    return chance_of_best(ndtr(points, out=points))


def chance_of_best(below: Floats) -> Floats:
    """(S, K) probability that each of K independent variables is the largest, by the trapezoid rule.

    Args:
        below: (S, K, G) their distribution functions on a grid that spans where the largest may lie; changed in place.
    """
    below += 1e-30  # the quotient below must exist where a variable lies far above the grid's start
    others = below.prod(axis=1, keepdims=True) / below
    out: Floats = np.vecdot(below[:, :, 1:] - below[:, :, :-1], others[:, :, 1:] + others[:, :, :-1])
    out /= out.sum(axis=1, keepdims=True)
    return out
