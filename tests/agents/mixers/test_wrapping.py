"""Wrappers: the prior's factor, pruning, least shares, epochs, and what the guard can and cannot do."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curriculum_rl.agents.mixers.greedy import Greedy
from curriculum_rl.agents.mixers.memory import MixerMemory
from curriculum_rl.agents.mixers.rule import Feedback
from curriculum_rl.agents.shell.wrapping import TaskFigures, Wrapping
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


def feedback(duels, epochs=None, arms=3):
    duels = np.atleast_1d(np.asarray(duels, float))
    even = np.full((len(duels), arms), 1 / arms)
    spent = np.full(len(duels), 0.5)
    return Feedback({"duel": duels}, even, even, even, spent, spent, epochs)


def mixture(memory):
    return memory.probabilities(memory.replicas)


def test_without_wrappers_it_is_the_rule_itself():
    memory = MixerMemory(Still(), Wrapping(), replicas=2, arms=3)
    assert memory.needs == ()
    assert mixture(memory).tolist() == [[0.5, 0.25, 0.25]] * 2


def test_the_prior_is_a_factor():
    memory = MixerMemory(Still(), Wrapping(prior=2.0), replicas=2, arms=3)
    prior = np.array([[0.5, 0.3, 0.2], [1 / 3, 1 / 3, 1 / 3]])
    memory.receive(TaskFigures(np.tile(np.arange(3), (2, 1)), prior=prior))
    weights = np.array([0.5 * 0.25, 0.25 * 0.09, 0.25 * 0.04])
    assert mixture(memory)[0] == pytest.approx(weights / weights.sum())
    assert mixture(memory)[1].tolist() == [0.5, 0.25, 0.25]


def test_a_sharp_prior_does_not_run_out_of_numbers():
    memory = MixerMemory(Still(), Wrapping(prior=1e4), replicas=1, arms=3)
    memory.receive(TaskFigures(np.arange(3)[None], prior=np.array([[0.2, 0.5, 0.3]])))
    assert mixture(memory)[0].tolist() == [0, 1, 0]


def test_a_rule_knows_only_what_pruning_keeps():
    memory = MixerMemory(Still(), Wrapping(prune=0.5), replicas=2, arms=5)
    memory.receive(
        TaskFigures(np.tile(np.arange(5), (2, 1)), np.array([[0.1, 0.4, 0.0, 0.4, 0.3], [0.5, 0.5, 0.5, 0.5, 0.5]]))
    )
    assert mixture(memory)[0].tolist() == [0.5, 0, 0.25, 0, 0.25]
    assert mixture(memory)[1].tolist() == [0.5, 0.25, 0.25, 0, 0]  # of equal ones the later go
    assert Wrapping(prune=0.5).pruned(memory.wrappers) == [[1, 3], [3, 4]]


def test_a_rule_learns_only_of_what_pruning_keeps():
    given = []

    @dataclass(frozen=True)
    class Keeping(Still):
        signals: ClassVar[tuple[str, ...]] = ("products", "look_ahead")

        def update(self, state, feedback):
            given.append(feedback)

    memory = MixerMemory(Keeping(), Wrapping(prune=0.4, guard=0.1), replicas=1, arms=3)
    memory.receive(TaskFigures(np.arange(3)[None], np.array([[0.2, 0.1, 0.0]])))
    row = np.arange(3.0)[None]
    signals = {"products": np.arange(16.0).reshape(1, 4, 4), "look_ahead": row, "duel": np.ones(1)}
    memory.update(Feedback(signals, row, row, row, np.ones(1), np.ones(1), row))
    (seen,) = given
    assert seen.signals["products"][0].tolist() == [[5, 6, 7], [9, 10, 11], [13, 14, 15]]
    assert seen.signals["look_ahead"].tolist() == seen.losses.tolist() == seen.epochs.tolist() == [[1, 2]]
    assert memory.wrappers["epochs"].tolist() == [[0, 1, 2]] and memory.wrappers["duels"].tolist() == [1]


def test_passes_count_where_nothing_was_measured():
    memory = MixerMemory(Greedy(), Wrapping(maximum_epochs=2.0), replicas=1, arms=3)
    memory.update(feedback(0.0, np.array([[2.0, 0.0, 0.0]])))
    assert mixture(memory)[0, 0] == 0 and not memory.learned.any()


@given(st.floats(0, 0.999), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_pruning_takes_its_share_and_never_all(prune, arms, seed):
    wrapping, divergence = Wrapping(prune=prune), np.random.default_rng(seed).integers(0, 4, (2, arms)) / 4
    state = wrapping.start(2, arms)
    wrapping.receive(state, TaskFigures(np.tile(np.arange(arms), (2, 1)), divergence))
    kept = wrapping.kept(state)
    assert 1 <= kept.shape[1] <= arms and kept.shape[1] == arms - int(prune * arms + 1e-9)
    played = wrapping.executed(state, np.full(kept.shape, 1 / kept.shape[1]))
    assert played.sum(axis=1) == pytest.approx(1) and ((played > 0).sum(axis=1) == kept.shape[1]).all()
    for row, tasks in zip(divergence, kept, strict=True):
        left = np.delete(row, tasks)
        assert not left.size or left.min() >= row[tasks].max()
    assert Wrapping(prune=0.29).count(100) == 71


def test_after_an_alarm_pruned_tasks_are_back():
    memory = MixerMemory(Still(), Wrapping(prior=1.0, prune=0.4, guard=0.4), replicas=1, arms=3)
    memory.receive(TaskFigures(np.arange(3)[None], np.array([[0.0, 0.1, 0.9]])))
    assert mixture(memory)[0, 2] == 0
    for gain in (-1.0, -1.0, -2.0, -1.0):
        memory.update(feedback(gain))
    assert mixture(memory)[0] == pytest.approx([1 / 3] * 3)


def test_least_shares_and_epochs():
    memory = MixerMemory(Still(), Wrapping(minimum_share=0.1, maximum_epochs=2.0), replicas=1, arms=3)
    assert mixture(memory)[0] == pytest.approx([0.1 + 0.7 * 0.5, 0.1 + 0.7 * 0.25, 0.1 + 0.7 * 0.25])
    memory.update(feedback(0.0, np.array([[2.0, 1.9, 0.0]])))
    assert mixture(memory)[0] == pytest.approx([0, 0.5, 0.5])
    memory.update(feedback(0.0, np.array([[2.0, 2.0, 2.0]])))
    assert mixture(memory)[0] == pytest.approx([0.45, 0.275, 0.275])  # all at their limit: none is left out
    memory.restart(np.array([True]))
    assert mixture(memory)[0, 0] > 0.4


def test_the_guard_falls_back_to_stratified_by_hand():
    memory = MixerMemory(Still(), Wrapping(guard=0.4), replicas=1, arms=3)
    assert memory.needs == ("duel",)
    wealth = 1.0
    for n, gain in enumerate((-1.0, -1.0, -2.0, -1.0)):
        scale = np.sqrt(np.mean(np.square((-1.0, -1.0, -2.0, -1.0)[:n]))) if n else None
        wealth *= 1 if scale is None else 1 - np.tanh(gain / scale) / 2
        assert mixture(memory)[0, 0] == 0.5
        memory.update(feedback(gain))
        assert memory.wrappers["wealth"][0] == pytest.approx(wealth)
    assert wealth > 1 / 0.4
    assert mixture(memory)[0] == pytest.approx([1 / 3] * 3)
    memory.update(feedback(5.0))
    assert mixture(memory)[0] == pytest.approx([1 / 3] * 3)  # until the run ends
    memory.restart(np.array([True]))
    assert mixture(memory)[0, 0] == 0.5


@pytest.mark.parametrize("spread", ["normal", "skewed"])
def test_false_alarms_on_identical_tasks_are_as_rare_as_promised(spread):
    """2,000 runs of 100 duels in which the mixture is exactly as good as stratified."""
    memory, draw = MixerMemory(Still(), Wrapping(guard=0.05), replicas=2000, arms=3), np.random.default_rng(0)
    for _ in range(100):
        size = 10.0 ** draw.uniform(-3, 0)
        gains = size * draw.standard_normal(2000)
        if spread == "skewed":  # symmetric in sign, heavy in size
            gains *= draw.exponential(size=2000)
        memory.update(feedback(gains))
    assert memory.wrappers["alarmed"].mean() <= 0.05


def test_harm_is_noticed():
    memory, draw = MixerMemory(Still(), Wrapping(guard=0.05), replicas=500, arms=3), np.random.default_rng(0)
    for _ in range(60):
        memory.update(feedback(draw.normal(-0.5, 1.0, 500)))
    assert memory.wrappers["alarmed"].mean() > 0.8


@given(st.lists(st.one_of(st.floats(-1e6, 1e6), st.just(float("nan"))), min_size=1, max_size=30), st.integers(1, 6))
def test_the_mixture_stays_a_mixture(gains, arms):
    memory = MixerMemory(
        Still(),
        Wrapping(prior=0.05, prune=0.4, minimum_share=0.01, maximum_epochs=1.0, guard=0.1),
        replicas=1,
        arms=arms,
    )
    for n, gain in enumerate(gains):
        memory.update(feedback(gain, np.full((1, arms), n / 5), arms))
        shares = mixture(memory)
        assert shares.shape == (1, arms) and np.isfinite(shares).all() and (shares >= 0).all()
        assert shares.sum() == pytest.approx(1)


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
        MixerMemory(Still(), Wrapping(minimum_share=0.5), replicas=1, arms=3)
