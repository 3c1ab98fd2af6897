"""Divergences against values worked out by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curriculum_rl.text.divergence import (
    TERM_MEASURES,
    bhattacharyya,
    cosine,
    jensen_shannon,
    kullback_leibler,
    of_terms,
    renyi,
    unigram,
)

P, Q = np.array([0.5, 0.5, 0.0]), np.array([0.25, 0.5, 0.25])
counts = st.lists(st.integers(0, 50), min_size=6, max_size=6).filter(any)


def stream(numbers: list[int]) -> np.ndarray:
    """Tokens in which token i stands numbers[i] times."""
    return np.repeat(np.arange(len(numbers)), numbers)


def test_unigram_counts() -> None:
    tokens = np.array([0, 0, 1, 3], np.uint16)
    assert unigram(tokens, 4).tolist() == [0.5, 0.25, 0.0, 0.25]
    assert unigram(tokens, 4, pseudo_count=0.5) == pytest.approx(np.array([2.5, 1.5, 0.5, 1.5]) / 6)


def test_kullback_leibler() -> None:
    assert kullback_leibler(P, Q) == pytest.approx(0.5 * np.log2(2))
    assert kullback_leibler(Q, P) == np.inf


def test_renyi() -> None:
    assert renyi(P, Q, order=0.5) == pytest.approx(-2 * np.log2(np.sqrt(0.125) + 0.5))
    assert renyi(P, Q) == pytest.approx(kullback_leibler(P, Q), rel=0.02)
    assert renyi(np.array([1.0, 0.0]), np.array([0.0, 1.0])) == np.inf


def test_bhattacharyya() -> None:
    assert bhattacharyya(P, Q) == pytest.approx(-np.log2(np.sqrt(0.125) + 0.5))
    assert bhattacharyya(P, Q) == pytest.approx(renyi(P, Q, order=0.5) / 2)
    assert bhattacharyya(np.array([1.0, 0.0]), np.array([0.0, 1.0])) == np.inf


def test_cosine() -> None:
    assert cosine([3, 0], [1, 1]) == pytest.approx(1 - np.sqrt(0.5))
    assert cosine([1, 0], [0, 2]) == 1
    assert cosine([0, 0], [1, 1]) == 1


@pytest.mark.parametrize("measure", sorted(TERM_MEASURES))
@given(first=counts, second=counts)
def test_any_measure_of_any_texts(measure: str, first: list[int], second: list[int]) -> None:
    forth = of_terms(measure, stream(first), [stream(second), stream(first)], 6)
    back = of_terms(measure, stream(second), [stream(first)], 6)
    assert np.isfinite(forth).all()
    assert forth[0] >= 0
    assert forth[1] == pytest.approx(0, abs=1e-12)
    if measure not in ("kl", "renyi"):
        assert forth[0] == pytest.approx(back[0], abs=1e-12)
    if measure == "js":
        assert forth[0] <= 1


def test_the_target_is_the_first_argument() -> None:
    """A text that lacks the target's words is far from it, one that has words besides is less far."""
    target, half, double = stream([40, 40, 0, 0]), stream([80, 0, 0, 0]), stream([40, 40, 40, 40])
    lacks, more = of_terms("kl", target, [half, double], 4)
    assert lacks > 2 * more


def test_jensen_shannon_is_not_smoothed() -> None:
    p, q = np.array([0, 0, 1], np.uint16), np.array([2, 2, 1], np.uint16)
    assert of_terms("js", p, [q], 3)[0] == jensen_shannon(unigram(p, 3), unigram(q, 3))


def test_jensen_shannon() -> None:
    p, q = np.array([1.0, 0.0]), np.array([0.0, 1.0])
    assert jensen_shannon(p, q) == pytest.approx(1.0)
    assert jensen_shannon(p, p) == 0.0
    half = np.array([0.5, 0.5])
    assert jensen_shannon(p, half) == pytest.approx(0.5 * np.log2(1 / 0.75) + 0.25 * np.log2(0.5 / 0.75) + 0.25)
