"""The teacher-student rules: slopes, blocks, and the chance that one draw of each task is the best."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curriculum_rl.agents.bandits.tscl import Teacher, slope_weights
from curriculum_rl.agents.bandits.tscl_naive import TsclNaive
from curriculum_rl.agents.bandits.tscl_online import TsclOnline
from curriculum_rl.agents.bandits.tscl_sampling import TsclSampling, best_of_draws
from curriculum_rl.agents.bandits.tscl_window import TsclWindow
from curriculum_rl.errors import ConfigError


def fed(rule, arms, plays):
    state = rule.start(1, arms)
    for arm, reward in plays:
        rule.update(state, np.array([[arm]]), np.array([[reward]]), np.full((1, 1, arms), 1 / arms))
    return state


def test_slope_is_that_of_least_squares():
    rng = np.random.default_rng(0)
    for plays in (1, 2, 5, 10):
        gains = rng.standard_normal(plays)
        score = np.concatenate([[0], gains.cumsum()])
        expected = np.polyfit(np.arange(plays + 1), score, 1)[0]
        assert slope_weights(10)[plays, 10 - plays :] @ gains == pytest.approx(expected)
        assert slope_weights(10)[plays].sum() == pytest.approx(1)


def test_online_by_hand():
    state = fed(TsclOnline(step=0.5), 3, [(1, 1.0), (1, 2.0), (2, -4.0)])
    assert state["values"][0].tolist() == [0, 1.25, -2]
    assert TsclOnline(exploration=0.3).probabilities(state)[0] == pytest.approx([0.1, 0.8, 0.1])
    assert TsclOnline(exploration=0.0, absolute=True).probabilities(state)[0].tolist() == [0, 0, 1]


def test_a_temperature_makes_it_a_softmax():
    chances = Teacher(exploration=0.2, temperature=0.5).choose(np.array([[0.0, 0.5 * np.log(3)]]))
    assert chances[0] == pytest.approx([0.1 + 0.8 / 4, 0.1 + 0.8 * 3 / 4])


def test_naive_plays_a_block_then_learns_its_slope():
    rule = TsclNaive(window=3, step=0.5, exploration=0.0)
    state = fed(rule, 2, [(1, 1.0), (1, 3.0)])
    assert rule.probabilities(state)[0].tolist() == [0, 1] and state["values"][0].tolist() == [0, 0]
    state = fed(rule, 2, [(1, 1.0), (1, 3.0), (1, -1.0)])
    # scores 0, 1, 4, 3 over 0..3: slope (-1.5 * 0 - .5 * 1 + .5 * 4 + 1.5 * 3) / 5 = 1.2
    assert state["values"][0] == pytest.approx([0, 0.6]) and state["age"][0] == 0
    assert rule.probabilities(state)[0].tolist() == [0, 1]


def test_naive_shared_by_replicas_follows_the_first_pick():
    rule = TsclNaive(window=1, step=1.0, exploration=0.0)
    state = rule.start(1, 3)
    rule.update(state, np.array([[2, 0, 2]]), np.array([[1.0, 9.0, 3.0]]), np.full((1, 3, 3), 1 / 3))
    assert state["values"][0] == pytest.approx([0, 0, 2])


def test_window_by_hand():
    rule = TsclWindow(window=2, exploration=0.0)
    state = fed(rule, 2, [(0, 9.0), (0, 1.0), (0, 3.0)])
    assert rule.probabilities(state)[0].tolist() == [0, 1]  # never played: goes first
    state = fed(rule, 2, [(0, 9.0), (0, 1.0), (0, 3.0), (1, 1.5)])
    # scores 0, 1, 4: slope 2; of the other 1.5
    assert state["counts"][0].tolist() == [2, 1]
    assert rule.probabilities(state)[0].tolist() == [1, 0]


def test_unseen_tasks_go_first_under_a_temperature_too():
    for rule in (TsclWindow(exploration=0.0, temperature=1.0), TsclSampling(exploration=0.0)):
        assert rule.probabilities(fed(rule, 3, [(0, 9.0)]))[0].tolist() == [0, 0.5, 0.5]


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 2**32 - 1), spread=st.sampled_from([1, 2, 3, 5, 1000]))
def test_chance_of_the_best_draw_is_what_enumeration_gives(seed, spread):
    rng = np.random.default_rng(seed)
    counts = rng.integers(1, 4, size=(2, 3))
    values = rng.integers(-spread, spread, size=(2, 3, 3)).astype(float)
    for row in range(2):
        expected = np.zeros(3)
        own = [values[row, arm, 3 - counts[row, arm] :] for arm in range(3)]
        draws = list(itertools.product(*own))
        for draw in draws:
            best = np.array(draw) == max(draw)
            expected += best / best.sum() / len(draws)
        assert best_of_draws(values, counts)[row] == pytest.approx(expected)


def test_the_best_draw_among_many_tasks():
    """The shares of 600 tasks multiply to less than the smallest float where each has one value of ten."""
    values = np.random.default_rng(0).standard_normal((1, 600, 10))
    values[0, 7] += 20.0
    assert best_of_draws(values, np.full((1, 600), 10))[0, 7] == pytest.approx(1)


def test_sampling_keeps_the_last_gains():
    rule = TsclSampling(window=2, exploration=0.2)
    state = fed(rule, 2, [(0, 9.0), (0, 1.0), (0, 3.0), (1, 2.0)])
    assert rule.probabilities(state)[0] == pytest.approx([0.5, 0.5])  # 1 or 3 against 2
    assert TsclSampling(window=2, exploration=0.0, absolute=True).probabilities(state)[0] == pytest.approx([0.5, 0.5])


def test_sampling_knows_no_temperature():
    with pytest.raises(ConfigError, match="temperature"):
        TsclSampling(temperature=1.0)
