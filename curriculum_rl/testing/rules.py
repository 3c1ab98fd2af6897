"""What every rule promises, a bandit's and a mixer's: subclass the contract, give the rule, run pytest.

A test file of your own needs pytest and these lines::

    import pytest
    from curriculum_rl.testing.rules import RuleContract

    class TestMyRule(RuleContract):
        @pytest.fixture
        def rule(self):
            return MyRule(step=0.1)

Shape letters as in `curriculum_rl.agents.rule`: S runs, M plays of a decision, K tasks.
"""

import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from curriculum_rl.agents.mixers.rule import Feedback, MixerRule, next_run
from curriculum_rl.agents.rule import Floats, Ints, Rule, State, draw
from curriculum_rl.agents.saving import archive
from curriculum_rl.signals import SIGNALS
from curriculum_rl.testing.envs import signal_shape

PLAYS = [(1, 1, 1.0), (2, 9, 1e6), (5, 1, 0.0), (5, 3, 1e-300), (5, 1, 1e6), (20, 2, 1.0), (20, 1, 1e-3), (500, 1, 1.0)]
"""K, M, and the size of rewards."""
SEGMENTS = [
    *((1, 1.0, 0.1), (2, 0.0, 0.0), (2, 1e6, 0.5), (5, 1e-300, 0.1), (5, 20.0, 0.0), (5, 1e100, 0.1)),
    *((9, 1e-3, 0.5), (9, 1.0, 1.0), (9, 20.0, 0.1), (9, 1e6, 0.0), (9, 1e100, 0.5), (500, 3.0, 0.1)),
]
"""K, the size of what is measured, and the share of it that is missing."""


class _Remembers:
    """What the memory of both kinds of rule must be."""

    def _started(self, rule: Any, seeds: int, arms: int) -> State:
        state: State = rule.start(seeds, arms)
        for name, values in state.items():
            assert isinstance(values, np.ndarray), f"state[{name!r}] must be an array, not {type(values).__name__}"
            assert values.dtype.kind in "biuf", f"state[{name!r}] must hold numbers, so that it can be saved"
            assert values.shape[:1] == (seeds,), f"state[{name!r}] must be ({seeds}, ...), it is {values.shape}"
        return state

    def _check_memory(self, state: State, start: State) -> None:
        """The arrays are those of the start, and finite."""
        assert state.keys() == start.keys(), f"state has {list(state)}, it began with {list(start)}"
        for name, array in state.items():
            assert array is start[name], f"state[{name!r}] must be changed in place, not replaced"
            assert np.isfinite(array).all(), f"state[{name!r}] is not finite: {array}"

    def _check_shares(self, found: Floats, seeds: int, arms: int) -> None:
        assert found.shape == (seeds, arms), f"must be (S, K) = {(seeds, arms)}, it is {found.shape}"
        assert np.isfinite(found).all() and found.min() >= 0, f"must be finite and at least 0: {found}"
        assert np.allclose(found.sum(axis=1), 1), f"every row must sum to 1: {found.sum(axis=1)}"


