"""The library MABWiser as a second opinion on our UCB1, epsilon-greedy and Thompson."""

from typing import Any

import numpy as np
import pytest

from curriculum_rl.agents.bandits.eps_greedy import EpsilonGreedy
from curriculum_rl.agents.bandits.thompson_beta import BetaThompson
from curriculum_rl.agents.bandits.ucb1 import UCB1, upper_limits
from curriculum_rl.agents.rule import draw

library: Any = pytest.importorskip("mabwiser.mab", reason="the library mabwiser is not installed")
ARMS = 5


def histories(rule, steps=60, seed=0):
    """Plays that our rule picks: its state and probabilities, and of each task the rewards of 0 or 1 so far."""
    rng = np.random.default_rng(seed)
    state = rule.start(1, ARMS)
    paid: list[list[float]] = [[] for _ in range(ARMS)]
    for _ in range(steps):
        chances = rule.probabilities(state)
        if all(paid):
            yield state, chances, paid
        played = draw(chances, rng.random(1))[:, None]
        reward = (rng.random((1, 1)) < 0.3 + 0.1 * played).astype(float)
        rule.update(state, played, reward, chances[:, None])
        paid[played.item()].append(reward.item())


def fitted(policy, paid):
    """The library's own object after these plays."""
    theirs = library.MAB(list(range(ARMS)), policy, seed=0)
    tasks = np.repeat(np.arange(ARMS), [len(rewards) for rewards in paid])
    theirs.fit(decisions=tasks, rewards=np.concatenate(paid))
    return theirs


def expectations(policy, paid):
    expected = fitted(policy, paid).predict_expectations()
    return [expected[task] for task in range(ARMS)]


def test_ucb1_agrees():
    for state, chances, paid in histories(UCB1()):
        expected = np.array(expectations(library.LearningPolicy.UCB1(alpha=1.0), paid))
        assert upper_limits(state["counts"], state["sums"], 2.0)[0] == pytest.approx(expected)
        assert expected[chances[0] > 0] == pytest.approx(expected.max())


def test_epsilon_greedy_means_agree():
    for state, _, paid in histories(EpsilonGreedy(exploration=0.5)):
        expected = expectations(library.LearningPolicy.EpsilonGreedy(epsilon=0), paid)
        assert state["values"][0] == pytest.approx(expected)


def test_thompson_agrees():
    gaps = []
    for _, chances, paid in histories(BetaThompson(), steps=40):
        theirs = fitted(library.LearningPolicy.ThompsonSampling(), [np.array(rewards, int) for rewards in paid])
        picks = np.bincount([theirs.predict() for _ in range(1000)], minlength=ARMS)
        gaps.append(np.abs(chances[0] - picks / 1000).max())
    assert len(gaps) > 10 and max(gaps) < 0.07
