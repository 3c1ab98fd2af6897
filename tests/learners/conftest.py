"""Random plans for learner tests."""

from collections.abc import Callable

import pytest

from curriculum_rl.batch import SegmentPlan
from curriculum_rl.testing.learners import random_plan

MakePlan = Callable[..., SegmentPlan]


@pytest.fixture(scope="session")
def make_plan() -> MakePlan:
    """The function `random_plan`."""
    return random_plan
