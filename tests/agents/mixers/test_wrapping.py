"""Wrappers: the prior's factor, pruning, least shares, epochs, and what the guard can and cannot do."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curriculum_rl.agents.mixers.greedy import Greedy
from curriculum_rl.agents.mixers.rule import Feedback
from curriculum_rl.agents.mixers.wrapping import Wrapped, worn
from curriculum_rl.agents.shell.wrapping import Wrapping
from curriculum_rl.errors import ConfigError


@dataclass(frozen=True)
class Still:
    """A rule that always plays the same mixture."""

    shares: tuple[float, ...] = (0.5, 0.25, 0.25)
    signals: ClassVar[tuple[str, ...]] = ()

    def start(self, seeds, arms):
        return {"shares": np.tile(np.resize(self.shares, arms) / np.resize(self.shares, arms).sum(), (seeds, 1))}

    def mixture(self, state):
        return state["shares"].copy()

    def update(self, state, feedback):
        pass

    def next_run(self, state, ended):
        pass


def feedback(duels, epochs=None, arms=3):
    duels = np.atleast_1d(np.asarray(duels, float))
    even = np.full((len(duels), arms), 1 / arms)
    spent = np.full(len(duels), 0.5)
    return Feedback({"duel": duels}, even, even, even, spent, spent, epochs)


def test_nothing_worn_is_the_rule_itself():
    rule = Wrapped(Still(), Wrapping())
    assert rule.needs(rule.start(2, 3)) == ()
    assert rule.mixture(rule.start(2, 3)).tolist() == [[0.5, 0.25, 0.25]] * 2


def test_the_prior_is_a_factor():
    rule = Wrapped(Still(), Wrapping(prior=0.1))
    state = rule.start(2, 3)
    rule.hear(state, np.array([[0.0, 0.1, 0.2], [9.0, 9.0, 9.0]]), np.tile(np.arange(3), (2, 1)))
    weights = np.array([0.5, 0.25 * np.exp(-1), 0.25 * np.exp(-2)])
    assert rule.mixture(state)[0] == pytest.approx(weights / weights.sum())
    assert rule.mixture(state)[1].tolist() == [0.5, 0.25, 0.25]


def test_a_sharp_prior_does_not_run_out_of_numbers():
    rule = Wrapped(Still(), Wrapping(prior=1e-4))
    state = rule.start(1, 3)
    rule.hear(state, np.array([[0.9, 0.5, 0.8]]), np.arange(3)[None])
    assert rule.mixture(state)[0].tolist() == [0, 1, 0]


def test_a_rule_knows_only_what_pruning_keeps():
    rule = Wrapped(Still(), Wrapping(prune=0.5))
    state = rule.start(2, 5)
    rule.hear(state, np.array([[0.1, 0.4, 0.0, 0.4, 0.3], [0.5, 0.5, 0.5, 0.5, 0.5]]), np.tile(np.arange(5), (2, 1)))
    assert rule.mixture(state)[0].tolist() == [0.5, 0, 0.25, 0, 0.25]
    assert rule.mixture(state)[1].tolist() == [0.5, 0.25, 0.25, 0, 0]  # of equal ones the later go
    assert rule.wrapping.pruned(worn(state)) == [[1, 3], [3, 4]]


def test_a_rule_is_told_only_of_what_pruning_keeps():
    told = []

    @dataclass(frozen=True)
    class Listening(Still):
        signals: ClassVar[tuple[str, ...]] = ("products", "look_ahead")

        def update(self, state, feedback):
            told.append(feedback)

    rule = Wrapped(Listening(), Wrapping(prune=0.4, guard=0.1))
    state = rule.start(1, 3)
    rule.hear(state, np.array([[0.2, 0.1, 0.0]]), np.arange(3)[None])
    row = np.arange(3.0)[None]
    signals = {"products": np.arange(16.0).reshape(1, 4, 4), "look_ahead": row, "duel": np.ones(1)}
    rule.update(state, Feedback(signals, row, row, row, np.ones(1), np.ones(1), row))
    (heard,) = told
    assert heard.signals["products"][0].tolist() == [[5, 6, 7], [9, 10, 11], [13, 14, 15]]
    assert heard.signals["look_ahead"].tolist() == heard.losses.tolist() == heard.epochs.tolist() == [[1, 2]]
    assert state["wrapping.epochs"].tolist() == [[0, 1, 2]] and state["wrapping.duels"].tolist() == [1]


def test_passes_count_where_nothing_was_measured():
    rule = Wrapped(Greedy(), Wrapping(maximum_epochs=2.0))
    state = rule.start(1, 3)
    rule.update(state, feedback(0.0, np.array([[2.0, 0.0, 0.0]])))
    assert rule.mixture(state)[0, 0] == 0 and not state["wrapping.taught"].any()


@given(st.floats(0, 0.999), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_pruning_takes_its_share_and_never_all(prune, arms, seed):
    wrapping, divergence = Wrapping(prune=prune), np.random.default_rng(seed).integers(0, 4, (2, arms)) / 4
    state = wrapping.start(2, arms)
    wrapping.hear(state, divergence, np.tile(np.arange(arms), (2, 1)))
    kept = wrapping.kept(state)
    assert 1 <= kept.shape[1] <= arms and kept.shape[1] == arms - int(prune * arms + 1e-9)
    played = wrapping.executed(state, np.full(kept.shape, 1 / kept.shape[1]))
    assert played.sum(axis=1) == pytest.approx(1) and ((played > 0).sum(axis=1) == kept.shape[1]).all()
    for row, tasks in zip(divergence, kept, strict=True):
        left = np.delete(row, tasks)
        assert not left.size or left.min() >= row[tasks].max()
    assert Wrapping(prune=0.29).count(100) == 71


def test_after_an_alarm_pruned_tasks_are_back():
    rule = Wrapped(Still(), Wrapping(prior=0.1, prune=0.4, guard=0.4))
    state = rule.start(1, 3)
    rule.hear(state, np.array([[0.0, 0.1, 0.9]]), np.arange(3)[None])
    assert rule.mixture(state)[0, 2] == 0
    for gain in (-1.0, -1.0, -2.0, -1.0):
        rule.update(state, feedback(gain))
    assert rule.mixture(state)[0] == pytest.approx([1 / 3] * 3)


def test_least_shares_and_epochs():
    rule = Wrapped(Still(), Wrapping(minimum_share=0.1, maximum_epochs=2.0))
    state = rule.start(1, 3)
    assert rule.mixture(state)[0] == pytest.approx([0.1 + 0.7 * 0.5, 0.1 + 0.7 * 0.25, 0.1 + 0.7 * 0.25])
    rule.update(state, feedback(0.0, np.array([[2.0, 1.9, 0.0]])))
    assert rule.mixture(state)[0] == pytest.approx([0, 0.5, 0.5])
    rule.update(state, feedback(0.0, np.array([[2.0, 2.0, 2.0]])))
    assert rule.mixture(state)[0] == pytest.approx([0.45, 0.275, 0.275])  # all at their limit: none is left out
    rule.next_run(state, np.array([True]))
    assert rule.mixture(state)[0, 0] > 0.4


def test_the_guard_falls_back_to_stratified_by_hand():
    rule = Wrapped(Still(), Wrapping(guard=0.4))
    state = rule.start(1, 3)
    assert rule.needs(state) == ("duel",)
    wealth = 1.0
    for n, gain in enumerate((-1.0, -1.0, -2.0, -1.0)):
        scale = np.sqrt(np.mean(np.square((-1.0, -1.0, -2.0, -1.0)[:n]))) if n else None
        wealth *= 1 if scale is None else 1 - np.tanh(gain / scale) / 2
        assert rule.mixture(state)[0, 0] == 0.5
        rule.update(state, feedback(gain))
        assert state["wrapping.wealth"][0] == pytest.approx(wealth)
    assert wealth > 1 / 0.4
    assert rule.mixture(state)[0] == pytest.approx([1 / 3] * 3)
    rule.update(state, feedback(5.0))
    assert rule.mixture(state)[0] == pytest.approx([1 / 3] * 3)  # until the run ends
    rule.next_run(state, np.array([True]))
    assert rule.mixture(state)[0, 0] == 0.5


@pytest.mark.parametrize("spread", ["normal", "skewed"])
def test_false_alarms_on_identical_tasks_are_as_rare_as_promised(spread):
    """2,000 runs of 100 duels in which the mixture is exactly as good as stratified."""
    rule, draw = Wrapped(Still(), Wrapping(guard=0.05)), np.random.default_rng(0)
    state = rule.start(2000, 3)
    for _ in range(100):
        size = 10.0 ** draw.uniform(-3, 0)
        gains = size * draw.standard_normal(2000)
        if spread == "skewed":  # symmetric in sign, heavy in size
            gains *= draw.exponential(size=2000)
        rule.update(state, feedback(gains))
    assert state["wrapping.alarmed"].mean() <= 0.05


def test_harm_is_noticed():
    rule, draw = Wrapped(Still(), Wrapping(guard=0.05)), np.random.default_rng(0)
    state = rule.start(500, 3)
    for _ in range(60):
        rule.update(state, feedback(draw.normal(-0.5, 1.0, 500)))
    assert state["wrapping.alarmed"].mean() > 0.8


@given(st.lists(st.one_of(st.floats(-1e6, 1e6), st.just(float("nan"))), min_size=1, max_size=30), st.integers(1, 6))
def test_the_mixture_stays_a_mixture(gains, arms):
    rule = Wrapped(Still(), Wrapping(prior=0.05, prune=0.4, minimum_share=0.01, maximum_epochs=1.0, guard=0.1))
    state = rule.start(1, arms)
    for n, gain in enumerate(gains):
        rule.update(state, feedback(gain, np.full((1, arms), n / 5), arms))
        mixture = rule.mixture(state)
        assert mixture.shape == (1, arms) and np.isfinite(mixture).all() and (mixture >= 0).all()
        assert mixture.sum() == pytest.approx(1)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"prior": 0}, "prior: 0 must be a number above 0"),
        ({"prune": 1.0}, "prune: 1.0 must be below 1"),
        ({"prune": -0.1}, "prune: -0.1 must be a number at least 0"),
        ({"minimum_share": -0.1}, "minimum_share: -0.1 must be a number at least 0"),
        ({"maximum_epochs": 0}, "maximum_epochs: 0 must be a number above 0"),
        ({"guard": 1.0}, "guard: 1.0 must be below 1"),
    ],
)
def test_mistakes_are_one_line(settings, message):
    with pytest.raises(ConfigError, match=message):
        Wrapping(**settings)
    with pytest.raises(ConfigError, match=r"minimum_share: 0\.5 times 3 tasks"):
        Wrapped(Still(), Wrapping(minimum_share=0.5)).start(1, 3)
