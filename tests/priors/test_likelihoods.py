"""Likelihoods of a target under sources, against values worked out by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curriculum_rl.priors import likelihoods as module
from curriculum_rl.priors.likelihoods import BACKOFF, BLOCK, LEAST, MOST, SHARED, TARGET, likelihoods


def test_classes_follow_classes_and_a_token_has_its_part_of_its_class(monkeypatch) -> None:
    """One class of token 2, the most frequent; one of all others."""
    monkeypatch.setattr(module, "FREQUENT", 1)
    first, second = np.array([0, 1, 2, 1, 2]), np.array([2, 2, 1, 2, 2])
    found = likelihoods(np.array([1, 2, 0]), [first, second], 4, ignored=(3,))
    follow = np.array([[0, 2, 2, 0], [0, 1, 3, 0]])  # seconds of the pairs
    background = (follow / 4).mean(axis=0) * 4 + [1, 1, 1, 0]
    unigrams = (follow + SHARED * background / background.sum()) / (4 + SHARED)
    for source, (after_other, after_two) in enumerate([((1, 2), (1, 0)), ((0, 1), (1, 2))]):
        own = np.array([1 - unigrams[source, 2], unigrams[source, 2]])  # others, 2
        two_after_other = (after_other[1] + BACKOFF * own[1]) / (sum(after_other) + BACKOFF)
        other_after_two = (after_two[0] + BACKOFF * own[0]) / (sum(after_two) + BACKOFF)
        expected = [two_after_other, other_after_two * unigrams[source, 0] / own[0]]
        assert found.of_pairs[:, source] == pytest.approx(expected)
    assert found.places.tolist() == [0, 1] and found.times.tolist() == [1, 1]


@given(st.integers(2, 6), st.lists(st.integers(2, 400), min_size=1, max_size=4), st.integers(0, 2**32 - 1))
def test_every_context_has_a_distribution(vocabulary: int, sizes: list[int], seed: int) -> None:
    random = np.random.default_rng(seed)
    sources = [random.integers(0, vocabulary, size) for size in sizes]
    every_pair = np.array([token for a in range(vocabulary) for b in range(vocabulary) for token in (a, b)])
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(module, "FREQUENT", 2)
        found = likelihoods(every_pair, sources, vocabulary)
    by_pair = np.sort(np.unique(np.stack([every_pair[:-1], every_pair[1:]]), axis=1))
    assert found.of_pairs.shape == (vocabulary**2, len(sizes)) and by_pair.shape[1] == vocabulary**2
    assert found.of_pairs.reshape(vocabulary, vocabulary, -1).sum(axis=1) == pytest.approx(
        np.ones((vocabulary, len(sizes)))
    )


def test_sources_are_counted_on_equally_many_tokens() -> None:
    """The fewer are counted, the more of the background a source shows."""

    def counted(size: int, others: int) -> float:
        source = np.zeros(size, np.uint16)
        ((_, one),) = likelihoods(np.ones(2, np.uint16), [np.ones(others, np.uint16), source], 2).of_pairs
        # No pair of the source begins with 1, so what follows is its unigram: SHARED / 2 of the background's count.
        return float(SHARED / 2 / one - SHARED)

    assert counted(4 * LEAST, LEAST + 1000) == pytest.approx((LEAST + 1000) // BLOCK * (BLOCK - 1), rel=0.01)
    assert counted(4 * LEAST, 1000) == pytest.approx(LEAST // BLOCK * (BLOCK - 1), rel=0.01)
    assert counted(2 * MOST, 2 * MOST) == pytest.approx(MOST // BLOCK * (BLOCK - 1), rel=0.01)


def test_a_long_target_is_read_in_blocks_from_all_of_it() -> None:
    target = np.repeat(np.array([0, 1], np.uint16), TARGET)
    found = likelihoods(target, [target], 2)
    assert len(found.places) == TARGET // BLOCK * (BLOCK - 1)
    assert found.places.mean() / found.places.max() == pytest.approx(0.5, abs=0.05)


def test_what_is_no_text_is_left_out() -> None:
    found = likelihoods(np.array([0, 1, 3, 1, 3, 3]), [np.array([0, 1, 3, 1, 3]), np.array([1, 0])], 4, ignored=(3,))
    plain = likelihoods(np.array([0, 1]), [np.array([0, 1]), np.array([1, 0])], 4, ignored=(3,))
    assert np.array_equal(found.of_pairs, plain.of_pairs) and found.places.tolist() == [0]
