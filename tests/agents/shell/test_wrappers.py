"""Wrappers on agents that pick: what is played, what the rule learns from, and what survives a file."""

import copy
from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import DummyVecEnv

from curriculum_rl.agents import load, make
from curriculum_rl.agents.entries.bandits import BANDITS
from curriculum_rl.agents.shell.wrapping import WRAPPERS
from curriculum_rl.agents.table import AGENTS, class_of
from curriculum_rl.errors import ConfigError

DIVERGENCE = (0.1, 0.4, 0.0, 0.2, 0.3)
PRIOR = np.exp(-10 * np.array(DIVERGENCE))
PRIOR /= PRIOR.sum()
ALL = {"prior": 0.2, "prune": 0.4, "minimum_share": 0.04, "maximum_epochs": 3.0, "guard": 0.05}
LOOK = {"tasks": np.zeros((1, 10), np.float32), "run": np.zeros((1, 2), np.float32)}
WRAPPED = [entry.name for entry in BANDITS] + ["random", "round-robin"]
pooling = pytest.mark.parametrize("pooled", [True, False])


class Judged(gym.Env):
    """Five tasks, the fourth the best; says divergences, a prior, passes over windows, and duels won by `edge`."""

    def __init__(self, *, mixture=False, edge=1.0, horizon=40, order=None, noise=0.3):
        box = spaces.Box(-1, 1, (2,), np.float32)
        self.observation_space = spaces.Dict({"tasks": spaces.Box(-1, 1, (10,), np.float32), "run": box})
        self.action_space = spaces.Box(-1, 1, (5,), np.float32) if mixture else spaces.Discrete(5)
        self.edge, self.horizon, self.order, self.noise = edge, horizon, order, noise
        self.asked: tuple[str, ...] = ()

    def request_signals(self, names):
        self.asked = tuple(names)

    def look(self):
        tasks = np.resize(np.linspace(-1, 1, 7) * (self.time % 3), 10).astype(np.float32) / 2
        return {"tasks": tasks, "run": np.zeros(2, np.float32)}

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.time, self.epochs = 0, np.zeros(5)
        return self.look(), {"divergence": np.array(DIVERGENCE), "prior": PRIOR.copy()} | self.said()

    def said(self):
        return {} if self.order is None else {"order": np.array(self.order)}

    def step(self, action):
        shares = (action + 1) / (action + 1).sum() if np.ndim(action) else np.eye(5)[action]
        if self.order is not None:
            shares = shares[np.argsort(self.order)]
        self.time += 1
        self.epochs += 0.3 * shares
        info = {"gain": shares[3] + self.noise * self.np_random.standard_normal(), "epochs": self.epochs.copy()}
        signals = {"duel": np.asarray(self.edge + self.np_random.standard_normal())}
        asked: Any = {name: signals[name] for name in self.asked}
        info |= {"signals": asked, "mixture": shares} | self.said()
        return self.look(), info["gain"], self.time >= self.horizon, False, info


class Rows(BaseCallback):
    """Picks and propensities, (N,) and (N, K) a decision."""

    def __init__(self):
        super().__init__()
        self.picks, self.executed = [], []

    def _on_step(self) -> bool:
        actions = np.array(self.locals["actions"])
        self.picks.append(actions if actions.ndim == 1 else actions.argmax(axis=1))
        self.executed.append(self.locals["probabilities"].copy())
        return True


def envs(count, **options):
    return DummyVecEnv([lambda: Judged(**options) for _ in range(count)])


def played(name, env, decisions, **options):
    rows = Rows()
    agent = make(name, env, seed=1, **options).learn(decisions * env.num_envs, rows)
    return agent, np.array(rows.picks), np.array(rows.executed)