class RuleContract(_Remembers):
    """What a bandit rule (`curriculum_rl.agents.rule.Rule`) promises to the shell that makes an agent of it.

    A promise that is not made is struck by name and with the reason: `test_... = None`.
    """

    @pytest.fixture
    def rule(self) -> Rule:
        """The rule that is tested."""
        raise NotImplementedError("a fixture `rule` that returns your rule")

    def test_probabilities_stay_probabilities(self, rule: Rule) -> None:
        """Over 1 to 500 tasks, whatever the rewards; the memory stays finite and in its arrays."""
        for number, (arms, plays, size) in enumerate(PLAYS):
            random = np.random.default_rng(number)
            state = self._started(rule, 2, arms)
            start = dict(state)
            for _ in range(25):
                self._check_shares(self._decide(rule, state, random, plays, size), 2, arms)
            self._check_shares(rule.probabilities(state), 2, arms)
            self._check_memory(state, start)

    def test_asking_changes_nothing(self, rule: Rule) -> None:
        """Probabilities are read without learning, and the caller may write over what is returned."""
        state = self._taught(rule, 2)
        before = _copy(state)
        first = rule.probabilities(state)
        kept = first.copy()
        first[:] = np.nan
        assert np.array_equal(rule.probabilities(state), kept), "the same memory must give the same probabilities"
        _assert_same(state, before, "probabilities() must leave the memory as it is")

    def test_a_run_does_not_depend_on_its_neighbours(self, rule: Rule) -> None:
        """Row 1 of three runs is that run alone."""
        random = np.random.default_rng(0)
        together, alone = rule.start(3, 4), rule.start(1, 4)
        for _ in range(50):
            chances = rule.probabilities(together)
            assert np.array_equal(chances[1], rule.probabilities(alone)[0]), (
                "row 1 of three runs must be what that run is alone"
            )
            arms, rewards, executed = self._played(rule, chances, random, 1, 1.0)
            rule.update(together, arms, rewards, executed)
            rule.update(alone, arms[1:2], rewards[1:2], executed[1:2])

    def test_one_play_needs_no_axis(self, rule: Rule) -> None:
        """(S,) arms and rewards are (S, 1) ones: an axis of plays may be left out where there is one."""
        random = np.random.default_rng(0)
        for seeds in (1, 3):
            flat, deep = rule.start(seeds, 4), rule.start(seeds, 4)
            for _ in range(50):
                chances = rule.probabilities(flat)
                assert np.array_equal(rule.probabilities(deep), chances), (
                    "plays given as (S, 1) and as (S,) must teach the same"
                )
                arms, rewards, executed = self._played(rule, chances, random, 1, 1.0)
                rule.update(flat, arms[:, 0], rewards[:, 0], chances)
                rule.update(deep, arms, rewards, executed)

    def test_all_memory_is_in_the_state(self, rule: Rule) -> None:
        """A state that was saved and read goes on as the one that was not, whatever was learned in between."""
        state = self._taught(rule, 2)
        read = _saved(state)
        went = [self._decide(rule, state, random, 2, 1.0) for random in [np.random.default_rng(1)] for _ in range(20)]
        goes = [self._decide(rule, read, random, 2, 1.0) for random in [np.random.default_rng(1)] for _ in range(20)]
        assert np.array_equal(went, goes), "a rule must keep what it learns in the state alone"

    def _taught(self, rule: Rule, seeds: int) -> State:
        state, random = rule.start(seeds, 4), np.random.default_rng(0)
        for _ in range(20):
            self._decide(rule, state, random, 2, 1.0)
        return state

    def _decide(self, rule: Rule, state: State, random: np.random.Generator, plays: int, size: float) -> Floats:
        """One decision and what is learned from it; its probabilities."""
        chances = rule.probabilities(state)
        rule.update(state, *self._played(rule, chances, random, plays, size))
        return chances

    def _played(
        self, rule: Rule, chances: Floats, random: np.random.Generator, plays: int, size: float
    ) -> tuple[Ints, Floats, Floats]:
        """(S, M) tasks drawn, rewards of the kind that the rule asks for, and the propensities (S, M, K)."""
        executed = chances[:, None].repeat(plays, axis=1)
        arms = draw(executed.reshape(-1, chances.shape[1]), random.random(len(chances) * plays))
        rewards = size * random.standard_normal((len(chances), plays))
        kind = getattr(rule, "rewards", "scaled")
        if kind == "unit":
            rewards = 0.5 + 0.5 * np.tanh(rewards)
        elif kind == "gain":
            rewards[random.random(rewards.shape) < 0.1] = np.nan
        return arms.reshape(rewards.shape), rewards, executed


