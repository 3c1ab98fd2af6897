"""The arithmetic of a comparison against numbers made by hand."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curriculum_rl.scripts.comparing.analysis import statistics


def test_holm_by_hand():
    # Sorted .01, .02, .04 times 3, 2, 1 is .03, .04, .04; the missing one does not count.
    assert statistics.holm([0.04, None, 0.01, 0.02]) == pytest.approx([0.04, None, 0.03, 0.04])
    # .03 x 2 = .06, then max(.06, .04): the order of p values survives.
    assert statistics.holm([0.03, 0.04]) == pytest.approx([0.06, 0.06])
    assert statistics.holm([0.7, 0.9]) == pytest.approx([1.0, 1.0])
    assert statistics.holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_never_lowers_and_keeps_the_order(p):
    adjusted: list[Any] = statistics.holm(p)
    assert all(p[i] <= adjusted[i] <= min(1.0, len(p) * p[i]) or adjusted[i] == max(adjusted) for i in range(len(p)))
    order = np.argsort(p, kind="stable")
    assert np.all(np.diff(np.array(adjusted)[order]) >= 0)


def test_sign_flip_by_hand():
    # Of the 8 signs of (1, 2, 3) two have a mean as far from 0.
    assert statistics.sign_flip([1.0, 2.0, 3.0]) == pytest.approx(2 / 8)
    # (1, -1): all four signs are at least as far as 0.
    assert statistics.sign_flip([1.0, -1.0]) == pytest.approx(1.0)
    assert statistics.sign_flip([0.5] * 10) == pytest.approx(2 / 1024)
    assert statistics.sign_flip([0.0, 0.0]) == 1.0
    assert statistics.sign_flip([1.0]) is None


def test_paired_differences_and_wins():
    pair: Any = statistics.paired([2.0, 3.0, 5.0, 4.0], [3.0, 3.0, 4.0, 6.0])
    assert pair.difference.mean == pytest.approx(-0.5)
    assert pair.difference.low < -0.5 < pair.difference.high
    assert (pair.wins, pair.seeds) == (2.5, 4)
    assert statistics.paired([2.0, 3.0], [3.0, 3.0], lower_is_better=False).wins == 0.5


def test_an_interval_needs_values_that_differ():
    assert statistics.estimate([2.0]) == statistics.Estimate(2.0, None, None)
    assert statistics.estimate([2.0, 2.0]) == statistics.Estimate(2.0, 2.0, 2.0)
    values = np.random.default_rng(0).normal(1, 1, 100)
    found = statistics.estimate(values.tolist())
    # The normal interval, which a bootstrap of 100 normal values comes close to.
    half = 1.96 * values.std() / 10
    assert found.low == pytest.approx(values.mean() - half, abs=0.03)
    assert found.high == pytest.approx(values.mean() + half, abs=0.03)


def test_headroom_by_hand():
    stratified, best = [5.0, 5.2, 5.1], [4.0, 4.1, 4.2]
    found: Any = statistics.headroom([4.5, 4.6, 4.7], stratified, best)
    assert found.mean == pytest.approx(0.5)
    assert found.low <= 0.5 <= found.high
    assert statistics.headroom(best, stratified, best) == statistics.Estimate(1.0, 1.0, 1.0)
    above: Any = statistics.headroom([3.0, 3.1, 3.2], stratified, best)
    assert above.mean == pytest.approx(2.0)


def test_no_headroom_no_share_of_it():
    assert statistics.headroom([1.0, 1.0], [2.0, 2.0], [2.5, 2.5]) is None
    # The best mixture is better on average, but not clearly: the ratio could be anything.
    assert statistics.headroom([1.0, 1.0, 1.0], [2.0, 2.0, 2.0], [1.0, 2.9, 1.9]) is None
    # Clearly better, but by less than .05 nats; just more than that is enough.
    assert statistics.headroom([1.96, 1.96], [2.0, 2.0], [1.951, 1.951]) is None
    found: Any = statistics.headroom([1.96, 1.96], [2.0, 2.0], [1.949, 1.949])
    assert found.mean == pytest.approx(0.04 / 0.051)


def test_pooled_headroom_is_a_ratio_of_sums():
    # Gains .3 and -.02, headrooms .4 and .02: (.3 - .02) / .42, not the mean of .75 and -1.
    one, other = ([4.7, 4.8], [5.0, 5.1], [4.6, 4.7]), ([3.02, 3.12], [3.0, 3.1], [2.98, 3.08])
    found: Any = statistics.pooled_headroom([one, other])
    assert found.mean == pytest.approx(0.28 / 0.42)
    assert (found.low, found.high) == (pytest.approx(0.28 / 0.42), pytest.approx(0.28 / 0.42))  # every seed alike
    # .1 and .5 gained of .4 each: resamples have both from one seed or from each, so the ends are a quarter and 1.25.
    found = statistics.pooled_headroom([([4.9, 4.5], [5.0, 5.0], [4.6, 4.6])])
    assert (found.mean, found.low, found.high) == (pytest.approx(0.75), pytest.approx(0.25), pytest.approx(1.25))
    assert statistics.pooled_headroom([other]) is None
    found = statistics.pooled_headroom([([4.7], [5.0], [4.6])])
    assert (found.mean, found.low, found.high) == (pytest.approx(0.75), None, None)


def test_reached_is_the_smallest_part_that_wins():
    scores = {0.25: [5.0, 5.0], 0.33: [4.0, 4.2], 0.5: [4.5, 4.5], 1.0: [3.0, 3.0]}
    assert statistics.reached(scores, [4.2, 4.2]) == 0.33
    assert statistics.reached(scores, [3.0, 3.0]) is None
    assert statistics.reached({0.25: []}, [3.0]) is None


def test_break_even_by_hand():
    # A run saves half of a stratified run of 10: a training of 100 is paid back after 20 runs.
    assert statistics.break_even(100, 10, 0.5) == pytest.approx(20)
    assert statistics.break_even(100, 10, 1.0) == math.inf
    assert statistics.break_even(100, 10, None) == math.inf
    assert statistics.break_even(0, 10, None) == 0
    assert [statistics.deployed(100, 10, times) for times in (1, 10, 100)] == [110, 200, 1100]
