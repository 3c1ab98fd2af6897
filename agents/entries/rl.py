"""Reinforcement learning: policies from stable-baselines3, trained over many runs and then used."""

from types import MappingProxyType

from curriculum_rl.agents.entry import AgentEntry

# What is learned over many runs must not hang on a task's number, and is paid for what it adds to stratified.
_POLICY_ENV = MappingProxyType({"observation": "dict", "action.permute": True, "reward.baseline": "stratified"})

RL = (
    AgentEntry(
        "ppo",
        "curriculum_rl.agents.rl.ppo:PPO",
        "PPO, trained over many runs",
        "Schulman et al. 2017",
        protocol="pretrained",
        num_envs=32,
        env=_POLICY_ENV,
    ),
)
