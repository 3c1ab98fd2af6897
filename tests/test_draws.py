"""Draws: stable keys, uniform numbers, exact permutations, epochs."""

import itertools
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curriculum_rl import draws


def test_key_is_stable_and_tells_types_and_boundaries_apart() -> None:
    assert draws.key(1, "2") == 9824318801663188220
    keys = [draws.key(1, "2"), draws.key("1", 2), draws.key("12"), draws.key(12), draws.key("1", "2"), draws.key()]
    assert len(set(keys)) == len(keys)
    assert all(0 <= key < 2**64 for key in keys)


def test_draws_do_not_depend_on_the_process() -> None:
    code = "import numpy as np; from curriculum_rl.draws import *; print(window_of(key('a', 3), np.arange(9), 7))"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert other.strip() == str(draws.window_of(draws.key("a", 3), np.arange(9), 7))


def test_spread_differs_by_key_and_number() -> None:
    keys = np.concatenate([draws.spread(key, np.arange(20_000)) for key in (0, 1, 2**64 - 1)])
    assert len(np.unique(keys)) == 60_000
    assert np.array_equal(draws.spread(7, np.array([5])), draws.spread(7, np.arange(9))[5:6])


def test_uniforms_are_uniform_and_independent_between_keys_and_streams() -> None:
    keys = draws.spread(3, np.arange(1_000))
    numbers = draws.uniforms(keys, 200)
    assert numbers.dtype == np.float32 and numbers.shape == (1_000, 200)
    assert numbers.min() >= 0 and numbers.max() < 1
    assert abs(numbers.mean() - 0.5) < 0.002 and abs(numbers.var() - 1 / 12) < 0.001
    others = (numbers[:, 1:], draws.uniforms(keys, 200, stream=1)[:, :-1], np.roll(numbers, 1, axis=0)[:, :-1])
    assert max(abs(np.corrcoef(numbers[:, :-1].ravel(), other.ravel())[0, 1]) for other in others) < 0.01
    assert np.array_equal(draws.uniforms(keys[4:5], 9), numbers[4:5, :9])


@given(size=st.integers(1, 3_000), key=st.integers(0, 2**64 - 1))
def test_permuted_is_a_bijection(size: int, key: int) -> None:
    keys = np.full(size, key, dtype=np.uint64)
    assert sorted(draws.permuted(np.arange(size), size, keys).tolist()) == list(range(size))


@given(rows=st.lists(st.tuples(st.integers(1, 10**12), st.integers(0, 2**64 - 1)), min_size=1, max_size=20))
def test_permuted_takes_a_size_for_each_row(rows: list[tuple[int, int]]) -> None:
    sizes = np.array([size for size, _ in rows])
    keys = np.array([key for _, key in rows], dtype=np.uint64)
    together = draws.permuted(sizes // 2, sizes, keys)
    alone = [draws.permuted(sizes[i : i + 1] // 2, int(sizes[i]), keys[i : i + 1])[0] for i in range(len(rows))]
    assert together.tolist() == alone
    assert (together < sizes).all() and (together >= 0).all()


def test_permuted_handles_large_sizes() -> None:
    size = 2**61 + 1
    result = draws.permuted(np.array([0, size - 1, size // 3]), size, draws.spread(1, np.zeros(3, dtype=np.int64)))
    assert len(set(result.tolist())) == 3 and (result >= 0).all() and (result < size).all()


@pytest.mark.parametrize("size", [2, 3, 4])
def test_every_order_is_equally_likely(size: int) -> None:
    keys = draws.spread(7, np.arange(60_000))
    columns = [draws.permuted(np.full(60_000, i), size, keys).tolist() for i in range(size)]
    counts = Counter(zip(*columns, strict=True))
    orders = list(itertools.permutations(range(size)))
    expected = 60_000 / len(orders)
    chi_square = sum((counts[order] - expected) ** 2 / expected for order in orders)
    freedom = len(orders) - 1
    assert chi_square < freedom + 5 * (2 * freedom) ** 0.5


@pytest.mark.parametrize("size", [10, 37])
def test_pairs_of_places_are_uniform(size: int) -> None:
    keys = draws.spread(11, np.arange(200_000))
    first, last = (draws.permuted(np.full(200_000, i), size, keys) for i in (0, size - 1))
    counts = np.bincount(first * size + last, minlength=size * size).reshape(size, size)
    assert np.diag(counts).sum() == 0
    expected, freedom = 200_000 / (size * (size - 1)), size * (size - 1) - 1
    chi_square = ((counts[~np.eye(size, dtype=bool)] - expected) ** 2 / expected).sum()
    assert chi_square < freedom + 5 * (2 * freedom) ** 0.5


def test_an_epoch_is_every_window_once_in_a_new_order() -> None:
    windows = draws.window_of(draws.key(0, "task"), np.arange(300), 100).reshape(3, 100)
    assert all(sorted(epoch.tolist()) == list(range(100)) for epoch in windows)
    assert not np.array_equal(windows[0], windows[1]) and not np.array_equal(windows[1], windows[2])
    assert not np.array_equal(windows[0], draws.window_of(draws.key(1, "task"), np.arange(100), 100))


def test_a_draw_does_not_depend_on_the_other_draws() -> None:
    numbers = np.array([250, 3, 3, 99, 100])
    everything = draws.window_of(5, np.arange(300), 100)
    assert np.array_equal(draws.window_of(5, numbers, 100), everything[numbers])


def test_size_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="size must be at least 1, got 0"):
        draws.permuted(np.array([0]), 0, draws.spread(1, np.array([0])))
