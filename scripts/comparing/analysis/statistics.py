"""The arithmetic of a comparison, on plain arrays: paired differences, intervals, Holm, headroom, break-even."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import bootstrap, permutation_test  # type: ignore[import-untyped]

Floats = npt.NDArray[np.float64]
RESAMPLES = 9999
LEAST = 0.05
"""Nats that the best static mixture has to end below stratified: of less no share can be told."""


@dataclass(frozen=True)
class Estimate:
    """A mean with its 95 % interval; None where the values do not give one.

    Attributes:
        mean: the estimate.
        low: lower end of the interval.
        high: its upper end.
    """

    mean: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Paired:
    """One agent against a reference, seed by seed.

    Attributes:
        difference: agent minus reference, in the figure's own unit.
        p: two-sided sign-flip test of no difference; None below two seeds.
        wins: seeds in which the agent is better; a tie is half a win.
        seeds: that both finished.
    """

    difference: Estimate
    p: float | None
    wins: float
    seeds: int


def estimate(values: Sequence[float]) -> Estimate:
    """The mean of some values with its bootstrap interval.

    Source: Efron 1979, the percentile bootstrap. With few values it is too narrow; with one there is none.
    """
    array = np.asarray(values, np.float64)
    mean = float(array.mean())
    if len(array) < 2:
        return Estimate(mean, None, None)
    if np.ptp(array) == 0:
        return Estimate(mean, mean, mean)
    ends = bootstrap((array,), np.mean, n_resamples=RESAMPLES, method="percentile", rng=0).confidence_interval
    return Estimate(mean, float(ends.low), float(ends.high))


def paired(values: Sequence[float], reference: Sequence[float], *, lower_is_better: bool = True) -> Paired:
    """Compare figures that stand under the same seeds, in the same order."""
    difference = np.asarray(values, np.float64) - np.asarray(reference, np.float64)
    better = difference < 0 if lower_is_better else difference > 0
    wins = float(better.sum() + (difference == 0).sum() / 2)
    return Paired(estimate(difference.tolist()), sign_flip(difference.tolist()), wins, len(difference))


def sign_flip(differences: Sequence[float]) -> float | None:
    """Two-sided p of the hypothesis that the differences are as likely to have the other sign.

    With n differences it cannot be below 2 / 2^n: two seeds never give less than .5, ten .002.

    Source: Fisher 1935, The Design of Experiments, section 21; exact up to 13 seeds, sampled beyond.
    """
    array = np.asarray(differences, np.float64)
    if len(array) < 2:
        return None
    if not array.any():
        return 1.0
    test = permutation_test(
        (array,), np.mean, permutation_type="samples", vectorized=True, n_resamples=RESAMPLES, rng=0
    )
    return float(test.pvalue)


def holm(p: Sequence[float | None]) -> list[float | None]:
    """P values adjusted for how many there are; None stays None and does not count.

    Source: Holm 1979, "A simple sequentially rejective multiple test procedure".
    """
    known = sorted((value, place) for place, value in enumerate(p) if value is not None)
    adjusted: list[float | None] = [None] * len(p)
    highest = 0.0
    for rank, (value, place) in enumerate(known):
        highest = max(highest, min(1.0, (len(known) - rank) * value))
        adjusted[place] = highest
    return adjusted


def headroom(agent: Sequence[float], stratified: Sequence[float], best: Sequence[float]) -> Estimate | None:
    """(agent - stratified) / (best static - stratified) of the means, seeds resampled together.

    None where there is no headroom to capture: the best static mixture's mean is less than LEAST below stratified's,
    or the interval of that difference holds 0, so that the ratio could be anything. Figures are lower-is-better.
    """
    first, second, third = (np.asarray(column, np.float64) for column in (agent, stratified, best))
    room = estimate((second - third).tolist())
    if room.mean < LEAST or (room.low is not None and room.low <= 0):
        return None

    def ratio(a: Floats, s: Floats, b: Floats, axis: int = -1) -> Floats:
        return np.asarray((s.mean(axis=axis) - a.mean(axis=axis)) / (s.mean(axis=axis) - b.mean(axis=axis)))

    share = float(ratio(first, second, third))
    if len(first) < 2:
        return Estimate(share, None, None)
    columns, how = (first, second, third), {"paired": True, "vectorized": True, "method": "percentile"}
    found = bootstrap(columns, ratio, n_resamples=RESAMPLES, rng=0, **how)
    low, high = float(found.confidence_interval.low), float(found.confidence_interval.high)
    return Estimate(share, low, high) if math.isfinite(low) and math.isfinite(high) else Estimate(share, None, None)


def pooled_headroom(families: Sequence[tuple[Sequence[float], Sequence[float], Sequence[float]]]) -> Estimate | None:
    """The sum of several families' gains over the sum of their headrooms; seeds resampled within each family.

    None where the sum of headrooms is less than LEAST.

    Args:
        families: losses of the agent, of stratified and of the best static mixture, under the same seeds.
    """
    columns = [np.asarray(family, np.float64) for family in families]
    gain, room = (sum(float((one[1] - one[of]).mean()) for one in columns) for of in (0, 2))
    if room < LEAST:
        return None
    if min(one.shape[1] for one in columns) < 2:
        return Estimate(gain / room, None, None)
    draw, gains, rooms = np.random.default_rng(0), np.zeros(RESAMPLES), np.zeros(RESAMPLES)
    for one in columns:
        chosen = draw.integers(one.shape[1], size=(RESAMPLES, one.shape[1]))
        gains += (one[1] - one[0])[chosen].mean(axis=1)
        rooms += (one[1] - one[2])[chosen].mean(axis=1)
    low, high = np.percentile(gains / rooms, (2.5, 97.5))
    return Estimate(gain / room, float(low), float(high))


def reached(scores: Mapping[float, Sequence[float]], reference: Sequence[float]) -> float | None:
    """The smallest share of the budget whose complete runs' mean loss is below the reference's; None: none is.

    Args:
        scores: final losses by share of the budget.
        reference: final losses at the whole budget.
    """
    goal = float(np.mean(reference))
    return next((share for share in sorted(scores) if len(scores[share]) and np.mean(scores[share]) < goal), None)


def break_even(setup: float, run: float, reach: float | None) -> float:
    """Runs after which what a setup cost is saved again; infinite where nothing is saved.

    Args:
        setup: training or search, in any unit of cost.
        run: a stratified run, in the same.
        reach: share of a run's budget at which stratified's final score is reached; None: it is not.
    """
    saving = 0.0 if reach is None else 1 - reach
    if setup <= 0:
        return 0.0
    return math.inf if saving <= 0 else setup / (run * saving)


def deployed(setup: float, run: float, times: int) -> float:
    """What a setup and that many runs cost together."""
    return setup + times * run
