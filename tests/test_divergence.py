"""Divergences and counting baselines against values worked out by hand."""

import numpy as np
import pytest

from curriculum_rl.divergence import bigram_loss, jensen_shannon, unigram, unigram_loss


def test_unigram_counts() -> None:
    assert unigram(np.array([0, 0, 1, 3], np.uint16), 4).tolist() == [0.5, 0.25, 0.0, 0.25]


def test_jensen_shannon() -> None:
    p, q = np.array([1.0, 0.0]), np.array([0.0, 1.0])
    assert jensen_shannon(p, q) == pytest.approx(1.0)
    assert jensen_shannon(p, p) == 0.0
    half = np.array([0.5, 0.5])
    assert jensen_shannon(p, half) == pytest.approx(0.5 * np.log2(1 / 0.75) + 0.25 * np.log2(0.5 / 0.75) + 0.25)


def test_unigram_loss_is_the_cross_entropy() -> None:
    assert unigram_loss(np.array([0.5, 0.5]), np.array([0, 1, 1])) == pytest.approx(np.log(2), abs=1e-4)


def test_bigram_loss_backs_off() -> None:
    stream = np.array([0, 1, 0, 1, 0, 1], np.uint16)
    base = np.array([4, 4, 1]) / 9
    expected = -np.mean([np.log((3 + 2 * base[1]) / (3 + 2)), np.log((0 + 2 * base[2]) / (2 + 2))])
    assert bigram_loss(stream, np.array([0, 1, 2]), 3) == pytest.approx(expected)
