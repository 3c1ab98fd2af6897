"""Toy environments that hold no language model, for all agent tests."""

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from stable_baselines3.common.vec_env import DummyVecEnv

from curriculum_rl.agents.bandits.contextual import ContextualShell
from curriculum_rl.agents.entries.bandits import BANDITS
from curriculum_rl.agents.table import AGENTS, class_of


class BanditEnv(gym.Env):
    """K tasks of which one is best; gains fall over the episode, noise too; `info["gain"]` is 100 times the reward."""

    def __init__(
        self, *, arms=5, horizon=60, best=3, mixture=False, dict_observation=False, features=False, fail=(), noise=0.3
    ):
        box = spaces.Box(-1, 1, (4,), np.float32)
        tasks = spaces.Box(-1, 1, (2 * arms,), np.float32) if features else box
        self.observation_space = spaces.Dict({"run": box, "tasks": tasks}) if dict_observation or features else box
        self.action_space = spaces.Box(-1, 1, (arms,), np.float32) if mixture else spaces.Discrete(arms)
        self.arms, self.horizon, self.best, self.fail, self.noise = arms, horizon, best, fail, noise
        self.asked: tuple[str, ...] = ()

    def request_signals(self, names: tuple[str, ...]) -> None:
        self.asked = tuple(names)

    def _signals(self) -> dict[str, np.ndarray]:
        """Of the shapes of `curriculum_rl.signals`; the best task is aligned with the target and gains most."""
        K, draw = self.arms, self.np_random
        towards = np.append(np.eye(K)[self.best], 1.0)
        gradients = 0.1 * (draw.standard_normal((K + 1, 8)) + 3 * towards[:, None])
        made = {
            "heldout_loss": 3 + draw.random(K),
            "products": gradients @ gradients.T,
            "adam_products": gradients @ gradients.T,
            "variance": draw.random(K),
            "look_ahead": 0.1 * (draw.standard_normal(K) + towards[:-1]),
            "rollout": 0.1 * (draw.standard_normal(K) + towards[:-1]),
            "duel": np.asarray(0.1 * draw.standard_normal()),
            "ghost": towards[:-1] + 0.1 * draw.standard_normal(K),
            "transfer": 0.1 * draw.standard_normal((K, K)) + towards[:-1, None],
        }
        return {name: made[name] for name in self.asked}

    def _observe(self):
        value = np.full(4, self.time / self.horizon, np.float32)
        if isinstance(self.observation_space, spaces.Box):
            return value
        tasks = np.resize(value, self.observation_space["tasks"].shape)
        return {"run": value, "tasks": tasks}

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
        if self.asked:
            info |= {"signals": self._signals(), "mixture": shares}
        return self._observe(), -1.0 if failed else gain / 100, self.time >= self.horizon, False, info


@pytest.fixture
def bandit_env():
    return BanditEnv


@pytest.fixture
def pool():
    def build(count: int, **options: Any) -> DummyVecEnv:
        return DummyVecEnv([lambda: BanditEnv(**options) for _ in range(count)])

    return build


def is_contextual(name: str) -> bool:
    return name in AGENTS and issubclass(class_of(name), ContextualShell)


CONTEXTUAL = [name for name in AGENTS if is_contextual(name)]


@pytest.fixture(params=sorted(AGENTS))
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def env_options():
    """What an agent's env must have: a mixture space, per-task features."""
    return lambda name: {"mixture": AGENTS[name].action == "mixture", "features": name in CONTEXTUAL}


@pytest.fixture
def looked():
    """Observations (N of them) that an agent can read, in an env of five tasks."""

    def build(name: str, count: int) -> Any:
        run = np.zeros((count, 4), np.float32)
        return {"run": run, "tasks": np.zeros((count, 10), np.float32)} if name in CONTEXTUAL else run

    return build


@pytest.fixture(params=[entry.name for entry in BANDITS if entry.name not in CONTEXTUAL])
def bandit(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def small():
    """Options that keep the updates of policies small."""
    options = {"ppo": {"n_steps": 16, "batch_size": 16, "n_epochs": 2}, "a2c": {"n_steps": 16}}
    replaying = {"learning_starts": 16, "batch_size": 16, "gradient_steps": 1}
    options |= dict.fromkeys(("dqn", "sac", "td3", "ac-odm"), replaying)
    return lambda name: dict(options.get(name, {}))
