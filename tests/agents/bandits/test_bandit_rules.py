"""The rules as arithmetic: the contract, steps by hand, and a problem with an answer."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curriculum_rl.agents.bandits.autosem import AutoSeM
from curriculum_rl.agents.bandits.boltzmann import Boltzmann
from curriculum_rl.agents.bandits.d_ucb import DiscountedUCB
from curriculum_rl.agents.bandits.eps_greedy import EpsilonGreedy
from curriculum_rl.agents.bandits.exp3 import Exp3
from curriculum_rl.agents.bandits.exp3_ix import Exp3IX
from curriculum_rl.agents.bandits.exp3s import Exp3S
from curriculum_rl.agents.bandits.exp3s_graves import GravesExp3S
from curriculum_rl.agents.bandits.mometas import Mometas
from curriculum_rl.agents.bandits.sw_ucb import SlidingWindowUCB
from curriculum_rl.agents.bandits.thompson import DiscountedThompson, probability_of_best
from curriculum_rl.agents.bandits.thompson_beta import BetaThompson
from curriculum_rl.agents.bandits.thompson_gaussian import GaussianThompson
from curriculum_rl.agents.bandits.trend_ucb import TrendUCB
from curriculum_rl.agents.bandits.tscl_naive import TsclNaive
from curriculum_rl.agents.bandits.tscl_online import TsclOnline
from curriculum_rl.agents.bandits.tscl_sampling import TsclSampling
from curriculum_rl.agents.bandits.tscl_window import TsclWindow
from curriculum_rl.agents.bandits.ucb1 import UCB1
from curriculum_rl.agents.rule import add_plays, check, draw, greedy, mean_of_plays, of_plays, one_hot, softmax
from curriculum_rl.errors import ConfigError
from curriculum_rl.testing.rules import RuleContract

SCALED = [
    Exp3S(),
    Exp3S(step=1e3, implicit=0.0, sharing=None),
    SlidingWindowUCB(),
    SlidingWindowUCB(window=1.5),
    DiscountedThompson(),
    DiscountedThompson(noise=1e-3, discount=1.0),
    GravesExp3S(),
    EpsilonGreedy(),
    EpsilonGreedy(step=0.5, exploration=0.0),
    Boltzmann(),
    TsclOnline(absolute=True),
    TsclNaive(window=3),
    TsclWindow(window=3),
    TsclWindow(temperature=0.5),
    TsclSampling(window=3),
    Mometas(),
    TrendUCB(),
    TrendUCB(discount=0.9),
]
UNIT = [
    UCB1(),
    DiscountedUCB(),
    DiscountedUCB(discount=0.5),
    BetaThompson(),
    GaussianThompson(),
    Exp3(),
    Exp3(exploration=1.0),
    Exp3IX(),
    Exp3IX(step=0.5),
    AutoSeM(),
]


class TestRules(RuleContract):
    @pytest.fixture(params=SCALED + UNIT, ids=repr)
    def rule(self, request):
        return request.param


def test_exp3s_first_update_by_hand():
    """Graves's rule with a = 1/2 at the first update (t = 2), written out for K = 3, arm 1, r = .6."""
    rule = Exp3S(step=0.5, exploration=0.05, sharing=None, implicit=0.0)
    state = rule.start(1, 3)
    probabilities = rule.probabilities(state)
    assert np.allclose(probabilities, 1 / 3)
    rule.update(state, np.array([1]), np.array([0.6]), probabilities)
    lifted = np.exp(np.array([0, 0.5 * 0.6 * 3, 0]))
    mixed = [0.5 * lifted[i] + 0.5 / 2 * (lifted.sum() - lifted[i]) for i in range(3)]
    expected = 0.95 * np.array(mixed) / sum(mixed) + 0.05 / 3
    assert np.allclose(rule.probabilities(state)[0], expected)


def test_exp3s_implicit_exploration_divides_by_more():
    rule = Exp3S(step=0.5, exploration=0.2, sharing=0.0, implicit=0.25)
    state = rule.start(1, 4)
    rule.update(state, np.array([0]), np.array([1.0]), rule.probabilities(state))
    weights = np.exp(np.array([0.5 / (0.25 + 0.25), 0, 0, 0]))
    assert np.allclose(rule.probabilities(state)[0], 0.8 * weights / weights.sum() + 0.05)