class MixerRuleContract(_Remembers):
    """What a mixer's rule (`curriculum_rl.agents.mixers.rule.MixerRule`) promises to the shell around it.

    A promise that is not made is struck by name and with the reason: `test_... = None`.
    """

    @pytest.fixture
    def rule(self) -> MixerRule:
        """The rule that is tested."""
        raise NotImplementedError("a fixture `rule` that returns your rule")

    def test_mixtures_stay_mixtures(self, rule: MixerRule) -> None:
        """Over 1 to 500 tasks, whatever was measured and whatever is missing; the memory stays finite."""
        for number, (arms, size, missing) in enumerate(SEGMENTS):
            random = np.random.default_rng(number)
            state = self._started(rule, 2, arms)
            start = dict(state)
            for _ in range(12):
                self._check_shares(rule.mixture(state), 2, arms)
                self._learn(rule, state, random, size, missing)
                if random.random() < 0.3:
                    next_run(rule, state, random.random(2) < 0.5, arms=arms)
            self._check_shares(rule.mixture(state), 2, arms)
            self._check_memory(state, start)

    def test_asking_changes_nothing(self, rule: MixerRule) -> None:
        """Mixtures are read without learning, and the caller may write over what is returned."""
        state = self._taught(rule, 2)
        before = _copy(state)
        first = rule.mixture(state)
        kept = first.copy()
        first[:] = np.nan
        assert np.array_equal(rule.mixture(state), kept), "the same memory must give the same mixture"
        _assert_same(state, before, "mixture() must leave the memory as it is")

    def test_a_run_does_not_depend_on_its_neighbours(self, rule: MixerRule) -> None:
        """Row 1 of three runs is that run alone, through the ends of runs."""
        random = np.random.default_rng(0)
        together, alone = rule.start(3, 4), rule.start(1, 4)
        for segment in range(30):
            told = feedback(rule, together, random, size=2.0, missing=0.1)
            rule.update(together, told)
            rule.update(alone, _row(told, 1))
            if segment % 10 == 9:
                next_run(rule, together, np.array([segment == 9, True, False]), arms=4)
                next_run(rule, alone, np.array([True]), arms=4)
            found, wanted = rule.mixture(together)[1], rule.mixture(alone)[0]
            assert np.array_equal(found, wanted), "row 1 of three runs must be what that run is alone"

    def test_all_memory_is_in_the_state(self, rule: MixerRule) -> None:
        """A state that was saved and read goes on as the one that was not, whatever was learned in between."""
        state = self._taught(rule, 2)
        read = _saved(state)
        found = []
        for each in (state, read):
            random = np.random.default_rng(1)
            for _ in range(10):
                self._learn(rule, each, random, 2.0, 0.0)
            next_run(rule, each, np.array([True, False]), arms=4)
            found.append(rule.mixture(each))
        assert np.array_equal(found[0], found[1]), "a rule must keep what it learns in the state alone"

    def test_a_run_begins_anew(self, rule: MixerRule) -> None:
        """The end of a run leaves the others alone; and, without `across_runs`, nothing of it in its own row."""
        state, fresh = self._taught(rule, 2), rule.start(2, 4)
        before = _copy(state)
        next_run(rule, state, np.array([False, True]), arms=4)
        _assert_same(_rows(state, 0), _rows(before, 0), "the memory of a run must outlive the end of another")
        if not getattr(rule, "across_runs", False):
            _assert_same(_rows(state, 1), _rows(fresh, 1), "a rule that remembers runs must say `across_runs`")

    def test_its_signals_can_be_measured(self, rule: MixerRule) -> None:
        """All that it needs are names of signals, or `module:Class` of your own."""
        asked = {*rule.signals, *needs(rule, rule.start(1, 4))}
        unknown = {name for name in asked if ":" not in name} - set(SIGNALS)
        assert not unknown, f"signals: {sorted(unknown)} are not among {', '.join(SIGNALS)}"
        for name in sorted(asked):
            signal_shape(name, 4)

    def _taught(self, rule: MixerRule, seeds: int) -> State:
        state, random = rule.start(seeds, 4), np.random.default_rng(0)
        for _ in range(20):
            self._learn(rule, state, random, 2.0, 0.0)
        return state

    def _learn(self, rule: MixerRule, state: State, random: np.random.Generator, size: float, missing: float) -> None:
        """From one segment; numbers that overflow or are divided by 0 are errors."""
        with warnings.catch_warnings():
            warnings.simplefilter("error", RuntimeWarning)
            rule.update(state, feedback(rule, state, random, size=size, missing=missing))


def needs(rule: MixerRule, state: State) -> tuple[str, ...]:
    """The signals that a mixer's rule needs now."""
    said = getattr(rule, "needs", None)
    found: tuple[str, ...] = rule.signals if said is None else said(state)
    return found


def feedback(rule: MixerRule, state: State, random: np.random.Generator, *, size: float, missing: float) -> Feedback:
    """Feedback of numbers of one size, of which some are missing, with what a rule asks for."""
    seeds, arms = rule.mixture(state).shape

    def numbers(*shape: int) -> Floats:
        values = size * random.standard_normal((seeds, *shape))
        values[random.random((seeds, *shape)) < missing] = np.nan
        return values

    names = sorted({*rule.signals, *needs(rule, state)})
    signals = {name: numbers(*signal_shape(name, arms)) for name in names}
    mixture = random.dirichlet(np.full(arms, 0.3), seeds)
    mixture[random.random(mixture.shape) < 0.3] = 0.0
    return Feedback(signals, numbers(arms), mixture, mixture, numbers(), np.full(seeds, 0.5))


def _row(told: Feedback, n: int) -> Feedback:
    """What run n alone is told."""
    signals = {name: values[n : n + 1] for name, values in told.signals.items()}
    return Feedback(signals, *(values[n : n + 1] for values in told[1:6]))


def _rows(state: State, n: int) -> State:
    return {name: values[n] for name, values in state.items()}


def _copy(state: State) -> State:
    return {name: values.copy() for name, values in state.items()}


def _saved(state: State) -> State:
    """Written to a file and read, as agents are."""
    with tempfile.TemporaryDirectory() as folder:
        archive.write(Path(folder) / "rule.zip", "rule", state)
        return archive.read(Path(folder) / "rule.zip").content


def _assert_same(state: State, other: State, message: str) -> None:
    for name, values in state.items():
        assert np.array_equal(values, other[name]), f"{message}: state[{name!r}]"
