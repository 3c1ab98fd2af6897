"""Actions and mixtures: every mixture can be reached, and equal actions are stratified."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curriculum_rl.mixtures import action_of, shares


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20).filter(lambda x: sum(x) > 0.01))
def test_every_mixture_can_be_reached(weights: list[float]) -> None:
    mixture = np.array(weights) / sum(weights)
    np.testing.assert_allclose(shares(action_of(mixture)), mixture, atol=1e-6)


@pytest.mark.parametrize("level", [-1.0, 0.0, 1.0])
def test_equal_actions_are_stratified(level: float) -> None:
    assert shares(np.full((2, 4), level)).tolist() == [[0.25] * 4] * 2


def test_share_is_proportional_to_the_action_plus_one() -> None:
    assert shares([1.0, 0.0, -1.0, 0.0]).tolist() == [0.5, 0.25, 0.0, 0.25]
