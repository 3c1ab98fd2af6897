"""Every agent of the table keeps the contract."""

import copy

import pytest

from curriculum_rl.agents import AGENTS
from curriculum_rl.testing.agents import AgentContract

REPLAYING = {"learning_starts": 16, "batch_size": 16, "gradient_steps": 1, "policy_kwargs": {"net_arch": [16, 16]}}
SMALL: dict[str, dict[str, object]] = {"ppo": {"n_steps": 16, "batch_size": 16, "n_epochs": 2}, "a2c": {"n_steps": 16}}
SMALL |= dict.fromkeys(("dqn", "sac", "td3", "ac-odm"), REPLAYING)


class TestAgents(AgentContract):
    @pytest.fixture(params=AGENTS)
    def agent(self, request):
        return request.param

    def options(self, agent):
        return copy.deepcopy(SMALL.get(agent, {}))
