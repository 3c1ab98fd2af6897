"""The mixers' shell: what it asks of an env, and what it tells the rule."""

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces

from curriculum_rl.agents import load, make
from curriculum_rl.agents.mixers.shell import feedback_of
from curriculum_rl.errors import ConfigError


class Deaf(gym.Env):
    """Mixtures of three tasks, and no signals."""

    observation_space = spaces.Box(-1, 1, (2,), np.float32)
    action_space = spaces.Box(-1, 1, (3,), np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return np.zeros(2, np.float32), {}


class Telling(Deaf):
    """Counts what is asked of it; its runs take five segments."""

    def __init__(self, order=None):
        self.asked, self.order = [], order

    def request_signals(self, names):
        self.asked.append(tuple(names))

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.time = 0
        info = {"divergence": np.array([0.0, 0.1, 0.2]), "prior": np.array([0.5, 0.3, 0.2])}
        return np.zeros(2, np.float32), info if self.order is None else info | {"order": np.array(self.order)}

    def step(self, action):
        self.time += 1
        signals = {"heldout_loss": np.array([3.0, 2.0, 1.0]), "transfer": np.eye(3)}
        info = {"gain": 1.0, "signals": {name: signals[name] for name in self.asked[-1]}}
        return np.zeros(2, np.float32), 1.0, self.time == 5, False, info


def test_an_env_without_signals_is_one_line():
    with pytest.raises(ConfigError, match="env: AlignmentAgent needs the signals adam_products, and the env has no"):
        make("alignment", Deaf())


def test_an_error_inside_a_measurement_is_shown_as_it_is():
    class Broken(Telling):
        def request_signals(self, names):
            return self.no_such_thing  # type: ignore[attr-defined]

    for name in ("alignment", "ac-odm"):
        with pytest.raises(AttributeError, match="'Broken' object has no attribute 'no_such_thing'"):
            make(name, Broken()).learn(1)


def test_single_tasks_are_one_line():
    env: Any = Deaf()
    env.action_space = spaces.Discrete(3)
    with pytest.raises(ConfigError, match="action_space: GreedyAgent plays mixtures"):
        make("greedy", env)


def test_nothing_is_measured_that_is_not_needed_any_more():
    env = Telling()
    make("skill-it", env, graphs=2).learn(5)
    assert env.asked == [("heldout_loss", "transfer"), ("heldout_loss",)]
    env = Telling()
    agent = make("doremi", env).learn(16)
    assert env.asked == [("heldout_loss",), ()]  # two runs of five segments
    assert agent.probabilities(np.zeros((1, 2), np.float32)).sum() == pytest.approx(1)


def test_what_is_remembered_by_number_refuses_permuted_tasks():
    with pytest.raises(ConfigError, match=r"action\.permute: true; RegMixAgent remembers"):
        make("regmix", Telling(order=[2, 0, 1])).learn(1)


@pytest.mark.parametrize("order", [None, [2, 0, 1]])
def test_the_prior_follows_the_order_that_the_agent_sees(order):
    agent = make("odm", Telling(order=order), prior=2.0).learn(1)
    expected = np.array([0.25, 0.09, 0.04])[order or [0, 1, 2]] / 0.38
    assert agent.probabilities(np.zeros((1, 2), np.float32))[0] == pytest.approx(expected)


def test_prior_and_pruning_need_an_env_that_says_what_they_read():
    class Silent(Telling):
        def reset(self, *, seed=None, options=None):
            return super().reset(seed=seed)[0], {}

    asked: list[tuple[str, dict[str, Any]]] = [
        ("odm", {"prior": 0.2}),
        ("odm", {"prune": 0.4}),
        ("ado", {"prune": 0.4}),
    ]
    for name, option in asked:
        with pytest.raises(ConfigError, match=f"{next(iter(option))}: 0.. needs (a prior|the divergence of each task)"):
            make(name, Silent(), **option).learn(1)
    make("odm", Silent()).learn(1)
    with pytest.raises(ConfigError, match=r"guard: 0\.05 needs the signals duel"):
        make("odm", Deaf(), guard=0.05)


def test_a_pruned_mixer_saved_in_the_middle_goes_on_alike(tmp_path):
    agent: Any = make("skill-it", Telling(), graphs=2, prune=0.4).learn(3)
    assert agent.pruned == [2] and agent._memory.probabilities(1)[0, 2] == 0
    agent.save(tmp_path / "agent")
    loaded: Any = load("skill-it", tmp_path / "agent")
    assert loaded.pruned == [2] and loaded.wrapping.prune == 0.4
    assert np.array_equal(loaded._memory.probabilities(1), agent._memory.probabilities(1))


def test_feedback_is_in_the_order_that_the_agent_sees():
    executed = np.full((1, 3), 1 / 3)
    products = np.arange(16.0).reshape(4, 4)
    info = {
        "order": np.array([2, 0, 1]),
        "task_losses": np.array([1.0, 2.0, np.nan]),
        "signals": {"products": products, "duel": np.asarray(0.5)},
        "gain": 0.25,
        "failed": True,
        "budget_left": 0.75,
    }
    found = feedback_of([info], np.array([9.0]), executed)
    assert found.losses[0].tolist()[1:] == [1.0, 2.0] and np.isnan(found.losses[0, 0])
    assert found.signals["products"][0, 0].tolist() == [10, 8, 9, 11] and found.signals["products"][0, 3, 3] == 15
    assert found.signals["duel"].tolist() == [0.5]
    assert found.gain.tolist() == [0.0] and found.spent.tolist() == [0.25]