def test_sw_ucb_index_by_hand_and_forgetting():
    rule = SlidingWindowUCB(window=2.0, width=0.5)  # K = 2: four plays
    state = rule.start(1, 2)
    assert np.allclose(rule.probabilities(state), 0.5)
    for arm, reward in ((0, 1.0), (1, 0.4), (0, 0.0), (0, 0.2)):
        rule.update(state, np.array([arm]), np.array([reward]), rule.probabilities(state))
    # means .4 and .4, counts 3 and 1: the rarer arm has the wider limit
    assert rule.probabilities(state)[0].tolist() == [0, 1]
    counts, sums = state["window"][0]
    assert counts.tolist() == [3, 1] and sums == pytest.approx([1.2, 0.4])
    rule.update(state, np.array([1]), np.array([-5.0]), rule.probabilities(state))  # the first play goes
    assert counts.tolist() == [2, 2] and sums == pytest.approx([0.2, -4.6])
    for _ in range(3):
        rule.update(state, np.array([0]), np.array([9.0]), rule.probabilities(state))
    rule.update(state, np.array([0]), np.array([9.0]), rule.probabilities(state))
    assert rule.probabilities(state)[0].tolist() == [0, 1]  # arm 1 left the window: unknown again, so it goes first


def test_thompson_posterior_by_hand():
    rule = DiscountedThompson(discount=0.5, prior_plays=1.0, noise=2.0)
    state = rule.start(1, 2)
    for arm, reward in ((0, 1.0), (1, 4.0)):
        rule.update(state, np.array([arm]), np.array([reward]), rule.probabilities(state))
    assert state["counts"][0].tolist() == [0.5, 1.0] and state["sums"][0].tolist() == [0.5, 4.0]
    # beliefs N(1/3, 4/1.5) and N(2, 4/2): P(second is larger) = Phi((2 - 1/3) / sqrt(4/1.5 + 2))
    assert rule.probabilities(state)[0, 1] == pytest.approx(0.7798, abs=2e-3)


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 2**32 - 1), spread=st.floats(0.01, 3), arms=st.integers(2, 20))
def test_probability_of_best_is_what_sampling_gives(seed, spread, arms):
    rng = np.random.default_rng(seed)
    means, deviations = spread * rng.standard_normal((1, arms)), rng.uniform(0.05, 1, (1, arms))
    draws = means + deviations * rng.standard_normal((40_000, arms))
    sampled = np.bincount(draws.argmax(axis=1), minlength=arms) / len(draws)
    assert np.abs(probability_of_best(means, deviations)[0] - sampled).max() < 0.03


def test_exp3s_takes_the_mean_of_the_estimates_of_one_decision():
    """Arm 1 twice and arm 0 once, each with its own propensities, and one time step."""
    rule = Exp3S(step=0.6, exploration=0.1, sharing=0.0, implicit=0.25)
    state = rule.start(1, 3)
    executed = np.array([[[0.5, 0.25, 0.25], [0.25, 0.75, 0.0], [0.25, 0.25, 0.5]]])
    rule.update(state, np.array([[1, 1, 0]]), np.array([[1.0, -2.0, 0.5]]), executed)
    lifts = np.array([0.5 / 0.5, 1 / 0.5 - 2 / 1.0, 0]) * 0.6 / 3
    expected = 0.9 * np.exp(lifts) / np.exp(lifts).sum() + 0.1 / 3
    assert rule.probabilities(state)[0] == pytest.approx(expected) and state["time"][0] == 2


def test_thompson_discounts_once_a_decision():
    rule = DiscountedThompson(discount=0.5, prior_plays=1.0, noise=2.0)
    state = rule.start(1, 2)
    even = np.full((1, 3, 2), 0.5)
    rule.update(state, np.array([[0, 0, 1]]), np.array([[1.0, 3.0, -1.0]]), even)
    rule.update(state, np.array([[1, 1, 1]]), np.array([[1.0, 1.0, 1.0]]), even)
    assert state["counts"][0].tolist() == [1.0, 3.5] and state["sums"][0].tolist() == [2.0, 2.5]


