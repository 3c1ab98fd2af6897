"""Beta beliefs: the distribution function, the chance of being the best, and the two rules that use them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import betainc

from curriculum_rl.agents.bandits.autosem import AutoSeM
from curriculum_rl.agents.bandits.beta import best_of_beta, beta_below
from curriculum_rl.agents.bandits.thompson_beta import BetaThompson


@pytest.mark.parametrize(("least", "error"), [(1.0, 0.0045), (5.0, 1.5e-4), (50.0, 3e-6)])
def test_distribution_function_against_the_exact_one(least, error):
    rng = np.random.default_rng(0)
    a, b = least + rng.exponential(least, (2, 1, 300)) * rng.integers(0, 2, (2, 1, 300))
    points = np.linspace(0.002, 0.998, 200)[None]
    found = beta_below(a, b, points)
    assert np.abs(found - betainc(a[:, :, None], b[:, :, None], points[:, None])).max() < error


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 2**32 - 1), plays=st.floats(0.1, 200), arms=st.integers(1, 12))
def test_chance_of_being_best_is_what_sampling_gives(seed, plays, arms):
    rng = np.random.default_rng(seed)
    a, b = 1 + rng.exponential(plays, (2, 1, arms))
    draws = rng.beta(a, b, (40_000, arms))
    sampled = np.bincount(draws.argmax(axis=1), minlength=arms) / len(draws)
    assert np.abs(best_of_beta(a, b)[0] - sampled).max() < 0.03


def test_beliefs_at_the_edge_stay_probabilities():
    a, b = np.array([[1.0, 1e6, 1.0]]), np.array([[1e6, 1.0, 1.0]])
    assert best_of_beta(a, b)[0] == pytest.approx([0, 1, 0], abs=0.01)


def test_beta_thompson_by_hand():
    rule = BetaThompson()
    state = rule.start(1, 2)
    assert rule.probabilities(state)[0] == pytest.approx([0.5, 0.5])
    rule.update(state, np.array([[0]]), np.array([[1.0]]), np.full((1, 1, 2), 0.5))
    # Beta(2, 1) against Beta(1, 1): the integral of 2 x * x is 2/3
    assert rule.probabilities(state)[0, 0] == pytest.approx(2 / 3, abs=0.01)
    rule.update(state, np.array([[1, 1]]), np.array([[0.25, 0.5]]), np.full((1, 2, 2), 0.5))
    assert state["counts"][0].tolist() == [1, 2] and state["sums"][0].tolist() == [1, 0.75]


def test_autosem_by_hand():
    rule = AutoSeM(decay=0.5)
    state = rule.start(1, 2)
    even = np.full((1, 2, 2), 0.5)
    rule.update(state, np.array([[0, 1]]), np.array([[0.9, 0.5]]), even)  # better than lately; not better
    rule.update(state, np.array([[0, 0]]), np.array([[0.6, 0.2]]), even)
    assert state["successes"][0].tolist() == [1.5, 0] and state["failures"][0].tolist() == [1, 0.5]
    for _ in range(60):
        rule.update(state, np.array([[0, 0]]), np.array([[1.0, 1.0]]), even)
    # a_0 (2 - 2^-60) + ...: two successes a decision at decay 1/2 are worth four, the other task is back at its prior
    assert state["successes"][0] == pytest.approx([4, 0]) and state["failures"][0] == pytest.approx([0, 0])
