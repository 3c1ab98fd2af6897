"""Masked tokens, words and spans."""

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest

from curriculum_rl.draws import spread
from curriculum_rl.objectives import MaskedLM, Objective, SpanMasking, WholeWordMasking
from curriculum_rl.text.tokenizers import Tokenizer

Ids = Callable[[str], list[int]]
Maker = Callable[..., Objective]
MAKERS: list[Maker] = [MaskedLM, WholeWordMasking, partial(SpanMasking, stop=0.2, longest=10)]


@pytest.mark.parametrize("made", MAKERS)
def test_what_is_hidden_is_scored_and_how_it_is_hidden(made: Maker, tokenizer: Tokenizer, ids: Ids) -> None:
    windows = np.tile(ids("The cat s ran . /") * 20 + ids("The"), (1000, 1))
    tokens = windows[:, :-1]
    rows = made(tokenizer, rate=0.15)(windows, spread(1, np.arange(1000)))
    chosen = rows.weights == 1
    assert set(np.unique(rows.weights)) == {0, 1}
    assert (rows.targets == tokens).all()
    assert (rows.input_ids[~chosen] == tokens[~chosen]).all()
    assert not chosen[tokens == tokenizer.eos_id].any()
    assert abs(chosen[tokens != tokenizer.eos_id].mean() - 0.15) < 0.01
    # The edges of a window are hidden as often as its middle.
    assert abs(chosen[:, :5].mean() - 0.15) < 0.02 and abs(chosen[:, -6:-1].mean() - 0.15) < 0.02
    masked = (rows.input_ids == tokenizer.mask_id)[chosen].mean()
    kept = (rows.input_ids == tokens)[chosen].mean()
    assert abs(masked - 0.8) < 0.02
    assert abs(kept - 0.1 - 0.1 / 24) < 0.015
    replaced = rows.input_ids[chosen & (rows.input_ids != tokenizer.mask_id)]
    assert np.isin(replaced, tokenizer.ordinary_ids).all()


@pytest.mark.parametrize("made", MAKERS)
def test_every_row_scores_something(made: Maker, tokenizer: Tokenizer, ids: Ids, keys: np.ndarray) -> None:
    windows = np.tile(ids("/ cat s / ran ."), (200, 1))
    rows = made(tokenizer, rate=0.001)(windows, keys)
    assert (rows.weights.sum(axis=1) >= 1).all()
    assert not rows.weights[:, [0, 3]].any()
    assert rows.weights[:, 1:].any(axis=0).tolist() == [True, True, False, True]
    other = made(tokenizer, rate=0.001)(windows, keys[::-1])
    assert (rows.weights != other.weights).any()


def test_words_are_hidden_whole(tokenizer: Tokenizer, ids: Ids, keys: np.ndarray) -> None:
    windows = np.tile(ids("s cat s 2 . s / 2 s dog ,"), (200, 1))
    scored = WholeWordMasking(tokenizer, rate=0.4)(windows, keys).weights
    # Words: [s] [cat s 2] [.] [s] end [2 s] [dog]
    assert (scored[:, 1:4] == scored[:, 1:2]).all()
    assert (scored[:, 7:9] == scored[:, 7:8]).all()
    assert not scored[:, 6].any()
    heads = scored[:, [0, 1, 4, 5, 7, 9]]
    together = np.corrcoef(heads, rowvar=False) - np.eye(6)
    assert np.abs(together).max() < 0.25


def test_spans_have_truncated_geometric_lengths(tokenizer: Tokenizer, ids: Ids) -> None:
    """At a small rate spans hardly overlap: their lengths are P(l) = .2 .8^(l - 1) / (1 - .8^10)."""
    windows = np.tile(ids("cat dog red hat") * 300 + ids("sea"), (300, 1))
    chosen = SpanMasking(tokenizer, rate=0.02, stop=0.2, longest=10)(windows, spread(3, np.arange(300))).weights == 1
    padded = np.pad(chosen[:, 20:-20], ((0, 0), (1, 1))).astype(int)
    steps = np.diff(padded, axis=1)
    lengths = np.nonzero(steps == -1)[1] - np.nonzero(steps == 1)[1]
    expected = 0.2 * 0.8 ** np.arange(10) / (1 - 0.8**10)
    found = np.bincount(lengths, minlength=11)[1:11] / len(lengths)
    np.testing.assert_allclose(found, expected, atol=0.03)
    assert abs(lengths.mean() - 3.8) < 0.25


def test_a_span_is_hidden_in_one_way(tokenizer: Tokenizer, ids: Ids) -> None:
    windows = np.tile(ids("cat s dog red hat") * 10, (400, 1))
    rows = SpanMasking(tokenizer, rate=0.02, stop=0.2, longest=10)(windows, spread(4, np.arange(400)))
    chosen, masked = rows.weights == 1, rows.input_ids == tokenizer.mask_id
    inside = chosen[:, 1:] & chosen[:, :-1]
    assert (masked[:, 1:] == masked[:, :-1])[inside].mean() > 0.97
    assert (chosen[:, 1::5] == chosen[:, :-1:5]).all()  # "cat s" is one word
