"""The equivariant policy: permute the tasks and its probabilities follow; it learns; it is saved and loaded."""

from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces
from stable_baselines3.common.vec_env import DummyVecEnv

from curriculum_rl.agents.rl.equivariant import EquivariantPolicy
from curriculum_rl.agents.rl.ppo import PPO
from curriculum_rl.agents.table import load, make
from curriculum_rl.errors import ConfigError

K, F, G = 5, 3, 2


class Marked(gymnasium.Env[Any, Any]):
    """The good task is the one whose first feature is largest; its place changes every step."""

    def __init__(self, arms: int = K, mixture: bool = False) -> None:
        self.arms = arms
        self.observation_space = spaces.Dict(
            {"tasks": spaces.Box(-5, 5, (arms * F,), np.float32), "run": spaces.Box(-5, 5, (G,), np.float32)}
        )
        self.action_space = spaces.Box(-1, 1, (arms,), np.float32) if mixture else spaces.Discrete(arms)
        self.steps = 0

    def _look(self) -> dict[str, Any]:
        self.tasks = self.np_random.uniform(-1, 1, (self.arms, F)).astype(np.float32)
        return {"tasks": self.tasks.ravel(), "run": np.zeros(G, np.float32)}

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.steps = 0
        return self._look(), {}

    def step(self, action: Any) -> Any:
        reward = float(self.tasks[:, 0].argmax() == action)
        self.steps += 1
        return self._look(), reward, self.steps == 8, False, {}


def several(count: int = 8, **options: Any) -> DummyVecEnv:
    return DummyVecEnv([lambda: Marked(**options)] * count)


@pytest.mark.parametrize("mixture", [False, True])
def test_probabilities_follow_a_permutation_and_values_stay(mixture: bool) -> None:
    agent = make("ppo", several(mixture=mixture), seed=0)
    assert isinstance(agent.policy, EquivariantPolicy)  # type: ignore[attr-defined]
    with torch.no_grad():
        for parameter in agent.policy.parameters():  # type: ignore[attr-defined]
            parameter.add_(torch.randn_like(parameter) * 0.3)
    draw = np.random.default_rng(0)
    tasks = draw.normal(size=(4, K, F)).astype(np.float32)
    run = draw.normal(size=(4, G)).astype(np.float32)
    order = draw.permutation(K)

    def look(features: Any) -> Any:
        observed = {"tasks": features.reshape(4, -1), "run": run}
        values = agent.policy.predict_values(agent.policy.obs_to_tensor(observed)[0])  # type: ignore[attr-defined]
        return agent.probabilities(observed), values.detach().numpy()

    (plain, value), (permuted, same) = look(tasks), look(tasks[:, order])
    assert permuted == pytest.approx(plain[:, order], abs=1e-6)
    assert same == pytest.approx(value, abs=1e-5)
    assert plain.std() > 0.01


def test_it_starts_almost_uniform() -> None:
    agent = make("ppo", several(), seed=0)
    observation = {"tasks": np.random.default_rng(0).normal(size=(8, K * F)), "run": np.ones((8, G))}
    assert agent.probabilities(observation) == pytest.approx(1 / K, abs=0.02)


def test_it_learns_what_a_position_cannot_tell_and_survives_saving(tmp_path: Path) -> None:
    env = several()
    agent = make("ppo", env, seed=0, n_steps=64).learn(16_000)
    env.seed(1)
    observation, hits = env.reset(), []
    for _ in range(50):
        action, _ = agent.predict(observation)
        observation, reward, _, _ = env.step(action)
        hits.append(reward.mean())
    assert np.mean(hits) > 0.7
    agent.save(tmp_path / "agent")
    again = load("ppo", tmp_path / "agent", env=several())
    assert np.array_equal(again.probabilities(observation), agent.probabilities(observation))


def test_other_observations_are_refused() -> None:
    env = DummyVecEnv([lambda: gymnasium.make("CartPole-v1")])
    with pytest.raises(ConfigError, match="observation: EquivariantPolicy reads 'dict' observations"):
        PPO(EquivariantPolicy, env)
