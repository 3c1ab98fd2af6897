"""Linear bandits: the model by hand, the propensities, and an env where only the features tell the good task."""

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from stable_baselines3.common.vec_env import DummyVecEnv

from curriculum_rl.agents import load, make
from curriculum_rl.agents.bandits.lin_ts import LinearThompson
from curriculum_rl.agents.bandits.lin_ucb import LinUCB
from curriculum_rl.errors import ConfigError

every = pytest.mark.parametrize("name", ["lin-ucb", "lin-ts"])
pooling = pytest.mark.parametrize("pooled", [True, False])


class Marked(gym.Env):
    """The gain is the first feature of the task played; features change at every step."""

    def __init__(self, arms=6, noise=0.3):
        tasks, run = spaces.Box(-5, 5, (arms * 3,), np.float32), spaces.Box(-5, 5, (2,), np.float32)
        self.observation_space = spaces.Dict({"tasks": tasks, "run": run})
        self.action_space = spaces.Discrete(arms)
        self.arms, self.noise = arms, noise

    def look(self):
        self.tasks = self.np_random.standard_normal((self.arms, 3)).astype(np.float32)
        return {"tasks": self.tasks.ravel().clip(-5, 5), "run": np.zeros(2, np.float32)}

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.time = 0
        return self.look(), {}

    def step(self, action):
        gain = float(self.tasks[action, 0]) + self.noise * float(self.np_random.standard_normal())
        self.time += 1
        return self.look(), gain, self.time >= 400, False, {}


def test_linucb_by_hand():
    """Two features, ridge 1, the plays x = (1, 0) paid 2 and x = (1, 1) paid 0."""
    rule = LinUCB(width=0.5)
    state = rule.start(1, 2)
    rule.update(state, np.array([[[1.0, 0.0], [1.0, 1.0]]]), np.array([[2.0, 0.0]]))
    assert state["precision"][0].tolist() == [[3, 1], [1, 2]] and state["target"][0].tolist() == [2, 0]
    # A^-1 = [[.4, -.2], [-.2, .6]], theta = (.8, -.4)
    # limits: (1, 0): .8 + .5 sqrt(.4) = 1.116; (0, 1): -.4 + .5 sqrt(.6) = -.013; (1, -1): 1.2 + .5 sqrt(1.4) = 1.792
    features = np.array([[[[1.0, 0.0], [0.0, 1.0], [1.0, -1.0]], [[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]]])
    assert rule.probabilities(state, features)[0].tolist() == [[0, 0, 1], [0.5, 0, 0.5]]


def test_width_decides_whether_the_unknown_is_tried():
    features = np.array([[[[1.0, 0.0], [0.0, 1.0]]]])
    for width, expected in ((0.0, [1, 0]), (3.0, [0, 1])):
        rule = LinUCB(width=width)
        state = rule.start(1, 2)
        rule.update(state, np.array([[[1.0, 0.0]]]), np.array([[1.0]]))
        # .5 + width sqrt(.5) against width
        assert rule.probabilities(state, features)[0, 0].tolist() == expected


def test_linear_thompson_probabilities_are_those_of_the_posterior():
    """Two independent features: theta_i ~ N(m_i, v_i), so the chance is a normal integral in closed form."""
    rule = LinearThompson(spread=1.0, draws=20_000)
    state = rule.start(1, 2)
    rule.update(state, np.array([[[1.0, 0.0]]]), np.array([[1.0]]))
    # N(.5, .5) against N(0, 1): Phi(.5 / sqrt 1.5) = .6585
    chances = rule.probabilities(state, np.eye(2)[None, None])
    assert chances[0, 0, 0] == pytest.approx(0.6585, abs=0.01)
    assert np.array_equal(chances, rule.probabilities(state, np.eye(2)[None, None]))


def test_same_features_same_chance():
    rng = np.random.default_rng(0)
    features = rng.standard_normal((2, 3, 5, 4))
    features[:, :, 3] = features[:, :, 1]
    for rule in (LinUCB(), LinearThompson()):
        state = rule.start(2, 4)
        rule.update(state, rng.standard_normal((2, 6, 4)), rng.standard_normal((2, 6)))
        chances = rule.probabilities(state, features)
        assert np.allclose(chances[:, :, 1], chances[:, :, 3]) and np.allclose(chances.sum(axis=2), 1)
        order = rng.permutation(5)
        assert np.allclose(rule.probabilities(state, features[:, :, order]), chances[:, :, order])


@every
@pooling
def test_learns_what_no_task_number_can_tell(name, pooled):
    """Mean gain of a random pick is 0, of the best of six normal features 1.27."""
    env = DummyVecEnv([Marked] * 3)
    paid = []
    agent = make(name, env, seed=0, pool=pooled)
    agent.learn(3 * 100)
    observation: Any = env.reset()
    agent.set_random_seed(5)
    for _ in range(100):
        actions, _ = agent.predict(observation)
        observation, rewards, _, _ = env.step(actions)
        paid.append(rewards.mean())
    assert np.mean(paid) > 0.9


@every
def test_looking_does_not_change_what_is_learned(name, tmp_path):
    """`probabilities` of another observation between a decision and its gain changes nothing; nor does a file."""
    env = DummyVecEnv([Marked])
    first, second = make(name, env, seed=0), make(name, env, seed=0)
    observation: Any = env.reset()
    for step in range(20):
        actions, _ = first.predict(observation)
        assert np.array_equal(second.predict(observation)[0], actions)
        second.probabilities({part: value + 1 for part, value in observation.items()})
        after, rewards, dones, infos = env.step(actions)
        for agent in (first, second):
            agent.observe(actions, rewards, dones, infos)
        observation = after
        if step == 10:
            second.save(tmp_path / "agent")
            second = load(name, tmp_path / "agent", DummyVecEnv([Marked]))
        assert np.array_equal(first.probabilities(observation), second.probabilities(observation))


@every
def test_without_features_there_is_one_line(name, bandit_env):
    for options in ({}, {"dict_observation": True}):
        with pytest.raises(ConfigError, match="needs per-task features") as caught:
            make(name, bandit_env(**options))
        assert "\n" not in str(caught.value)
    agent = make(name, bandit_env(features=True), seed=0)
    with pytest.raises(ConfigError, match="a dict with"):
        agent.predict(np.zeros(4, np.float32))


@every
def test_absurd_gains_and_features_poison_nothing(name):
    agent = make(name, DummyVecEnv([Marked]), seed=0)
    observation = {"tasks": np.full((1, 18), np.nan, np.float32), "run": np.zeros((1, 2), np.float32)}
    for gain in (np.nan, np.inf, 1e300, 1.0):
        actions, _ = agent.predict(observation)
        agent.observe(actions, np.zeros(1), np.zeros(1, bool), [{"gain": gain}])
    assert np.allclose(agent.probabilities(observation), 1 / 6)