@pytest.mark.parametrize("name", WRAPPED)
@pytest.mark.parametrize(("count", "mixture"), [(1, False), (1, True), (8, False)])
def test_all_wrappers_on_all_that_pick(name, count, mixture):
    _, picks, executed = played(name, envs(count, mixture=mixture), 20, **{**ALL, "maximum_epochs": None})
    assert executed.shape == (20, count, 5) and executed.sum(axis=2) == pytest.approx(1)
    assert (executed[:, :, [1, 4]] == 0).all() and not np.isin(picks, [1, 4]).any()
    assert executed[:, :, [0, 2, 3]].min() >= 0.04 - 1e-12


@pytest.mark.parametrize("name", WRAPPED)
@pooling
def test_saved_loaded_and_continued_is_never_having_stopped(name, pooled, tmp_path):
    options = ALL | ({"pool": pooled} if AGENTS[name].needs_reward else {})
    whole, first, rest = Rows(), Rows(), Rows()
    make(name, envs(3, edge=-0.2), seed=1, **options).learn(66, whole)
    env = envs(3, edge=-0.2)
    agent: Any = make(name, env, seed=1, **options).learn(33, first)
    agent.save(tmp_path / "agent")
    loaded: Any = load(name, tmp_path / "agent", copy.deepcopy(env))
    assert loaded.wrapping == agent.wrapping and loaded.pruned == [1, 4]
    for other in (agent, load(name, tmp_path / "agent")):  # without an env, divergences are still known
        assert np.array_equal(other.probabilities(agent._last_obs), whole.executed[11])
    loaded._last_obs, loaded._last_episode_starts = agent._last_obs, agent._last_episode_starts
    loaded.learn(33, rest, reset_num_timesteps=False)
    assert np.array_equal(first.picks + rest.picks, whole.picks)
    assert np.array_equal(first.executed + rest.executed, whole.executed)


def test_options_have_the_same_names_everywhere_and_nobody_elses():
    for name in AGENTS:
        cls, options = class_of(name), class_of(name).options()
        pickers = (*WRAPPED, "stratified", "auto")
        wrapped = name in pickers or AGENTS[name].target.startswith("curriculum_rl.agents.mixers")
        assert (set(WRAPPERS) <= set(options)) == wrapped and len(set(options)) == len(options)
        if not wrapped:
            assert not set(WRAPPERS) & set(options)
        if hasattr(cls, "rule_class"):  # auto's exponent may move: it is its rule's own
            own = {"prior"} if name == "auto" else set()
            assert set(WRAPPERS) & set(cls.rule_class.__dataclass_fields__) == own


def test_what_is_played_is_the_formula():
    agent: Any = make("exp3s", envs(1), seed=0, prior=0.5, minimum_share=0.05, maximum_epochs=0.5)
    agent.learn(1)
    memory = agent._memory
    memory.wrappers["epochs"][0] = [0, 0.5, 0, 0.49, 0]
    own = agent.rule.probabilities(memory._state)[0]
    expected = own * np.sqrt(PRIOR) * [1, 0, 1, 1, 1]
    expected = np.array([0.05, 0, 0.05, 0.05, 0.05]) + 0.8 * expected / expected.sum()
    assert agent.probabilities(LOOK)[0] == pytest.approx(expected)


@pooling
def test_the_rule_learns_with_the_executed_propensities(pooled):
    """EXP3's step by hand: exploration * r / (p K'), p what was executed."""
    agent: Any = make("exp3", envs(1, noise=0.0), seed=0, pool=pooled, prior=1.0, prune=0.4, minimum_share=0.1)
    rows = Rows()
    agent.learn(1, rows)
    weights = np.exp(-np.array([0.1, 0.0, 0.2]) / 0.1)
    executed = 0.1 + 0.7 * weights / weights.sum()
    assert rows.executed[0][0, [0, 2, 3]] == pytest.approx(executed)
    kept = [0, 2, 3].index(rows.picks[0][0])
    step = np.zeros(3)
    step[kept] = 0.1 * 0.5 / (executed[kept] * 3)  # a run's first gain is paid 1/2
    assert agent._memory._state["log_weights"][0] == pytest.approx(step)


