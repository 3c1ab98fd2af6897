"""Tasks, the number of observations, and spaces as plain values."""

import json

import numpy as np
import pytest
from gymnasium import spaces as gym_spaces

from curriculum_rl.agents.saving import tree
from curriculum_rl.agents.shell import spaces
from curriculum_rl.errors import ConfigError


def test_arms_and_refusals():
    assert spaces.arms(gym_spaces.Discrete(4)) == 4
    assert spaces.arms(gym_spaces.Box(-1, 1, (7,))) == 7
    for space in (gym_spaces.Box(0, 1, (7,)), gym_spaces.Discrete(4, start=1), gym_spaces.MultiBinary(3)):
        with pytest.raises(ConfigError, match="action_space"):
            spaces.arms(space)


def test_spaces_survive_their_description():
    box = gym_spaces.Box(np.array([-1, -np.inf], np.float32), np.array([1, np.inf], np.float32))
    parts = gym_spaces.Dict({"run": box, "tasks": gym_spaces.Discrete(2)})
    image = gym_spaces.Box(0, 255, (3, 4, 4), np.uint8)
    numbers = gym_spaces.Discrete(4, start=2), gym_spaces.MultiDiscrete([2, 3]), gym_spaces.MultiBinary([2, 2])
    for space in (box, gym_spaces.Discrete(3), parts, image, *numbers):
        arrays: tree.Arrays = {}
        written = json.loads(json.dumps(tree.encode(spaces.describe(space), arrays)))
        found = spaces.from_description(tree.decode(written, arrays))
        assert found == space and found.dtype == space.dtype
    with pytest.raises(ConfigError, match=r"space: cannot save Text\("):
        spaces.describe(gym_spaces.Text(3))


def test_rows_of_observations():
    box = gym_spaces.Box(-1, 1, (4,))
    assert spaces.rows(box, np.zeros(4)) is None and spaces.rows(box, np.zeros((3, 4))) == 3
    assert spaces.rows(gym_spaces.Dict({"run": box}), {"run": np.zeros((2, 4))}) == 2
