"""MABWiser through our adapter, and as a second opinion on our own UCB1, epsilon-greedy and Thompson."""

import importlib

import numpy as np
import pytest

from curriculum_rl.agents import load, make
from curriculum_rl.agents.bandits.eps_greedy import EpsilonGreedy
from curriculum_rl.agents.bandits.mabwiser import POLICIES, Mabwiser
from curriculum_rl.agents.bandits.thompson_beta import BetaThompson
from curriculum_rl.agents.bandits.ucb1 import UCB1, upper_limits
from curriculum_rl.agents.rule import draw
from curriculum_rl.agents.table import options_of
from curriculum_rl.errors import ConfigError


@pytest.fixture
def library():
    return pytest.importorskip("mabwiser.mab", reason="the optional library mabwiser is not installed")


def histories(rule, other, steps=60, arms=5, seed=0):
    """Both rules told of the same plays, which ours picks; yields (ours, theirs) probabilities."""
    rng = np.random.default_rng(seed)
    states = rule.start(1, arms), other.start(1, arms)
    for _ in range(steps):
        chances = rule.probabilities(states[0]), other.probabilities(states[1])
        yield (*chances, *states)
        played = draw(chances[0], rng.random(1))[:, None]
        reward = (rng.random((1, 1)) < 0.3 + 0.1 * played).astype(float)
        for one, state in zip((rule, other), states, strict=True):
            one.update(state, played, reward, chances[0][:, None])


def test_ucb1_agrees(library):
    for ours, theirs, state, _ in histories(UCB1(), Mabwiser()):
        if (state["counts"] > 0).all():
            fitted = Mabwiser().fitted(state["counts"][0].astype(int), state["sums"][0])
            expected = [fitted.predict_expectations()[arm] for arm in range(5)]
            assert upper_limits(state["counts"], state["sums"], 2.0)[0] == pytest.approx(expected)
        assert ours[0] @ theirs[0] > 0.19  # both picks among the same best, but for ties told apart by rounding


def test_epsilon_greedy_means_agree(library):
    for _, _, state, other in histories(EpsilonGreedy(exploration=0.5), Mabwiser(learning_policy="epsilon-greedy")):
        if (other["counts"] > 0).all():
            fitted = Mabwiser(learning_policy="epsilon-greedy").fitted(other["counts"][0], other["sums"][0])
            expected = [fitted.predict_expectations()[arm] for arm in range(5)]
            assert state["values"][0] == pytest.approx(expected)


def test_thompson_agrees(library):
    gaps = []
    for ours, theirs, _, other in histories(BetaThompson(), Mabwiser(learning_policy="thompson", draws=1000), steps=40):
        if (other["counts"] > 0).all():
            gaps.append(np.abs(ours - theirs).max())
    assert len(gaps) > 10 and max(gaps) < 0.07


@pytest.mark.parametrize("policy", POLICIES)
def test_every_policy_gives_probabilities_and_is_a_function_of_its_plays(policy, library):
    rule = Mabwiser(learning_policy=policy, draws=50)
    rng = np.random.default_rng(0)
    state = rule.start(2, 3)
    for _ in range(12):
        chances = rule.probabilities(state)
        assert np.allclose(chances.sum(axis=1), 1) and np.array_equal(chances, rule.probabilities(state))
        rule.update(state, draw(chances, rng.random(2))[:, None], rng.random((2, 1)), chances[:, None])


def test_mistakes_get_one_line(monkeypatch):
    with pytest.raises(ConfigError, match="policy: 'exp3' must be one of ucb1"):
        Mabwiser(learning_policy="exp3")

    def missing(name):
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(ConfigError, match=r"mabwiser is not installed; pip install 'curriculum-rl\[mabwiser\]'"):
        Mabwiser()


def test_the_agents_option_is_called_policy(library, bandit_env, tmp_path):
    assert options_of("mabwiser")[:3] == ("policy", "alpha", "epsilon")
    agent = make("mabwiser", bandit_env(), policy="softmax", draws=5).learn(8)
    assert agent.rule.learning_policy == "softmax"
    agent.save(tmp_path / "agent")
    assert load("mabwiser", tmp_path / "agent").rule == agent.rule