def test_the_most_probable_task_is_that_of_what_is_executed():
    agent = make("exp3s", envs(1), seed=0, prior=2.0)
    agent.learn(1)
    assert [int(agent.predict(LOOK, deterministic=True)[0][0]) for _ in range(3)] == [2, 2, 2]
    plain = make("exp3s", envs(1), seed=0)
    plain.learn(1)
    assert agent.probabilities(LOOK)[0, 2] > 0.6 > plain.probabilities(LOOK)[0].max()


@pooling
def test_after_an_alarm_picks_are_even_and_the_rule_learns_nothing_of_pruned_tasks(pooled):
    options = {"prior": 2.0, "prune": 0.4, "guard": 0.2, "pool": pooled}
    agent, picks, executed = played("ucb1", envs(4, edge=-3.0, horizon=400), 60, **options)
    wrappers = agent._memory.wrappers
    assert wrappers["alarmed"].all() and agent.pruned == [1, 4]
    assert executed[-1] == pytest.approx(np.full((4, 5), 0.2)) and set(picks[-40:].ravel()) == {0, 1, 2, 3, 4}
    counts = agent._memory._state["counts"]
    kept = np.isin(picks, [0, 2, 3])
    assert counts.shape == ((1, 3) if pooled else (4, 3))
    assert counts.sum(axis=1).tolist() == ([kept.sum()] if pooled else kept.sum(axis=0).tolist())


def test_guards_are_a_replicas_own():
    made: list[Any] = [partial(Judged, edge=edge, horizon=400) for edge in (-3.0, 3.0)]
    agent, _, executed = played("exp3s", DummyVecEnv(made), 40, guard=0.1)
    assert agent._memory.wrappers["alarmed"].tolist() == [True, False]
    assert executed[-1, 0].tolist() == pytest.approx([0.2] * 5) and executed[-1, 1].max() > 0.3


def test_a_run_ends_what_its_wrappers_saw():
    agent, _, executed = played("exp3s", envs(2, edge=-3.0), 41, **{**ALL, "maximum_epochs": None})
    assert not agent._memory.wrappers["alarmed"].any() and agent._memory.wrappers["duels"].tolist() == [1, 1]
    assert np.allclose(executed[39], 0.2) and (executed[40][:, [1, 4]] == 0).all()


def test_what_was_read_often_enough_is_left_out():
    for limit, most in ((100.0, 6.0), (3.0, 3.0)):
        agent, _, executed = played("d-ts", envs(1), 39, maximum_epochs=limit)
        epochs = agent._memory.wrappers["epochs"][0]
        assert epochs.max() >= most and epochs.sum() == pytest.approx(39 * 0.3)
    assert epochs.max() < 3.0 + 0.3 and executed[-1, 0, epochs >= 3.0].tolist() == [0.0]
    _, picks, _ = played("round-robin", envs(1), 12, maximum_epochs=0.3)  # all at their limit: none is left out
    assert picks.ravel().tolist() == [0, 1, 2, 3, 4] * 2 + [0, 1]


def test_a_pool_plays_and_learns_with_another_number_of_replicas(tmp_path):
    agent, _, _ = played("d-ts", envs(3), 10, **ALL)
    one, _ = agent.predict(LOOK)
    assert one[0] in (0, 2, 3) and agent._memory.wrappers["begun"].shape == (3,)
    agent.save(tmp_path / "agent")
    loaded: Any = load("d-ts", tmp_path / "agent", envs(2))
    rows = Rows()
    loaded.learn(20, rows)
    assert loaded._memory.wrappers["begun"].tolist() == [True, True] and np.isin(rows.picks, [0, 2, 3]).all()


def test_pruning_follows_the_order_that_the_agent_sees():
    agent, picks, _ = played("exp3s", envs(1, order=[4, 3, 2, 1, 0]), 30, prune=0.4)
    assert agent.pruned == [1, 4] and set(picks.ravel()) == {1, 2, 4}  # the env's 3, 2 and 0


