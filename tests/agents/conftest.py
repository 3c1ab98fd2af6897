"""Fixtures of all agent tests: the toy environment, and the names of the bandits."""

import pytest

from curriculum_rl.agents.bandits.contextual import ContextualShell
from curriculum_rl.agents.entries.bandits import BANDITS
from curriculum_rl.agents.table import class_of
from curriculum_rl.testing import envs


@pytest.fixture
def bandit_env():
    return envs.BanditEnv


@pytest.fixture
def pool():
    return envs.pool


@pytest.fixture(params=[entry.name for entry in BANDITS if not issubclass(class_of(entry.name), ContextualShell)])
def bandit(request: pytest.FixtureRequest) -> str:
    return request.param
