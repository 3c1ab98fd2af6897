"""Bandits against problems with known answers; every gate must also fail three rules that do not work."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pytest
from regret import Certificate, Numbered, play, tuned

from curriculum_rl.agents import make
from curriculum_rl.agents.bandits.lin_ucb import LinUCB
from curriculum_rl.agents.baselines.fixed import Always, Even
from curriculum_rl.agents.shell.scaling import GainScaling
from curriculum_rl.envs.closed_form.problems import KNOWN, Bernoulli, Falling, stationary

STATIONARY, SWITCHES, WAVE = KNOWN[:3]
TWO = Bernoulli("two arms", 2, stationary)
SHORT = Falling("falling", 12, 120)

# rule, which settings, problem, largest regret in % of uniform's
GATES = [
    ("thompson-beta", "default", STATIONARY, 8),
    ("ucb1", "default", STATIONARY, 35),
    ("exp3", "tuned", STATIONARY, 45),
    *((name, "tuned", SWITCHES, 55) for name in ("exp3s", "sw-ucb", "d-ts")),
    *((name, "tuned", WAVE, limit) for name, limit in (("sw-ucb", 30), ("d-ts", 30), ("exp3s", 55))),
    ("d-ts", "default", SWITCHES, 55),
    ("d-ts", "default", WAVE, 30),
]
gates = pytest.mark.parametrize(
    ("name", "settings", "problem", "limit"), GATES, ids=lambda value: getattr(value, "name", str(value))
)


@dataclass(frozen=True)
class Frozen:
    """Never learns."""

    rule: Any

    def start(self, seeds, arms):
        return self.rule.start(seeds, arms)

    def probabilities(self, state):
        return self.rule.probabilities(state)

    def update(self, state, arms, rewards, probabilities):
        pass


@dataclass(frozen=True)
class Flipped(Frozen):
    """Learns the opposite."""

    def update(self, state, arms, rewards, probabilities):
        self.rule.update(state, arms, 1 - rewards, probabilities)


def rule_of(name, settings, problem):
    agent: Any = make(name, None)
    return tuned(problem)[name] if settings == "tuned" else agent.rule


@pytest.fixture(scope="module")
def certificate():
    """What a rule loses on a problem: played once for all tests of this file."""

    @cache
    def played(name, settings, problem) -> Certificate:
        return play(rule_of(name, settings, problem), problem)

    return played


@gates
def test_gate(name, settings, problem, limit, certificate):
    assert certificate(name, settings, problem).percent <= limit


@gates
@pytest.mark.parametrize("mutant", [Frozen, Flipped])
def test_gates_stop_what_does_not_work(name, settings, problem, limit, mutant):
    """Few copies are enough: mutants lose about what uniform play does, or more."""
    broken = mutant(rule_of(name, settings, problem))
    assert play(broken, problem, seeds=3).percent > limit + 20


def test_uniform_loses_what_uniform_loses():
    for problem in (STATIONARY, SHORT):
        assert play(Even(), problem, seeds=3).percent == pytest.approx(100)


def test_a_single_arm_loses_its_gaps():
    lost = play(Always(1), STATIONARY, seeds=5)
    table = STATIONARY.values(5, np.random.default_rng([0, 10, 10_000]))
    assert lost.regret == pytest.approx((table.max(axis=2) - table[:, :, 1]).sum(axis=0))
    assert lost.uniform == pytest.approx((table.max(axis=2) - table.mean(axis=2)).sum(axis=0))


def bernoulli_divergence(low, high):
    return low * np.log(low / high) + (1 - low) * np.log((1 - low) / (1 - high))


def test_theory_where_it_binds(certificate):
    """Bounds that lie below half of uniform's regret, with two arms; Lai and Robbins' also with ten."""
    horizon = TWO.horizon
    exp3, ucb1 = certificate("exp3", "tuned", TWO), certificate("ucb1", "default", TWO)
    bound = 2.63 * np.sqrt(horizon * 2 * np.log(2))
    assert exp3.regret.mean() <= bound < exp3.uniform.mean() / 2
    gap = 2 * ucb1.uniform / horizon
    bound = (8 * np.log(horizon) / gap + (1 + np.pi**2 / 3) * gap).mean()
    assert ucb1.regret.mean() <= bound < ucb1.uniform.mean() / 2
    for problem in (TWO, STATIONARY):
        found = certificate("thompson-beta", "default", problem)
        values = problem.values(20, np.random.default_rng([0, problem.arms, horizon]))[0]
        best = values.max(axis=1, keepdims=True)
        others = values < best
        divergence = bernoulli_divergence(values, np.where(others, best, 0.999))
        bound = np.log(horizon) * np.where(others, (best - values) / divergence, 0).sum(axis=1).mean()
        assert found.regret.mean() <= 2 * bound < found.uniform.mean() / 2


def test_short_runs_of_falling_gains():
    """K = 12, T = 120, ten plays a task: the goal of 45 % is not met by any rule, the best has about 50 %."""
    limits = {"trend-ucb": 53, "sw-ucb": 60, "d-ts": 65}
    for name, limit in limits.items():
        agent: Any = make(name, None)
        assert play(agent.rule, SHORT, seeds=400).percent <= limit
        for mutant in (Frozen(agent.rule), Flipped(agent.rule)):
            assert play(mutant, SHORT, seeds=60).percent > limit + 20


def test_contextual_rules_can_be_played_by_number():
    """With one-hot features and no width LinUCB has each task's ridge mean: sum / (plays + ridge)."""
    rule = Numbered(LinUCB(width=0.0, ridge=1.0))
    state = rule.start(2, 3)
    for arms, rewards in (([0, 1], [1.0, 1.0]), ([0, 2], [0.0, 0.6])):
        rule.update(state, np.array(arms)[:, None], np.array(rewards)[:, None], np.full((2, 1, 3), 1 / 3))
    # first run: 1/3, 0, 0; second: 0, 1/2, .3
    assert rule.probabilities(state).tolist() == [[1, 0, 0], [0, 1, 0]]


def test_gains_are_scaled_and_mapped_for_rules_that_ask_for_it():
    """On gains a rule sees what its shell would show it: scaled, in [0, 1] where it says so."""
    seen = []

    @dataclass(frozen=True)
    class Watching(Even):
        rewards = "unit"

        def update(self, state, arms, rewards, probabilities):
            seen.append(rewards)

    play(Watching(), SHORT, seeds=4, scaling=GainScaling(clip=1.5))
    rewards = np.array(seen)
    assert rewards.shape == (120, 4, 1) and rewards.min() == 0 and rewards.max() == 1
    assert (rewards[0] == 0.5).all()
