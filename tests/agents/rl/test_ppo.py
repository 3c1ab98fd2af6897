"""PPO: learns a tiny problem, and gives the probabilities it draws from."""

from typing import Any

import numpy as np
import pytest
import stable_baselines3
import torch

from curriculum_rl.agents import make
from curriculum_rl.agents.rl.ppo import PPO


def test_finds_the_good_task(pool):
    env = pool(8, horizon=20, noise=0.1)
    agent = make("ppo", env, seed=0, n_steps=20, batch_size=160, learning_rate=3e-3).learn(8_000)
    assert agent.probabilities(np.zeros((1, 4), np.float32))[0, 3] > 0.5
    assert agent.seconds > 0


def test_probabilities_are_those_of_the_draws(pool):
    agent = make("ppo", pool(1), seed=0)
    observation = np.zeros((1, 4), np.float32)
    probabilities = agent.probabilities(observation)[0]
    picks = np.concatenate([agent.predict(observation.repeat(4000, axis=0))[0]])
    assert np.abs(np.bincount(picks, minlength=5) / 4000 - probabilities).max() < 0.03


def test_defaults_are_for_short_episodes(pool):
    agent = make("ppo", pool(1), seed=0)
    assert isinstance(agent, PPO)
    assert (agent.gamma, agent.n_steps, agent.device.type) == (1.0, 256, "cpu")
    assert agent.observe(np.zeros(1), np.zeros(1), np.zeros(1, bool), [{}]) is None
    assert agent.reset_memory() is None


def test_mixture_probabilities_are_shares_of_the_mean_action(pool):
    agent = make("ppo", pool(2, mixture=True, dict_observation=True), seed=0)
    observation = {name: np.zeros((2, 4), np.float32) for name in ("run", "tasks")}
    mean, _ = agent.predict(observation, deterministic=True)
    expected = (mean + 1) / (mean + 1).sum(axis=1, keepdims=True)
    assert agent.probabilities(observation) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("mixture", [False, True])
def test_learns_bit_for_bit_what_stable_baselines3_does(mixture, pool):
    settings: dict[str, Any] = {
        "learning_rate": 1e-3,
        "n_steps": 64,
        "batch_size": 256,
        "gamma": 1.0,
        "ent_coef": 0.01,
        "seed": 3,
    }
    plain = stable_baselines3.PPO("MlpPolicy", pool(4, mixture=mixture), device="cpu", **settings).learn(512)
    ours: Any = make("ppo", pool(4, mixture=mixture), seed=3).learn(512)
    for name, value in plain.policy.state_dict().items():
        assert torch.equal(ours.policy.state_dict()[name], value), name
