"""Updates of the value, UCB, EXP3 and Thompson rules, each against numbers by hand."""

import math

import numpy as np
import pytest

from curriculum_rl.agents.bandits.boltzmann import Boltzmann
from curriculum_rl.agents.bandits.d_ucb import DiscountedUCB
from curriculum_rl.agents.bandits.eps_greedy import EpsilonGreedy
from curriculum_rl.agents.bandits.exp3 import Exp3
from curriculum_rl.agents.bandits.exp3_ix import Exp3IX
from curriculum_rl.agents.bandits.exp3s import Exp3S
from curriculum_rl.agents.bandits.exp3s_graves import GravesExp3S
from curriculum_rl.agents.bandits.mometas import Mometas
from curriculum_rl.agents.bandits.thompson_gaussian import GaussianThompson
from curriculum_rl.agents.bandits.ucb1 import UCB1
from curriculum_rl.agents.rule import draw


def fed(rule, arms, *decisions, executed=None):
    """The state after decisions, each a list of (arm, reward) plays."""
    state = rule.start(1, arms)
    for plays in decisions:
        chances = rule.probabilities(state) if executed is None else np.array([executed])
        rule.update(
            state,
            np.array([[arm for arm, _ in plays]]),
            np.array([[reward for _, reward in plays]]),
            chances[:, None].repeat(len(plays), axis=1),
        )
    return state


def test_epsilon_greedy_by_hand():
    rule = EpsilonGreedy(exploration=0.3)
    state = fed(rule, 3, [(1, 1.0)], [(1, 2.0), (1, 6.0)], [(0, -1.0)])
    assert state["values"][0] == pytest.approx([-1, 3, 0]) and state["counts"][0].tolist() == [1, 3, 0]
    assert rule.probabilities(state)[0] == pytest.approx([0.1, 0.8, 0.1])
    constant = fed(EpsilonGreedy(step=0.5), 2, [(0, 1.0)], [(0, 2.0), (0, 6.0)])
    assert constant["values"][0] == pytest.approx([0.5 + 0.5 * (4 - 0.5), 0])


def test_boltzmann_by_hand():
    rule = Boltzmann(temperature=2.0)
    state = fed(rule, 2, [(0, 1.0)], [(0, 3.0)])
    assert rule.probabilities(state)[0, 0] == pytest.approx(math.e / (1 + math.e))


def test_ucb1_by_hand():
    rule = UCB1()
    state = fed(rule, 2, [(0, 1.0)])
    assert rule.probabilities(state)[0].tolist() == [0, 1]  # never played: goes first
    state = fed(rule, 2, [(0, 1.0)], [(1, 0.0)], [(0, 0.6)])
    # .8 + sqrt(2 ln 3 / 2) = 1.848; 0 + sqrt(2 ln 3) = 1.482
    assert rule.probabilities(state)[0].tolist() == [1, 0]
    for _ in range(3):
        rule.update(state, np.array([[0]]), np.array([[0.0]]), np.ones((1, 1, 2)))
    # .32 + sqrt(2 ln 6 / 5) = 1.167; sqrt(2 ln 6) = 1.893
    assert rule.probabilities(state)[0].tolist() == [0, 1]


def test_discounted_ucb_by_hand():
    rule = DiscountedUCB(discount=0.5, width=0.5)
    state = fed(rule, 2, [(0, 1.0)], [(1, 0.5)], [(1, 1.0), (1, 0.0)])
    assert state["counts"][0].tolist() == [0.25, 2.5] and state["sums"][0].tolist() == [0.25, 1.25]
    # t = 2.75: 1 + 2 sqrt(.5 ln t / .25) = 3.845; .5 + 2 sqrt(.5 ln t / 2.5) = 1.400
    assert rule.probabilities(state)[0].tolist() == [1, 0]


def test_gaussian_thompson_by_hand():
    rule = GaussianThompson(prior_plays=1.0, noise=2.0)
    state = fed(rule, 2, [(0, 1.0)], [(1, 0.5), (1, 1.0)])
    # N(.5, 4/2) and N(.5, 4/3): even; then one more success for the second
    assert rule.probabilities(state)[0] == pytest.approx([0.5, 0.5], abs=2e-3)
    rule.update(state, np.array([[1]]), np.array([[1.0]]), np.ones((1, 1, 2)))
    # N(.5, 2) and N(.625, 1): Phi(.125 / sqrt 3) = .5288
    assert rule.probabilities(state)[0, 1] == pytest.approx(0.5288, abs=3e-3)


def test_exp3_by_hand():
    rule = Exp3(exploration=0.2)
    state = fed(rule, 2, [(0, 0.5), (1, 1.0)], executed=[0.25, 0.75])
    # the mean of the two estimates: .2 / 2 * (.5 / .25, 1 / .75) / 2
    lifts = np.exp(np.array([0.1, 0.1 * (1 / 0.75) / 2]))
    assert rule.probabilities(state)[0] == pytest.approx(0.8 * lifts / lifts.sum() + 0.1)


def test_exp3_ix_by_hand():
    rule = Exp3IX()
    state = fed(rule, 2, [(0, 0.4)])
    first = math.sqrt(math.log(2) / 2)
    assert state["losses"][0] == pytest.approx([0.6 / (0.5 + first / 2), 0]) and state["time"][0] == 2
    second = math.sqrt(math.log(2) / 4)
    weights = np.exp(-second * state["losses"][0])
    assert rule.probabilities(state)[0] == pytest.approx(weights / weights.sum())
    fixed = fed(Exp3IX(step=0.5), 2, [(0, 0.4), (1, 1.0)], executed=[0.5, 0.5])
    assert fixed["losses"][0] == pytest.approx([0.6 / 0.75 / 2, 0])


def test_graves_settings_are_exp3s_with_the_published_values():
    rng = np.random.default_rng(0)
    ours, same = GravesExp3S(), Exp3S(step=1e-3, sharing=None, implicit=0.0)
    states = [ours.start(1, 4), same.start(1, 4)]
    for _ in range(50):
        chances = ours.probabilities(states[0])
        arms, reward = draw(chances, rng.random(1))[:, None], rng.standard_normal((1, 1))
        for rule, state in zip((ours, same), states, strict=True):
            rule.update(state, arms, reward, chances[:, None])
    assert np.array_equal(ours.probabilities(states[0]), same.probabilities(states[1]))
    assert ours.exploration == 0.05


def test_mometas_moves_along_the_gradient():
    """The step against numerical differences of R log p[a] + entropy * H(p), mean over the plays."""
    rule = Mometas(step=0.1, entropy=2.0)
    state = rule.start(1, 3)
    start = np.array([0.3, -0.2, 0.1])
    state["logits"][0] = start
    plays = [(1, 0.7), (2, -1.5)]

    def objective(logits):
        chances = np.exp(logits) / np.exp(logits).sum()
        earned = np.mean([reward * np.log(chances[arm]) for arm, reward in plays])
        return earned - 2.0 * (chances * np.log(chances)).sum()

    gradient = [(objective(start + d) - objective(start - d)) / 2e-6 for d in 1e-6 * np.eye(3)]
    rule.update(state, np.array([[1, 2]]), np.array([[0.7, -1.5]]), np.full((1, 2, 3), 1 / 3))
    moved = start + 0.1 * np.array(gradient)
    expected = np.exp(moved) / np.exp(moved).sum()
    assert rule.probabilities(state)[0] == pytest.approx(expected, abs=1e-8)
