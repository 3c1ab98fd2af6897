"""Bigram likelihoods of a target under sources, against values worked out by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curriculum_rl.priors.likelihoods import BLOCK, LEAST, MOST, SHARED, TARGET, count


def test_pairs_are_backed_off_to_a_unigram_that_shares_the_background() -> None:
    first, second = np.array([0, 1, 0, 1, 2]), np.array([2, 2, 1, 2, 2])
    counts = count(np.array([0, 1, 2]), [first, second], 3)
    # Seconds: 1, 0, 1, 2 and 2, 1, 2, 2.
    follow = np.array([[1, 2, 1], [0, 1, 3]])
    background = (follow / 4).mean(axis=0) * 4 + 1
    unigrams = (follow + SHARED * background / background.sum()) / (4 + SHARED)
    assert counts.unigrams == pytest.approx(unigrams)
    expected = [
        [(2 + 8 * unigrams[0, 1]) / (2 + 8), (0 + 8 * unigrams[1, 1]) / (0 + 8)],
        [(1 + 8 * unigrams[0, 2]) / (2 + 8), (1 + 8 * unigrams[1, 2]) / (1 + 8)],
    ]
    assert counts.likelihoods(8.0) == pytest.approx(np.array(expected))


@given(st.integers(2, 6), st.lists(st.integers(2, 400), min_size=1, max_size=4), st.integers(0, 2**32 - 1))
def test_every_context_has_a_distribution(vocabulary: int, sizes: list[int], seed: int) -> None:
    random = np.random.default_rng(seed)
    sources = [random.integers(0, vocabulary, size) for size in sizes]
    every_pair = np.array([token for a in range(vocabulary) for b in range(vocabulary) for token in (a, b)])
    counts = count(every_pair, sources, vocabulary)
    likelihoods = counts.likelihoods(2.0)
    by_pair = dict(zip(zip(counts.firsts.tolist(), counts.seconds.tolist(), strict=True), likelihoods, strict=True))
    assert len(by_pair) == vocabulary**2
    for context in range(vocabulary):
        assert sum(by_pair[context, token] for token in range(vocabulary)) == pytest.approx(np.ones(len(sizes)))


def test_sources_are_counted_on_equally_many_tokens() -> None:
    sources = [np.zeros(size, np.uint16) for size in (LEAST + 1000, 4 * LEAST, 8 * LEAST)]
    contexts = count(np.zeros(9, np.uint16), sources, 2).contexts[:, 0]
    blocks = (LEAST + 1000) // BLOCK
    assert contexts.tolist() == [LEAST + 999, blocks * (BLOCK - 1), blocks * (BLOCK - 1)]
    few = count(np.zeros(9, np.uint16), [np.zeros(100, np.uint16), sources[1]], 2).contexts[:, 0]
    assert few.tolist() == [99, LEAST // BLOCK * (BLOCK - 1)]
    many = count(np.zeros(9, np.uint16), [np.zeros(2 * MOST, np.uint16)], 2).contexts[:, 0]
    assert many.tolist() == [MOST // BLOCK * (BLOCK - 1)]


def test_a_long_target_is_read_in_blocks_from_all_of_it() -> None:
    target = np.repeat(np.array([0, 1], np.uint16), TARGET)
    counts = count(target, [target], 2)
    assert len(counts.places) == counts.times.sum() == TARGET // BLOCK * (BLOCK - 1)
    second_half = counts.firsts[counts.places].mean()
    assert second_half == pytest.approx(0.5, abs=0.05)
