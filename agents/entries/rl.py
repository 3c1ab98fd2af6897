"""Reinforcement learning: policies from stable-baselines3, trained over many runs and then used."""

from types import MappingProxyType

from curriculum_rl.agents.entry import AgentEntry

_MODULE = "curriculum_rl.agents.rl"
# What is learned over many runs must not hang on a task's number, and is paid for what it adds to stratified.
_POLICY_ENV = MappingProxyType({"observation": "dict", "action.permute": True, "reward.baseline": "stratified"})

RL = (
    AgentEntry(
        "ppo",
        f"{_MODULE}.ppo:PPO",
        "PPO, trained over many runs",
        "Schulman et al. 2017",
        protocol="pretrained",
        num_envs=32,
        env=_POLICY_ENV,
    ),
    AgentEntry(
        "a2c",
        f"{_MODULE}.a2c:A2C",
        "A2C, trained over many runs: one gradient step on each rollout",
        "Mnih et al. 2016",
        protocol="pretrained",
        num_envs=32,
        env=_POLICY_ENV,
    ),
    AgentEntry(
        "dqn",
        f"{_MODULE}.dqn:DQN",
        "DQN, trained over many runs: a value for each task",
        "Mnih et al. 2015",
        action="task",
        protocol="pretrained",
        num_envs=32,
        env=_POLICY_ENV,
    ),
    AgentEntry(
        "sac",
        f"{_MODULE}.sac:SAC",
        "SAC, trained over many runs: a stochastic mixture",
        "Haarnoja et al. 2018",
        action="mixture",
        protocol="pretrained",
        num_envs=32,
        env=_POLICY_ENV,
    ),
    AgentEntry(
        "td3",
        f"{_MODULE}.td3:TD3",
        "TD3, trained over many runs: a mixture, and noise to explore",
        "Fujimoto et al. 2018",
        action="mixture",
        protocol="pretrained",
        num_envs=32,
        env=_POLICY_ENV,
    ),
    AgentEntry(
        "ac-odm",
        f"{_MODULE}.ac_odm:ACODM",
        "AC-ODM with its actor stepped: state and reward from the learner's losses and gradients",
        "arXiv:2505.23878 and its released code, corrected",
        action="mixture",
        protocol="pretrained",
        needs_reward=False,
        needs_signals=True,
        sees_target=False,
        num_envs=8,
        env=MappingProxyType({"observation": "dict", "action.permute": True}),
    ),
)
