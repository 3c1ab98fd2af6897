"""With what probability each of K independent Beta variables is the largest: Beta-Bernoulli Thompson's propensities."""

import numpy as np
from scipy.special import ndtr  # type: ignore[import-untyped]

from curriculum_rl.agents.bandits.thompson import chance_of_best
from curriculum_rl.agents.rule import Floats

_GRID = np.linspace(0.0, 1.0, 33)
_REACH = 3.5  # standard deviations either side of the mean
_EDGE = 1e-9  # the grid stays inside (0, 1), where the logarithms are finite


def best_of_beta(successes: Floats, failures: Floats) -> Floats:
    """(S, K) probability that each of K independent Beta variables is the largest.

    The integral of prod_(j != i) F_j dF_i by the trapezoid rule, as for the normal beliefs of
    `curriculum_rl.agents.bandits.thompson`; error near .01 (test_thompson_beta.py).

    Args:
        successes: (S, K) the first parameter, >= 1.
        failures: (S, K) the second, >= 1.
    """
    total = successes + failures
    means = successes / total
    reach = _REACH * np.sqrt(means * (1 - means) / (total + 1))
    low = np.maximum((means - reach).max(axis=1, keepdims=True), _EDGE)
    high = np.minimum((means + reach).max(axis=1, keepdims=True), 1 - _EDGE)
    return chance_of_best(beta_below(successes, failures, low + (high - low) * _GRID))


def beta_below(successes: Floats, failures: Floats, points: Floats) -> Floats:
    """(S, K, G) probability that a Beta variable lies below a point; a fifth of the time of SciPy's exact `betainc`.

    Off by .0043 at most where both parameters are 1 or more, by .0001 from 5 on (test_thompson_beta.py).

    Source:
        Peizer & Pratt (1968), A normal approximation for binomial, F, beta, and other common, related tail
        probabilities, I.

    Args:
        successes: (S, K) the first parameter, >= 1.
        failures: (S, K) the second, >= 1.
        points: (S, G) in (0, 1).
    """
    a, b, x = successes[:, :, None], failures[:, :, None], points[:, None]
    n, y = a + b - 1, 1 - x
    up, down = a - 0.5, b - 0.5
    distance = (b - 1 / 3 - 0.02 * (1 / a + 0.5 / (a + b))) - (n + 1 / 3) * y
    distance += x * (0.02 * (1 / a + 1 / b + 1 / (a + b)))
    log_ratio = (down * np.log(down / n) + up * np.log(up / n)) - down * np.log(y) - up * np.log(x)
    spread = np.sqrt(np.maximum(log_ratio * (2 / (1 + 1 / (6 * n))), 0))
    out: Floats = ndtr(distance * (spread / (np.abs(down - n * y) + 1e-12)))
    return out
