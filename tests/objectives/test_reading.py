"""Windows of other documents, and tokens by their frequency."""

import gc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curriculum_rl.draws import spread
from curriculum_rl.objectives import reading
from curriculum_rl.objectives.reading import another_document, with_sample
from curriculum_rl.text.corpora import Corpus

EOS = 1


def corpus_of(*documents: int) -> Corpus:
    """Documents of some lengths, whose tokens are their numbers plus 2."""
    tokens = [token for number, length in enumerate(documents, 2) for token in [number] * length + [EOS]]
    return Corpus("made", np.array(tokens, dtype=np.uint16), "")


def shares_a_document(corpus: Corpus, a: int, b: int, context: int) -> bool:
    first, second = (set(corpus.windows(np.array([i]), context)[0].tolist()) - {EOS} for i in (a, b))
    return bool(first & second)


@given(st.lists(st.integers(1, 30), min_size=3, max_size=8), st.integers(2, 9), st.integers(0, 1000))
@settings(max_examples=40, deadline=None)
def test_every_window_without_a_common_document_is_as_likely(lengths: list[int], context: int, seed: int) -> None:
    corpus = corpus_of(*lengths, 30)
    size = corpus.size(context)
    index = np.repeat(np.arange(size), 300)
    other = another_document(corpus, EOS, index, context=context, keys=spread(seed, np.arange(len(index))))
    for window in range(size):
        allowed = [b for b in range(size) if not shares_a_document(corpus, window, b, context)]
        drawn = np.bincount(other[index == window], minlength=size)
        if not allowed:
            assert drawn[(window + size // 2) % size] == 300
            continue
        assert set(np.flatnonzero(drawn)) <= set(allowed)
        mean = 300 / len(allowed)
        assert (np.abs(drawn[allowed] - mean) < 7 * np.sqrt(mean) + 1).all()


def test_a_corpus_without_documents_gives_the_farthest_window() -> None:
    corpus = Corpus("noise", np.full(81, 5, dtype=np.uint16), "")
    index = np.arange(10)
    other = another_document(corpus, EOS, index, context=8, keys=spread(1, index))
    assert other.tolist() == [5, 6, 7, 8, 9, 0, 1, 2, 3, 4]
    alone = Corpus("short", np.full(9, 5, dtype=np.uint16), "")
    assert another_document(alone, EOS, np.zeros(1, np.int64), context=8, keys=spread(1, np.arange(1))) == [0]


def test_sampled_tokens_have_the_frequencies_of_the_corpus() -> None:
    corpus = corpus_of(10, 30, 60)
    index = np.arange(200) % corpus.size(8)
    windows, sample = with_sample(corpus, EOS, index, context=8, keys=spread(2, np.arange(200)))
    assert (windows == corpus.windows(index, 8)).all()
    share = np.bincount(sample.ravel(), minlength=5) / sample.size
    assert share[EOS] == 0
    assert share[2:] == pytest.approx([11 / 103, 31 / 103, 61 / 103], abs=0.03)


def test_ends_of_documents_are_found_once_and_forgotten_with_the_corpus(monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[int] = []
    flatnonzero = np.flatnonzero
    monkeypatch.setattr(reading.np, "flatnonzero", lambda a: found.append(1) or flatnonzero(a))
    corpus = corpus_of(5, 50, 20)
    for _ in range(3):
        another_document(corpus, EOS, np.zeros(1, np.int64), context=4, keys=spread(1, np.arange(1)))
    assert len(found) == 1
    gc.collect()
    known = len(reading._ENDS)
    del corpus
    gc.collect()
    assert len(reading._ENDS) == known - 1