def test_sw_ucb_forgets_whole_decisions():
    rule = SlidingWindowUCB(window=1.5, width=0.0)  # K = 2: three decisions
    state = rule.start(1, 2)
    even = np.full((1, 2, 2), 0.5)
    for arms, rewards in (([0, 0], [1.0, 2.0]), ([0, 1], [3.0, 4.0]), ([1, 1], [5.0, 6.0])):
        rule.update(state, np.array([arms]), np.array([rewards]), even)
    assert state["window"][0].tolist() == [[3, 3], [6, 15]]
    rule.update(state, np.array([[0, 1]]), np.array([[-1.0, -2.0]]), even)
    assert state["window"][0].tolist() == [[2, 4], [2, 13]]
    assert rule.probabilities(state)[0].tolist() == [0, 1]


def test_plays_of_one_arm_add_up():
    sums = np.zeros((2, 3))
    add_plays(sums, np.array([[0, 0], [2, 1]]), np.array([[1.0, 2.0], [4.0, 8.0]]))
    assert sums.tolist() == [[3, 0, 0], [0, 8, 4]]
    assert of_plays(sums[:, None].repeat(2, axis=1), np.array([[0, 1], [2, 2]])).tolist() == [[3, 0], [4, 4]]


@pytest.mark.parametrize("arms", [np.array([1]), np.array([[1]])], ids=["flat", "with its axis"])
def test_a_lone_play(arms):
    sums = np.array([[1.0, 2.0, 3.0]])
    assert of_plays(sums.reshape(*arms.shape, 3), arms).tolist() == np.full(arms.shape, 2.0).tolist()
    add_plays(sums, arms, 0.5)
    add_plays(sums, arms, np.full(arms.shape, 4.0))
    assert sums.tolist() == [[1, 6.5, 3]]


def test_mean_of_plays():
    plays, means = mean_of_plays(np.array([[0, 0, 2]]), np.array([[1.0, 2.0, -4.0]]), 3)
    assert plays.tolist() == [[2, 0, 1]] and means.tolist() == [[1.5, 0, -4]]


def test_greedy_splits_ties_and_explores():
    assert greedy(np.array([[1.0, 3.0, 3.0], [np.inf, 1.0, 2.0]])).tolist() == [[0, 0.5, 0.5], [1, 0, 0]]
    assert greedy(np.array([[1.0, 0.0]]), 0.5)[0] == pytest.approx([0.75, 0.25])
    assert softmax(np.array([[1000.0, 1000.0 + np.log(3)]]))[0] == pytest.approx([0.25, 0.75])


def test_draw_inverts_the_distribution():
    probabilities = np.array([[0.0, 0.25, 0.75, 0.0]])
    assert [int(draw(probabilities, np.array([u]))[0]) for u in (0.0, 0.2499, 0.25, 0.999999)] == [1, 1, 2, 2]
    assert one_hot(np.array([1]), 3).tolist() == [[0, 1, 0]]


@pytest.mark.parametrize(
    ("rule", "limit"), [(Exp3S(), 0.5), (SlidingWindowUCB(), 0.4), (DiscountedThompson(), 0.4)], ids=repr
)
def test_regret_on_a_noisy_problem(rule, limit):
    """K = 6, T = 300, one arm better by .7 standard deviations: regret as a share of uniform's, over 100 seeds."""
    rng = np.random.default_rng(0)
    seeds, arms = 100, 6
    state, picked = rule.start(seeds, arms), 0.0
    for _ in range(300):
        probabilities = rule.probabilities(state)
        played = draw(probabilities, rng.random(seeds))
        rule.update(state, played, 0.7 * (played == 2) - 0.12 + rng.standard_normal(seeds), probabilities)
        picked += float(probabilities[:, 2].mean()) / 300
    assert (1 - picked) / (1 - 1 / arms) < limit


@pytest.mark.parametrize(
    ("value", "bounds", "message"),
    [
        (2, {"most": 1}, "x: 2 must be a number at most 1"),
        (0, {"above": 0, "most": 1}, "x: 0 must be a number above 0 and at most 1"),
        (1.5, {"whole": True}, "x: 1.5 must be a whole number"),
        ("3", {}, "x: 3 must be a number"),
        (np.nan, {}, "x: nan must be a number"),
        (None, {"least": 0}, "x: None must be a number at least 0"),
    ],
)
def test_settings_out_of_bounds_are_named(value, bounds, message):
    with pytest.raises(ConfigError, match=f"^{message}$"):
        check("x", value, **bounds)
