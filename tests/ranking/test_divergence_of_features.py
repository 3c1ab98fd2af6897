"""Measures of two clouds of features against values worked out by hand, and what holds for any cloud."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from curriculum_rl.ranking.features import coral, mean_cosine, mmd, proxy_a_distance, sliced_wasserstein

SYMMETRIC = [sliced_wasserstein, mmd, coral, mean_cosine, proxy_a_distance]
numbers = st.floats(-5, 5).map(lambda value: round(value, 3))


def clouds(rows: int = 4, width: int = 3) -> st.SearchStrategy[np.ndarray]:
    return arrays(np.float64, (rows, width), elements=numbers)


@pytest.mark.parametrize("measure", SYMMETRIC)
@given(x=clouds(), y=clouds(rows=5))
@settings(max_examples=40, deadline=None)
def test_any_measure_is_symmetric_and_not_negative(measure, x, y):
    one, other = measure(x, y), measure(y, x)
    assert one >= 0
    assert one == pytest.approx(other, abs=1e-8)


@pytest.mark.parametrize("measure", SYMMETRIC)
@given(x=clouds())
@settings(max_examples=40, deadline=None)
def test_a_cloud_is_no_distance_from_itself(measure, x):
    # The mean of a cloud may be 0, which has no direction.
    expected = 1.0 if measure is mean_cosine and not np.linalg.norm(x.mean(axis=0)) else 0.0
    assert measure(x, x) == pytest.approx(expected, abs=1e-9)


@given(x=clouds(rows=6, width=2), shift=arrays(np.float64, 2, elements=numbers))
@settings(max_examples=40, deadline=None)
def test_a_shifted_cloud(x, shift):
    """The covariance does not move; along a direction the distance is the shift's length seen from there."""
    assert coral(x, x + shift) == pytest.approx(0, abs=1e-9)
    found = sliced_wasserstein(x, x + shift, projections=2000)
    assert found == pytest.approx(np.linalg.norm(shift) * 2 / np.pi, rel=0.1, abs=1e-9)


def test_one_dimension_needs_no_projection():
    # Every direction of a line is 1 or -1: points 0, 1 against 2, 5 move by 2 and by 4.
    assert sliced_wasserstein(np.array([[0.0], [1.0]]), np.array([[5.0], [2.0]])) == pytest.approx(3.0)


def test_the_directions_are_a_function_of_the_seed():
    x, y = np.eye(4), np.zeros((4, 4))
    assert sliced_wasserstein(x, y, seed=1) == sliced_wasserstein(x, y, seed=1)
    assert sliced_wasserstein(x, y, seed=1) != sliced_wasserstein(x, y, seed=2)


def test_mmd_by_hand():
    # Rows 0, 0 against 2, 2: distances 0 (twice) and 2 (four times), so h = 2 and k = exp(-4 / 8) across.
    x, y = np.zeros((2, 1)), np.full((2, 1), 2.0)
    assert mmd(x, y) == pytest.approx(2 - 2 * np.exp(-0.5))


def test_mmd_of_clouds_that_are_mostly_one_point():
    x, y = np.zeros((5, 1)), np.array([[0.0], [0.0], [0.0], [0.0], [3.0]])
    # The median distance is 0, so the largest squared one, 9, takes its place.
    k = np.exp(-0.5)
    assert mmd(x, y) == pytest.approx(1 + (17 + 8 * k) / 25 - 2 * (20 + 5 * k) / 25)


def test_coral_by_hand():
    x = np.array([[0.0, 0.0], [2.0, 0.0]])  # covariance [[2, 0], [0, 0]]
    y = np.array([[0.0, 0.0], [2.0, 2.0]])  # covariance [[2, 2], [2, 2]]
    assert coral(x, y) == pytest.approx((4 + 4 + 4) / 16)


def test_proxy_a_distance_is_2_for_clouds_apart_and_0_for_one_cloud_cut_in_two():
    draw = np.random.default_rng(0)
    cloud = draw.normal(size=(400, 3))
    assert proxy_a_distance(cloud, cloud + 20) == pytest.approx(2.0)
    assert proxy_a_distance(cloud[:200], cloud[200:]) < 0.25
    assert proxy_a_distance(cloud[:40], cloud[40:]) < 0.25  # sizes do not matter: both clouds weigh the same


def test_proxy_a_distance_by_hand():
    # Left alone, the rows at -1 and 1 are told apart; each side's row at 0 has its twin on the other side and is lost.
    x, y = np.array([[-1.0]] * 9 + [[0.0]]), np.array([[1.0]] * 9 + [[0.0]])
    assert proxy_a_distance(x, y) == pytest.approx(2 * (1 - 2 * 0.1))


def test_mean_cosine_by_hand():
    assert mean_cosine(np.array([[2.0, 0.0], [0.0, 0.0]]), np.array([[1.0, 1.0]])) == pytest.approx(1 - np.sqrt(0.5))
