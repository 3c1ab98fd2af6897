"""Toy environments that hold no language model, for all agent tests."""

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from stable_baselines3.common.vec_env import DummyVecEnv

from curriculum_rl.agents.table import AGENTS


class BanditEnv(gym.Env):
    """K tasks of which one is best; gains fall over the episode, noise too; `info["gain"]` is 100 times the reward."""

    def __init__(self, *, arms=5, horizon=60, best=3, mixture=False, dict_observation=False, fail=(), noise=0.3):
        box = spaces.Box(-1, 1, (4,), np.float32)
        self.observation_space = spaces.Dict({"run": box, "tasks": box}) if dict_observation else box
        self.action_space = spaces.Box(-1, 1, (arms,), np.float32) if mixture else spaces.Discrete(arms)
        self.arms, self.horizon, self.best, self.fail, self.noise = arms, horizon, best, fail, noise

    def _observe(self):
        value = np.full(4, self.time / self.horizon, np.float32)
        return {"run": value, "tasks": value.copy()} if isinstance(self.observation_space, spaces.Dict) else value

    def reset(self, *, seed: int | None = None, options: Any = None):
        super().reset(seed=seed)
        self.time = 0
        return self._observe(), {}

    def step(self, action):
        assert self.action_space.contains(action), action
        if isinstance(self.action_space, spaces.Box):
            shares = (action + 1) / max(float((action + 1).sum()), 1e-9)
        else:
            shares = np.eye(self.arms)[int(action)]
        level = 1 / (1 + 5 * self.time / self.horizon)
        gain = level * (1 + float(shares[self.best]) + self.noise * float(self.np_random.standard_normal()))
        failed = self.time in self.fail
        self.time += 1
        info = {"gain": float("nan") if failed else gain, "failed": failed}
        return self._observe(), -1.0 if failed else gain / 100, self.time >= self.horizon, False, info


@pytest.fixture
def bandit_env():
    return BanditEnv


@pytest.fixture
def pool():
    def build(count: int, **options: Any) -> DummyVecEnv:
        return DummyVecEnv([lambda: BanditEnv(**options) for _ in range(count)])

    return build


@pytest.fixture(params=sorted(AGENTS))
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def small():
    """Options that keep PPO's updates small."""
    return lambda name: {"n_steps": 16, "batch_size": 16, "n_epochs": 2} if name == "ppo" else {}
