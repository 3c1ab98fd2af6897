"""Fixtures of all agent tests: the toy environment, and the names of the bandits."""

import importlib.util

import pytest

from curriculum_rl.agents.bandits.contextual import ContextualShell
from curriculum_rl.agents.entries.bandits import BANDITS
from curriculum_rl.agents.table import class_of
from curriculum_rl.testing import envs

HERE = [entry.name for entry in BANDITS if entry.name != "mabwiser" or importlib.util.find_spec("mabwiser")]


@pytest.fixture
def bandit_env():
    return envs.BanditEnv


@pytest.fixture
def pool():
    return envs.pool


@pytest.fixture(params=[name for name in HERE if not issubclass(class_of(name), ContextualShell)])
def bandit(request: pytest.FixtureRequest) -> str:
    return request.param
