"""What gradients say of each task beyond the prior: a running mean with its standard error, and what one more is worth.

Shape letters: S runs, K tasks.
"""

import numpy as np
import numpy.typing as npt

from curriculum_rl.agents.mixers.rule import known
from curriculum_rl.agents.rule import Floats, State

SIGNAL = "adam_products"
STRENGTH = 1.0
"""Log weight of a task for one unit of evidence."""
LIMIT = 0.7
"""A log weight is moved by that much at most: a share doubles or halves."""
PRICE_OF_BUDGET = 0.4
"""Nats that a share of the budget is worth, per unit: what the loss falls by per unit of log budget at these sizes."""
TRUST = 0.3
"""Share of the progress that alignments promise which is taken to come true: about the mean of their two rank
correlations with true effects (.48 and .11, docs/log.md)."""
SPREAD, NOISE = 0.07, 0.46
"""Variance of true evidence between tasks, and of the noise of one measurement, as long as there are not two of them:
means over three development families at four rows a half gradient (docs/log.md)."""


def start(runs: int, arms: int) -> State:
    """Nothing measured."""
    return {"measured": np.zeros(runs), "total": np.zeros((runs, arms)), "squares": np.zeros((runs, arms))}


def note(state: State, products: Floats, shares: Floats) -> None:
    """Take in a measurement; `state` is changed in place.

    The evidence for task i is (a_i - A) / B, a_i = <g_i, g_target / sqrt(v)> what, to first order, an Adam step along
    its gradient takes off the target's loss, A the mean and B the root mean square of all a under `shares`: how much
    faster than the mixture the task makes progress, in units of about the mixture's own progress.

    Args:
        state: what was measured.
        products: (S, K+1, K+1) `adam_products`.
        shares: (S, K) the mixture that it is evidence against.
    """
    aligned = known(products[:, :-1, -1])
    mean = (shares * aligned).sum(axis=1, keepdims=True)
    size = np.sqrt((shares * aligned**2).sum(axis=1, keepdims=True))
    found = np.divide(aligned - mean, size, out=np.zeros_like(aligned), where=size > 0)
    # A task that the mixture does not hold has no part in the size, and any evidence of it changes nothing.
    found = np.where(shares > 0, found, 0.0)
    state["measured"] += 1
    state["total"] += found
    state["squares"] += found**2


def tilt(state: State, shares: Floats) -> Floats:
    """(S, K) what is added to log weights: clip(STRENGTH x mean x max(0, 1 - (error / mean)^2), +-LIMIT).

    The mean of n measurements has the standard error sqrt(noise / n), the noise being pooled over tasks by `shares`. A
    mean within its error is 0, so evidence that is none stays none however often it is measured; one measurement has
    no error yet, and moves nothing.

    Source:
        the positive part of James and Stein 1961, Estimation with quadratic loss, for each task by itself.
    """
    mean, _, error = _moments(state, shares)
    kept = np.divide(error[:, None], mean**2, out=np.ones_like(mean), where=mean**2 > 0)
    shrunk = np.where(state["measured"][:, None] > 1, mean * np.maximum(0.0, 1 - kept), 0.0)
    moved: Floats = np.clip(STRENGTH * shrunk, -LIMIT, LIMIT)
    return moved


def pays(state: State, shares: Floats, spent: Floats, price: Floats) -> npt.NDArray[np.bool_]:
    """(S,) whether one more measurement is expected to gain more nats than it costs.

    It costs PRICE_OF_BUDGET x price, which must be left. With n measurements, of spread s (the variance of true
    evidence between tasks under `shares`) and noise v (the variance of a measurement), shrunk evidence has the variance
    s^2 n / (s n + v), and tilting log shares by STRENGTH x evidence makes progress faster by the factor 1 + STRENGTH x
    that, to first order, of which TRUST is believed. A learner changes with the log of what it has read, so that
    evidence from the share b of the budget is taken to be worth b / c at share c: what is measured now serves
    b log(1 / b) of the budget. Together::

        gain = PRICE_OF_BUDGET x TRUST x STRENGTH x (s^2 (n+1) / (s (n+1) + v) - s^2 n / (s n + v)) x b log(1 / b)

    From two measurements on, s and v are their estimates; before that SPREAD and NOISE, and the first two, which
    move nothing one without the other, are weighed together. No gain is expected at b = 0, nor where s is estimated as
    0: then nothing is measured ever again.

    Args:
        state: what was measured.
        shares: (S, K) of the mixture without evidence.
        spent: (S,) b, in [0, 1].
        price: (S,) of a measurement, share of the budget; NaN where it is not known: never.
    """
    n = state["measured"]
    mean, noise, error = _moments(state, shares)
    spread = np.maximum(0.0, (shares * mean**2).sum(axis=1) - error)
    spread, noise = np.where(n < 2, SPREAD, spread), np.where(n < 2, NOISE, noise)
    after = np.maximum(n + 1, 2)
    before = np.where(n < 2, 0.0, _explained(spread, noise, n))
    served = -spent * np.log(np.where(spent > 0, spent, 1.0))
    gain = TRUST * STRENGTH * (_explained(spread, noise, after) - before) * served
    cost = price * (after - n)
    worth: npt.NDArray[np.bool_] = (PRICE_OF_BUDGET * gain > PRICE_OF_BUDGET * cost) & (cost < 1 - spent)
    return worth


def _explained(spread: Floats, noise: Floats, count: Floats) -> Floats:
    """(S,) variance of shrunk evidence of so many measurements."""
    total = spread * count + noise
    found: Floats = np.divide(spread**2 * count, total, out=np.zeros_like(total), where=total > 0)
    return found


def _moments(state: State, shares: Floats) -> tuple[Floats, Floats, Floats]:
    """(S, K) mean evidence, (S,) variance of one measurement's noise, and of the mean's; 0 where it is not known."""
    n = np.maximum(state["measured"], 1)
    mean = state["total"] / n[:, None]
    around = (shares * np.maximum(state["squares"] - n[:, None] * mean**2, 0.0)).sum(axis=1)
    noise = around / np.maximum(n - 1, 1)
    return mean, noise, noise / n
