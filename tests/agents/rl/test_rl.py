"""A2C, DQN, SAC, TD3 and AC-ODM: they learn, say what they drew from, and refuse what they cannot play."""

import re
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import DummyVecEnv

from curriculum_rl.agents import AGENTS, load, make
from curriculum_rl.agents.rl import ac_odm
from curriculum_rl.errors import ConfigError
from curriculum_rl.observation import RUN_FEATURES, TASK_FEATURES

OBSERVATION = np.zeros((1, 4), np.float32)
QUICK: dict[str, Any] = {"learning_starts": 64, "batch_size": 64, "gradient_steps": 2}
SMALL: dict[str, Any] = {"learning_rate": 3e-3, "policy_kwargs": {"net_arch": [64, 64]}}
REPLAYING = ["dqn", "sac", "td3", "ac-odm"]


class Drawn(BaseCallback):
    """Keeps what was drawn, and the probabilities that it was drawn from."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[Any] = []

    def _on_step(self) -> bool:
        self.rows.append((np.array(self.locals["actions"]), np.array(self.locals["probabilities"])))
        return True


@pytest.mark.parametrize(
    ("name", "options", "steps"),
    [
        ("a2c", {"n_steps": 20, "learning_rate": 3e-3}, 8000),
        ("dqn", {**QUICK, "learning_rate": 3e-3, "target_update_interval": 64}, 2400),
        ("td3", {**QUICK, **SMALL, "learning_rate": 1e-3, "learning_starts": 200}, 3200),
        ("sac", {**QUICK, **SMALL, "ent_coef": 0.01}, 1600),
    ],
)
def test_finds_the_good_task(name, options, steps, bandit_env):
    def build():
        env = bandit_env(horizon=5, noise=0.1, mixture=AGENTS[name].action == "mixture")
        return gymnasium.wrappers.TransformReward(env, lambda reward: 100 * float(reward))

    agent = make(name, DummyVecEnv([build] * 8), seed=0, **options).learn(steps)
    assert agent.probabilities(OBSERVATION)[0, 3] > 0.7  # even: .2
    assert agent.seconds > 0


@pytest.mark.parametrize("name", REPLAYING)
def test_the_warm_up_is_even_and_what_follows_is_the_policy(name, pool):
    env = pool(4, mixture=AGENTS[name].action == "mixture")
    drawn = Drawn()
    make(name, env, seed=0, **QUICK).learn(96, drawn)
    warm, after = drawn.rows[:16], drawn.rows[16:]
    assert all((row[1] == 0.2).all() for row in warm)
    assert all(np.allclose(row[1].sum(axis=1), 1) for row in after)
    if name == "dqn":
        # epsilon has fallen from 1 to .05 by half of the training
        assert [sorted(set(np.round(row[1], 6).ravel())) for row in after] == [[0.01, 0.96]] * len(after)
    else:
        assert all(row[1].std() > 0 for row in after)


def test_dqn_explores_replica_by_replica_at_the_rate_it_says(pool):
    agent: Any = make("dqn", pool(1), seed=0)
    agent.exploration_rate = 0.5
    picks, _ = agent.predict(OBSERVATION.repeat(4000, axis=0))
    probabilities = agent.probabilities(OBSERVATION)[0]
    assert sorted(np.round(probabilities, 9)) == [0.1, 0.1, 0.1, 0.1, 0.6]
    assert np.abs(np.bincount(picks, minlength=5) / 4000 - probabilities).max() < 0.03
    greedy, _ = agent.predict(OBSERVATION.repeat(4000, axis=0), deterministic=True)
    assert set(greedy) == {probabilities.argmax()}
    assert agent.probabilities(OBSERVATION, deterministic=True)[0, greedy[0]] == 1


@pytest.mark.parametrize("name", ["sac", "td3", "ac-odm"])
def test_mixture_probabilities_are_shares_of_the_mean_action(name, pool):
    agent = make(name, pool(2, mixture=True), seed=0)
    mean, _ = agent.predict(OBSERVATION, deterministic=True)
    expected = (mean + 1) / (mean + 1).sum(axis=1, keepdims=True)
    assert agent.probabilities(OBSERVATION) == pytest.approx(expected, abs=1e-6)


def test_td3_explores_with_its_noise_and_no_more(pool):
    for noise, spread in ((0.0, 0.0), (0.1, 0.1)):
        drawn = Drawn()
        options = {"learning_starts": 0, "learning_rate": 0.0, "batch_size": 1, "gradient_steps": 1}
        agent: Any = make("td3", pool(2, mixture=True), seed=0, noise=noise, **options)
        agent.learn(120, drawn)
        actions = np.stack([row[0] for row in drawn.rows])
        means = np.array([agent.predict(np.full((1, 4), t / 60, np.float32))[0][0] for t in range(60)])
        off = actions[:60] - means[:, None]
        assert off.std() == pytest.approx(spread, abs=0.02)


@pytest.mark.parametrize("name", ["a2c", *REPLAYING])
def test_pretrained_defaults(name, pool):
    agent: Any = make(name, pool(32, mixture=AGENTS[name].action == "mixture"), seed=0)
    assert (agent.gamma, agent.device.type) == (0.95 if name == "ac-odm" else 1.0, "cpu")
    assert agent.observe(np.zeros(1), np.zeros(1), np.zeros(1, bool), [{}]) is None
    assert agent.reset_memory() is None
    assert AGENTS[name].protocol == "pretrained"
    if name in REPLAYING:
        assert agent.replay_buffer.buffer_size * 32 == (9984 if name == "ac-odm" else 32_768)


@pytest.mark.parametrize(
    ("name", "mixture", "options", "message"),
    [
        ("sac", False, {}, "action_space: sac plays mixtures, Box(-1, 1, (K,)), not Discrete(5)"),
        ("td3", False, {}, "action_space: td3 plays mixtures, Box(-1, 1, (K,)), not Discrete(5)"),
        ("ac-odm", False, {}, "action_space: ac-odm plays mixtures, Box(-1, 1, (K,)), not Discrete(5)"),
        ("dqn", True, {}, "action_space: dqn plays one task at a time, Discrete(K), not mixtures of 5"),
        ("dqn", False, {"buffer_size": 0}, "buffer_size: 0 must be a whole number at least 1"),
        ("sac", True, {"gradient_steps": 0}, "gradient_steps: 0 must be at least 1, or -1"),
        ("sac", True, {"learning_starts": -1}, "learning_starts: -1 must be a whole number at least 0"),
        ("td3", True, {"noise": float("nan")}, "noise: nan must be a number at least 0"),
        ("td3", True, {"policy_delay": 0}, "policy_delay: 0 must be a whole number at least 1"),
        ("a2c", False, {"n_steps": 1}, "n_steps: 1 of 1 replicas must be at least 2"),
        ("dqn", False, {"policy": "Mlp"}, "policy: 'Mlp' is not one of MlpPolicy"),
        ("td3", True, {"policy": "MultiInputPolicy"}, "policy: 'MultiInputPolicy' cannot read"),
        ("ac-odm", True, {"smoothing": 1}, "smoothing: 1 must be a number at least 0 and below 1"),
        ("sac", True, {"colour": 1}, "agent sac: unknown option 'colour'"),
    ],
)
def test_mistakes_get_one_line(name, mixture, options, message, pool):
    with pytest.raises(ConfigError, match=re.escape(message)) as caught:
        make(name, pool(1, mixture=mixture), **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["ppo", "dqn", "exp3s"])
def test_a_callback_may_be_a_function(name, pool):
    """As for stable-baselines3; one that says False ends the training."""
    seen: list[int] = []
    make(name, pool(2), seed=0).learn(4, lambda *_: seen.append(0) is None)
    assert seen
    agent: Any = make(name, pool(2), seed=0)
    agent.learn(64, lambda *_: False)
    assert agent.num_timesteps == 2


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("name", ["ppo", "a2c", "dqn", "td3"])
def test_a_reward_that_is_no_number_is_an_error_and_not_learned(name, bad, pool, monkeypatch):
    env = pool(2, mixture=AGENTS[name].action == "mixture")
    agent = make(name, env, seed=0)
    step = env.step_wait

    def spoiled():
        observed, rewards, *others = step()
        return (observed, np.where([False, True], bad, rewards), *others)

    monkeypatch.setattr(env, "step_wait", spoiled)
    with pytest.raises(ConfigError, match=f"reward: {bad} from replica 1"):
        agent.learn(64)
    assert np.isfinite(agent.probabilities(OBSERVATION)).all()


def test_a_file_of_another_algorithm_is_refused(pool, tmp_path):
    make("a2c", pool(1), seed=0).save(tmp_path / "agent.zip")
    with pytest.raises(ConfigError, match="holds agent 'A2C', not 'PPO'"):
        load("ppo", tmp_path / "agent.zip")


class Measured:
    """Answers for a VecEnv that measures signals."""

    def __init__(self, env):
        self.asked: list[Any] = []
        self.env = env

    def __call__(self, method, *arguments, **_):
        assert method == "request_signals"
        self.asked.append(arguments)
        return [None] * self.env.num_envs


def test_ac_odm_is_paid_by_alignment_and_steps_its_actor(pool, monkeypatch):
    env = pool(2, mixture=True, horizon=4)
    products = np.diag(np.full(6, 2.0))
    products[3, 4] = products[4, 3] = 1.0
    step, order = env.step_wait, np.array([4, 3, 2, 1, 0])
    mixture = np.array([0.0, 0.0, 0.1, 0.6, 0.3])  # like the products in the order of the tasks, not the agent's

    def measured():
        observed, rewards, dones, infos = step()
        extra = {"mixture": mixture, "order": order}
        infos = [
            {**info, **extra, **({"signals": {"products": products}} if n else {})} for n, info in enumerate(infos)
        ]
        return observed, rewards, dones, infos

    asked = Measured(env)
    monkeypatch.setattr(env, "step_wait", measured)
    monkeypatch.setattr(env, "env_method", asked)
    agent: Any = make("ac-odm", env, seed=0, learning_starts=8, batch_size=8)
    before = [p.clone() for p in agent.actor.parameters()]
    agent.learn(32)
    assert asked.asked == [(("products",),)]
    paid = agent.replay_buffer.rewards[: agent.replay_buffer.pos]
    # W = (0, 0, 0, 1, 1) over (K - 1) 2 = 8; under shares .6 and .3 of the two: .9 / 8. Replica 0 was never measured.
    assert paid[:, 1] == pytest.approx(0.9 / 8, abs=1e-6)
    assert (paid[:, 0] == 0).all()
    assert any(not torch.equal(a, b) for a, b in zip(before, agent.actor.parameters(), strict=True))


def test_alignments():
    products = np.array([[4.0, 1, -1, 9], [1, 2, 0, 9], [-1, 0, 3, 9], [9, 9, 9, 9]])
    assert ac_odm.alignments(products) == pytest.approx(np.array([0, 1, -1]) / 6)
    assert (ac_odm.alignments(-products) == 0).all()
    assert (ac_odm.alignments(np.full((4, 4), np.nan)) == 0).all()
    products[0, 1] = products[1, 0] = 1e6
    assert ac_odm.alignments(products).max() == 3


def test_ac_odm_smooths_and_forgets_with_the_episode(pool):
    agent: Any = make("ac-odm", pool(1, mixture=True), seed=0)
    rewards = []
    for value, done in ((1.0, False), (0.0, True), (0.0, False)):
        products = np.diag(np.full(6, 1.0)) + value * (np.ones((6, 6)) - np.eye(6))
        info = {"signals": {"products": products}, "mixture": np.full(5, 0.2)}
        rewards.append(float(agent._pay([info], np.array([done]))[0]))
    assert rewards == pytest.approx([1.0, 0.5, 0.0])


def test_ac_odm_looks_at_what_the_paper_does_and_not_at_the_target():
    assert [TASK_FEATURES[column] for column in ac_odm.TASK_COLUMNS] == ["loss", "slope", "share"]
    assert [RUN_FEATURES[column] for column in ac_odm.RUN_COLUMNS] == ["budget_left"]
