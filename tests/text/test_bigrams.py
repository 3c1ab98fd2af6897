"""Bigram counts against values worked out by hand, and against counting one pair after the other."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curriculum_rl.text.bigrams import BACKOFF, SCORED, Bigrams, Texts

streams = st.lists(st.integers(0, 4), min_size=2, max_size=30)


def counted(windows: list[list[int]], text: list[int], vocab_size: int = 5, ignored: tuple[int, ...] = ()) -> Bigrams:
    counts = Bigrams(Texts({"text": np.array(text, np.uint16)}, vocab_size), ignored)
    for window in windows:
        counts.add(np.array([window]))
    return counts


def test_pairs_are_backed_off_to_what_follows_anything() -> None:
    counts = counted([[0, 1, 0, 1, 0, 1]], [0, 1, 2], 3)
    base = np.array([2 + 1, 3 + 1, 0 + 1]) / 8
    expected = -np.mean([np.log((3 + 2 * base[1]) / (3 + 2)), np.log((0 + 2 * base[2]) / (2 + 2))])
    assert BACKOFF == 2.0
    assert counts.loss("text") == pytest.approx(expected)
    assert counts.unigram_loss("text") == pytest.approx(-np.log(base[[1, 2]]).mean())


@given(st.lists(streams, min_size=1, max_size=4), streams, st.floats(0.1, 100.0))
def test_any_windows_and_any_text(windows: list[list[int]], text: list[int], backoff: float) -> None:
    pairs = Counter(pair for window in windows for pair in pairwise(window))
    first, second = (Counter(pair[side] for pair in pairs.elements()) for side in (0, 1))
    base = [(second[token] + 1) / (pairs.total() + 5) for token in range(5)]
    asked = list(pairwise(text))
    loss = [-np.log((pairs[a, b] + backoff * base[b]) / (first[a] + backoff)) for a, b in asked]
    assert counted(windows, text).loss("text", backoff=backoff) == pytest.approx(np.mean(loss))


@given(streams, streams, st.integers(1, 4))
def test_windows_that_were_read_several_times(window: list[int], text: list[int], times: int) -> None:
    once, often = counted([window] * times, text), counted([], text)
    often.add(np.array([window]), times=times)
    assert often.loss("text") == once.loss("text")
    assert often.unigram_loss("text") == once.unigram_loss("text")


def test_tokens_that_are_no_text_are_left_out() -> None:
    text = [0, 1, 1, 2]
    padded = counted([[0, 1, 1, 4, 3, 3, 3], [1, 2, 4, 3, 3, 3, 3]], text, ignored=(3, 4))
    assert padded.loss("text") == counted([[0, 1, 1], [1, 2]], text).loss("text")


def test_large_vocabularies_count_alike() -> None:
    """Numbers of pairs of 65,537 tokens and more do not fit into 32 bits."""
    rng = np.random.default_rng(0)
    window, text = rng.integers(65_530, 65_536, (2, 300))
    small, large = (counted([window.tolist()], text.tolist(), size) for size in (65_536, 65_537))
    assert small.loss("text", backoff=1e-9) == pytest.approx(large.loss("text", backoff=1e-9))


def test_the_first_tokens_of_a_long_text_are_scored() -> None:
    counts = Bigrams(Texts({"long": np.repeat([0, 1], [SCORED, 5]), "short": np.zeros(2, np.int64)}, 2))
    counts.add(np.array([[0, 0, 0, 1]]))
    assert counts.loss("long") == pytest.approx(counts.loss("short"))
