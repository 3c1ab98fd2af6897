"""Reinforcement learning: policies from stable-baselines3, trained over many runs and then used."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from curriculum_rl.agents.entry import AgentEntry

# What is learned over many runs must not hang on a task's number, and is paid for what it adds to stratified.
_ENV = MappingProxyType({"observation": "dict", "action.permute": True, "reward.baseline": "stratified"})
POLICY: Mapping[str, Any] = MappingProxyType({"protocol": "pretrained", "num_envs": 32, "env": _ENV})


def _entry(name: str, target: str, summary: str, source: str, **more: Any) -> AgentEntry:
    return AgentEntry(name, f"curriculum_rl.agents.rl.{target}", summary, source, **{**POLICY, **more})


RL = (
    _entry("ppo", "ppo:PPO", "PPO, trained over many runs", "Schulman et al. 2017"),
    _entry("a2c", "a2c:A2C", "A2C, trained over many runs: one gradient step on each rollout", "Mnih et al. 2016"),
    _entry("dqn", "dqn:DQN", "DQN, trained over many runs: a value for each task", "Mnih et al. 2015", action="task"),
    _entry(
        "sac", "sac:SAC", "SAC, trained over many runs: a stochastic mixture", "Haarnoja et al. 2018", action="mixture"
    ),
    _entry(
        "td3",
        "td3:TD3",
        "TD3, trained over many runs: a mixture, and noise to explore",
        "Fujimoto et al. 2018",
        action="mixture",
    ),
    _entry(
        "ac-odm",
        "ac_odm:ACODM",
        "AC-ODM with its actor stepped: state and reward from the learner's losses and gradients",
        "arXiv:2505.23878 and its released code, corrected",
        action="mixture",
        needs_reward=False,
        needs_signals=True,
        sees_target=False,
        num_envs=8,
        env=MappingProxyType({"observation": "dict", "action.permute": True}),
    ),
)
