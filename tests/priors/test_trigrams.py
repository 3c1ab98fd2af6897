"""Pooled trigram models against values worked out by hand."""

import numpy as np
import pytest

from curriculum_rl.priors.trigrams import Asked, Trigrams

NO_TEXT = np.array([True, False, False, False])


def test_what_is_predicted_is_text_after_text() -> None:
    asked = Asked.of(np.array([[1, 2, 3, 0, 3, 1], [2, 0, 1, 1, 1, 0]]), NO_TEXT)
    assert asked.second.tolist() == [2, 3, 1, 1, 1]
    assert asked.first.tolist() == [1, 2, 3, 1, 1]
    assert asked.long.tolist() == [False, True, False, False, True]
    assert asked.before.tolist() == [0, 1, 0, 0, 1]
    assert asked.places.tolist() == [1, 2, 5, 9, 10]


def test_counts_are_backed_off() -> None:
    target = np.array([[1, 2, 3, 0, 2, 3]])  # predicted: 2 after 1; 3 after 1 2; 3 after 2
    sources = [np.array([1, 2, 3, 1, 2, 1]), np.array([2, 3, 2, 3, 0, 3])]
    model = Trigrams(Asked.of(target, NO_TEXT), sources, 4, NO_TEXT).model(np.array([0.75, 0.25]), 24)
    # Three times the first source and once the second, whose last two pairs have no text: 2 3 1 2 1 and 3 2 3.
    one = (np.array([0, 2 * 3, 2 * 3 + 1, 3 + 2]) + 1) / (5 * 3 + 3 + 4)
    two, three = 2.0, 8.0
    after_one = (2 * 3 + two * one[2]) / (2 * 3 + two)
    after_two = (3 + 2 + two * one[3]) / (2 * 3 + 2 + two)
    after_both = (3 + three * after_two) / (2 * 3 + three)
    assert model.loss((two, three)) == pytest.approx(-np.log([after_one, after_both, after_two]))


def test_a_mixture_reads_its_share_of_each_source_and_again_where_that_is_all() -> None:
    """Counts of pairs of one token, 63 in a block of 64."""
    sources = [np.full(blocks * 64 + 9, token) for token, blocks in ((1, 4), (2, 40), (3, 1))]
    target = np.array([[1, 1, 0, 2, 2, 0, 3, 3]])
    trigrams = Trigrams(Asked.of(target, NO_TEXT), sources, 4, NO_TEXT)
    for weights, blocks in (([0.5, 0.25, 0.25], [10, 5, 5]), ([0.0, 1.0, 0.0], [0, 20, 0])):
        model = trigrams.model(np.array(weights), 20 * 64)
        assert model.pair.tolist() == model.first.tolist() == [63 * count for count in blocks]
    more = Trigrams(Asked.of(np.array([[1, 1, 1]]), NO_TEXT), sources[:1], 4, NO_TEXT).model(np.ones(1), 6 * 64)
    assert (more.triple.tolist(), more.context.tolist()) == ([0, 62 * 6], [0, 62 * 6])


def test_a_smaller_share_reads_a_part_of_what_a_larger_one_reads() -> None:
    source = np.random.default_rng(0).integers(1, 4, 64 * 30)
    asked = Asked.of(np.array([[a, b] for a in (1, 2, 3) for b in (1, 2, 3)]), NO_TEXT)
    trigrams = Trigrams(asked, [source, source], 4, NO_TEXT)
    counts = [trigrams.model(np.array([share, 0.0]), 64 * 30).pair for share in (0.2, 0.5, 1.0)]
    assert (counts[0] < counts[1]).all() and (counts[1] < counts[2]).all()
    assert counts[2].sum() == 63 * 30


def test_every_context_has_a_distribution() -> None:
    random = np.random.default_rng(0)
    sources = [random.integers(1, 4, 500) for _ in range(3)]
    every = np.array([[a, b, c, 0] for a in (1, 2, 3) for b in (1, 2, 3) for c in (0, 1, 2, 3)]).reshape(1, -1)
    asked = Asked.of(every, NO_TEXT)
    model = Trigrams(asked, sources, 4, NO_TEXT).model(np.array([0.2, 0.5, 0.3]), 1500)
    likelihoods = np.exp(-model.loss((2.0, 8.0)))
    for before in (1, 2, 3):
        for first in (1, 2, 3):
            here = asked.long & (asked.before == before) & (asked.first == first)
            assert 0.999 < likelihoods[here].sum() < 1  # what is no text keeps one count


def test_backoffs_are_those_that_are_likeliest() -> None:
    """Where nothing tells what comes next, counts of pairs are trusted less than where something does."""
    random, no_text, where = np.random.default_rng(1), np.zeros(40, np.bool_), np.arange(1999) < 1500
    found = []
    for target, *sources in (
        [random.integers(0, 40, 2000) for _ in range(3)],
        [(np.arange(2000) * 7 + start) % 40 for start in range(3)],
    ):
        model = Trigrams(Asked.of(target[None], no_text), sources, 40, no_text).model(np.full(2, 0.5), 4000)
        best = model.fitted(where)
        found.append(best)
        for other in ((0.5, 0.5), (8.0, 2.0), (512.0, 0.5), (512.0, 512.0)):
            assert model.loss(best)[where].mean() <= model.loss(other)[where].mean()
    assert found[0] == (512.0, 512.0) and found[1][0] == 0.5
