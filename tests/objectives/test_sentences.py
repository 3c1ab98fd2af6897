"""How windows are cut at sentences."""

from collections.abc import Callable

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from curriculum_rl.objectives.sentences import Piece, cut, latest_start, longest_document
from curriculum_rl.testing.objectives import known_tokenizer
from curriculum_rl.text.tokenizers import Tokenizer

Ids = Callable[[str], list[int]]
TOKENIZER = known_tokenizer()


def test_the_longest_document(tokenizer: Tokenizer, ids: Ids) -> None:
    text = np.array(
        [
            ids("cat . the dog ran . the sea came by"),
            ids("cat ran by . / the dog sat . /"),  # of two of a length the first
            ids("sat / a dog ran by . the red cat"),
            ids("/ / / a / / / the / no"),  # documents of one token: all of the row
        ]
    )
    piece = longest_document(text, tokenizer, 2)
    assert piece.start.tolist() == [0, 0, 2, 0]
    assert piece.length.tolist() == [10, 4, 8, 10]


def test_rows_of_whole_sentences(tokenizer: Tokenizer, ids: Ids) -> None:
    text = np.array(
        [
            ids("cat . the dog ran . a sea came . by no"),  # what the edges tear is left out
            ids("/ the dog ran . a sea came by . no /"),  # a document with both its ends
            ids("/ the dog ran ! a red sea came by . no"),  # only its end is torn
            ids("sat . the dog ran . a sea / no fish ,"),  # only its beginning is torn
        ]
    )
    bounds, whole = cut(text, tokenizer, 2)
    assert whole.tolist() == [True] * 4
    assert bounds.tolist() == [[2, 6, 10], [1, 5, 11], [1, 5, 11], [2, 6, 8]]


def test_rows_of_equal_parts(tokenizer: Tokenizer, ids: Ids) -> None:
    text = np.array(
        [
            ids("cat ran the dog . a sea came . by no"),  # five tokens are too many to leave out of eleven
            ids("/ the . a sea came by but no fish /"),  # no sentence ends near the middle
            ids("a / by / no / the cat ran sat /"),  # nor here
        ]
    )
    bounds, whole = cut(text, tokenizer, 2)
    assert whole.tolist() == [False] * 3
    assert bounds.tolist() == [[0, 5, 10], [1, 5, 9], [6, 8, 10]]
    assert cut(text, tokenizer, 3).bounds.tolist() == [[0, 3, 6, 9], [1, 4, 7, 10], [6, 7, 8, 9]]


def test_the_latest_sentence_start_that_leaves_enough(tokenizer: Tokenizer, ids: Ids) -> None:
    text = np.tile(ids("the cat . the dog ! a sea no fish"), (5, 1))
    piece = Piece(np.full(5, 1), np.full(5, 9))
    wanted = np.array([4, 5, 7, 8, 9])
    assert latest_start(text, tokenizer, piece, wanted, np.ones(5, bool)).tolist() == [6, 3, 3, 1, 1]
    assert latest_start(text, tokenizer, piece, wanted, np.zeros(5, bool)).tolist() == [6, 5, 3, 2, 1]


@given(st.integers(0, 10_000), st.integers(2, 3), st.integers(0, 40))
@settings(max_examples=200, deadline=None)
def test_segments_are_all_at_sentences_or_all_equal(seed: int, segments: int, more: int) -> None:
    L = segments + more
    often = [TOKENIZER.eos_id, *TOKENIZER.ordinary_ids, *TOKENIZER.ordinary_ids[-4:]]
    text = np.random.default_rng(seed).choice(often, (8, L))
    (bounds, whole), piece = cut(text, TOKENIZER, segments), longest_document(text, TOKENIZER, segments)
    ends = TOKENIZER.tables.sentence_ends(text)
    for row in range(8):
        first, *inner, last = bounds[row].tolist()
        start, stop = int(piece.start[row]), int(piece.start[row] + piece.length[row])
        lengths = np.diff(bounds[row])
        assert lengths.min() >= 1 and start <= first and last <= stop
        if not whole[row]:
            assert first == start and len(set(lengths.tolist())) == 1 and stop - last < segments
            continue
        assert last - first >= (stop - start) / 2
        assert all(ends[row, place - 1] for place in inner)
        assert ends[row, first - 1] if first > start else text[row, first - 1] == TOKENIZER.eos_id
        assert ends[row, last - 1] if last < stop or stop == L else text[row, last] == TOKENIZER.eos_id