@pytest.mark.parametrize("name", ["ucb1", "sw-ucb", "tscl-naive", "trend-ucb", "exp3", "d-ts"])
def test_a_rule_plays_as_if_pruned_tasks_did_not_exist(name):
    """Else a rule that tries every task first would wait for one for ever."""
    kept = np.array([0, 2, 3])

    class Fewer(Judged):
        def __init__(self):
            super().__init__()
            self.action_space = spaces.Discrete(3)

        def step(self, action):
            return super().step(int(kept[action]))

    _, picks, _ = played(name, envs(1), 39, prune=0.4)
    _, fewer, _ = played(name, DummyVecEnv([Fewer]), 39)
    assert np.array_equal(picks, kept[fewer])


@pytest.mark.parametrize("agent", ["ucb1", "random"])
def test_an_env_that_does_not_say_is_one_line(agent):
    for option, message in (
        ({"prior": 0.1}, r"prior: 0\.1 needs a prior, which"),
        ({"prune": 0.4}, r"prune: 0\.4 needs the divergence of each task"),
        ({"guard": 0.05}, r"guard: 0\.05 needs the signals duel, and the env has no request_signals"),
    ):
        with pytest.raises(ConfigError, match=message):
            make(agent, gym.make("CartPole-v1"), seed=0, **option).learn(4)
    make(agent, gym.make("CartPole-v1"), seed=0, minimum_share=0.1, maximum_epochs=2).learn(4)


def test_stratified_under_wrappers_is_a_static_mixture():
    _, _, executed = played("stratified", envs(1, mixture=True), 10, prune=0.4, prior=1.0)
    weights = np.exp(-np.array([0.1, np.inf, 0.0, 0.2, np.inf]) / 0.1)
    assert executed[:, 0] == pytest.approx(np.tile(weights / weights.sum(), (10, 1)))


@pytest.mark.parametrize(("option", "exponent"), [({}, 1.0), ({"prior": 2.0}, 2.0)])
@pytest.mark.parametrize("order", [None, [4, 3, 2, 1, 0]])
def test_auto_is_the_prior_alone(option, exponent, order, tmp_path):
    env = envs(2, mixture=True, order=order)
    agent, _, executed = played("auto", env, 45, **option)  # 40 segments a run
    weights = PRIOR[order or slice(None)] ** exponent
    assert executed == pytest.approx(np.tile(weights / weights.sum(), (45, 2, 1)))
    assert all(one.asked == () for one in env.envs)  # nothing is measured
    agent.save(tmp_path / "agent")
    assert np.array_equal(load("auto", tmp_path / "agent").probabilities(agent._last_obs), executed[-1])


def test_auto_is_stratified_where_the_env_does_not_tell():
    def env():
        made: Any = Judged(mixture=True)
        made.reset = lambda **given: (Judged.reset(made, **given)[0], {})
        return made

    assert played("auto", DummyVecEnv([env]), 5)[2] == pytest.approx(np.full((5, 1, 5), 0.2))
    with pytest.raises(ConfigError, match=r"prior: 2\.0 needs a prior, which"):
        played("auto", DummyVecEnv([env]), 5, prior=2.0)
    with pytest.raises(ConfigError, match=r"prune: 0\.4 needs the divergence of each task"):
        played("auto", DummyVecEnv([env]), 5, prune=0.4)


@pooling
def test_false_alarms_of_whole_agents_are_as_rare_as_promised(pooled):
    """300 runs in which no mixture is better than another; a duel's noise is symmetric."""
    agent, _, _ = played("exp3s", envs(300, edge=0.0, horizon=80), 79, guard=0.05, pool=pooled)
    assert agent._memory.wrappers["duels"].min() == 79
    assert agent._memory.wrappers["alarmed"].mean() <= 0.05
