"""Trend UCB: finds how gains fall, compares tasks by what is left, and reads gains as they are."""

from typing import Any

import numpy as np
import pytest

from curriculum_rl.agents import make
from curriculum_rl.agents.bandits.trend_ucb import TrendUCB
from curriculum_rl.agents.shell.memory import Memory
from curriculum_rl.agents.shell.scaling import GainScaling


def told(rule, arms, plays):
    state = rule.start(1, arms)
    for arm, gain in plays:
        rule.update(state, np.array([[arm]]), np.array([[gain]]), np.full((1, 1, arms), 1 / arms))
    return state


def test_sums_by_hand():
    """Half-life 4: the level is 1, 4/5, 4/6 at decisions 0, 1, 2; the discount counts in decisions."""
    state = told(TrendUCB(discount=0.5), 2, [(0, 8.0), (1, 4.0), (0, 2.0)])
    assert state["counts"][0].tolist() == [1.25, 0.5]
    assert state["sums"][0, 0] == pytest.approx([2 + 3, 2.5])
    assert state["sums"][0, -1] == pytest.approx([2 + 2, 2])
    assert state["squares"][0, 0] == pytest.approx(16 + 12.5 + 9)
    assert state["logs"][0, 0] == pytest.approx(0.5 * np.log(4 / 5) + np.log(4 / 6))


def test_limits_by_hand():
    """Level gains: the best mean is played with width 0, the rarest task with a wide one."""
    plays = [(0, 1.0), (1, 1.4), (0, 1.1), (0, 0.9), (0, 1.0), (0, 1.05)]
    for width, expected in ((0.0, [0, 1]), (50.0, [0, 1])):
        assert TrendUCB(width=width).probabilities(told(TrendUCB(), 2, plays))[0].tolist() == expected
    worse = [(arm, 2 - gain) for arm, gain in plays]
    for width, expected in ((0.0, [1, 0]), (50.0, [0, 1])):
        assert TrendUCB(width=width).probabilities(told(TrendUCB(), 2, worse))[0].tolist() == expected


def test_a_steep_fall_does_not_hide_the_better_task():
    """Task 1 gains half as much again, but is only played late, when every gain is a fifth of the first ones."""
    level = 1 / (1 + np.arange(40) / 9)
    plays = [(0, gain) for gain in level[:30]] + [(1, 1.5 * gain) for gain in level[30:34]]
    wiggle = 1 + 0.05 * np.sin(np.arange(34.0))
    plays = [(arm, gain * noise) for (arm, gain), noise in zip(plays, wiggle, strict=True)]
    assert TrendUCB(width=0.1).probabilities(told(TrendUCB(), 2, plays))[0].tolist() == [0, 1]


def test_a_failed_segment_counts_against_its_task():
    sound = [(0, 1.0), (1, 1.0), (0, 1.2), (1, 1.1), (0, 0.9)]
    before, after = (told(TrendUCB(discount=1.0), 2, plays) for plays in (sound, [*sound, (1, np.nan)]))
    means = [state["sums"][0, -1] / state["counts"][0] for state in (before, after)]
    assert np.isfinite(means).all() and means[1][1] < means[0][1] - 0.05 and means[1][0] == means[0][0]


def test_first_plays_that_fail_are_counted_as_nothing():
    state = told(TrendUCB(discount=1.0), 2, [(0, np.nan), (1, np.nan)])
    assert TrendUCB().probabilities(state)[0].tolist() == [0.5, 0.5]


def test_memory_hands_on_gains_as_they_are():
    memory = Memory(TrendUCB(), GainScaling(), replicas=3, arms=2, entropy=0, pooled=True)
    memory.executed = memory.probabilities(3)
    memory.update(np.array([0, 0, 1]), np.array([100.0, 300.0, 70.0]))
    assert memory._state["sums"][0, -1].tolist() == [400, 70] and memory._state["time"][0] == 1


def test_finds_the_good_task_where_gains_fall(bandit_env):
    agent: Any = make("trend-ucb", bandit_env(horizon=200), seed=0).learn(200)
    late = agent.rule.probabilities(agent._memory._state)[0]
    assert late.argmax() == 3 and agent._memory._state["counts"][0, 3] > 50
