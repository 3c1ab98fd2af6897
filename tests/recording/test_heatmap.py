"""The heat map: what is drawn where."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from curriculum_rl.recording.heatmap import BAND, TOP, WIDTH, columns, count_text, heat_map


@given(st.integers(1, 5), st.integers(1, 300), st.integers(1, 60))
def test_averaging_columns_keeps_the_mean_when_it_divides(rows, width, count):
    values = np.random.default_rng(width).random((rows, width * count))
    assert columns(values, count).shape == (rows, min(width * count, count))
    np.testing.assert_allclose(columns(values, count).mean(axis=1), values.mean(axis=1))


def test_the_favourite_is_bright_and_the_rest_dark():
    values = np.zeros((3, 10))
    values[0, :5], values[2, 5:] = 1.0, 1.0
    png, size = heat_map(values, ["a", "b", "c"], tokens=5000)
    picture = Image.open(io.BytesIO(png))
    assert picture.size == size
    pixels = np.asarray(picture.convert("RGB")).astype(int)
    bright = (pixels == [253, 231, 36]).all(axis=2)
    left = int(np.flatnonzero(bright[TOP + BAND // 2])[0])
    middles = [TOP + band * BAND + BAND // 2 for band in range(3)]
    assert [bool(bright[y, left + WIDTH // 4]) for y in middles] == [True, False, False]
    assert [bool(bright[y, left + 3 * WIDTH // 4]) for y in middles] == [False, False, True]


@pytest.mark.parametrize(("tasks", "segments"), [(1, 1), (2, 3), (12, 5000), (40, 7)])
def test_any_size_is_drawn(tasks, segments):
    values = np.full((tasks, segments), 1 / tasks)
    png, (width, height) = heat_map(values, [f"task number {i}" for i in range(tasks)], tokens=10**9)
    assert (width, height) == Image.open(io.BytesIO(png)).size
    assert height > tasks * BAND


def test_zeros_are_drawn_too():
    heat_map(np.zeros((2, 2)), ["a", "b"], tokens=0)


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0"), (950, "950"), (1200, "1.2k"), (3_072_000, "3.1M"), (45_000_000, "45M"), (2e9, "2.0B")]
)
def test_counts_for_people(count, text):
    assert count_text(count) == text
