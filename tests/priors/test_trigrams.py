"""Pooled trigram models against values worked out by hand."""

import numpy as np
import pytest

from curriculum_rl.priors.likelihoods import SHARED
from curriculum_rl.priors.trigrams import Asked, Trigrams

NO_TEXT = np.array([True, False, False, False])


def test_what_is_predicted_is_text_after_text() -> None:
    asked = Asked.of(np.array([[1, 2, 3, 0, 3, 1], [2, 0, 1, 1, 1, 0]]), NO_TEXT)
    assert asked.second.tolist() == [2, 3, 1, 1, 1]
    assert asked.first.tolist() == [1, 2, 3, 1, 1]
    assert asked.long.tolist() == [False, True, False, False, True]
    assert asked.before.tolist() == [0, 1, 0, 0, 1]
    assert asked.places.tolist() == [1, 2, 5, 9, 10]


def test_counts_of_all_sources_are_pooled_and_backed_off() -> None:
    target = np.array([[1, 2, 3, 0, 2, 3]])  # predicted: 2 after 1; 3 after 1 2; 3 after 2
    sources = [np.array([1, 2, 3, 1, 2, 1]), np.array([2, 3, 2, 3, 0, 3])]
    model = Trigrams(Asked.of(target, NO_TEXT), sources, 4, NO_TEXT)
    # Seconds: 2 3 1 2 1 and 3 2 3; the third pair of the second source ends in no text.
    follow = np.array([[0, 2, 2, 1], [0, 0, 1, 2]])
    background = (follow / follow.sum(axis=1, keepdims=True)).mean(axis=0) * 4 + 1
    unigrams = (follow + SHARED * background / background.sum()) / (follow.sum(axis=1, keepdims=True) + SHARED)
    weights, two, three = np.array([0.75, 0.25]), 2.0, 8.0
    one = weights @ unigrams
    # Twice the weights times the counts: 1 2 stands twice in the first source and 1 is followed twice.
    after_one = (1.5 * 2 + 0.5 * 0 + two * one[2]) / (1.5 * 2 + 0.5 * 0 + two)
    after_two = (1.5 * 1 + 0.5 * 2 + two * one[3]) / (1.5 * 2 + 0.5 * 2 + two)
    after_both = (1.5 * 1 + three * after_two) / (1.5 * 2 + three)
    found = model.loss(weights, np.ones(3, np.bool_), (two, three))
    assert found == pytest.approx(-np.log([after_one, after_both, after_two]))


def test_every_context_has_a_distribution() -> None:
    random = np.random.default_rng(0)
    sources = [random.integers(1, 4, 500) for _ in range(3)]
    every = np.array([[a, b, c, 0] for a in (1, 2, 3) for b in (1, 2, 3) for c in (0, 1, 2, 3)]).reshape(1, -1)
    asked = Asked.of(every, NO_TEXT)
    model = Trigrams(asked, sources, 4, NO_TEXT)
    weights = np.array([0.2, 0.5, 0.3])
    likelihoods = np.exp(-model.loss(weights, np.ones(len(asked.second), np.bool_), (2.0, 8.0)))
    beyond = 1 - float(weights @ model.unigrams[:, 0])  # the smoothed frequency of what is no text
    for before in (1, 2, 3):
        for first in (1, 2, 3):
            here = asked.long & (asked.before == before) & (asked.first == first)
            assert beyond - 0.01 < likelihoods[here].sum() <= 1


def test_backoffs_are_those_that_are_likeliest() -> None:
    """Where nothing tells what comes next, counts of pairs are trusted less than where something does."""
    random, no_text, where = np.random.default_rng(1), np.zeros(40, np.bool_), np.arange(1999) < 1500
    even, found = np.full(2, 0.5), []
    for target, *sources in (
        [random.integers(0, 40, 2000) for _ in range(3)],
        [(np.arange(2000) * 7 + start) % 40 for start in range(3)],
    ):
        model = Trigrams(Asked.of(target[None], no_text), sources, 40, no_text)
        best = model.fitted(even, where)
        found.append(best)
        for other in ((0.5, 0.5), (8.0, 2.0), (512.0, 0.5), (512.0, 512.0)):
            assert model.loss(even, where, best).mean() <= model.loss(even, where, other).mean()
    assert found[0] == (512.0, 512.0) and found[1][0] == 0.5
