"""Sentence order and reordering."""

from collections.abc import Callable

import numpy as np
import pytest

from curriculum_rl.errors import ConfigError
from curriculum_rl.objectives import SentenceOrder, SentenceReordering
from curriculum_rl.text.tokenizers import Tokenizer

Ids = Callable[[str], list[int]]


@pytest.mark.parametrize("causal", [True, False])
def test_sentence_order_by_hand(tokenizer: Tokenizer, ids: Ids, keys: np.ndarray, causal: bool) -> None:
    """T = 12 has room for nine tokens of text, of which one document has seven."""
    windows = np.tile(ids("/ the cat ran . the dog came / by the sea ."), (200, 1))
    rows = SentenceOrder(tokenizer, causal=causal)(windows, keys)
    marker, asked = tokenizer.label_ids[-3], ids("= _ _" if causal else "? _ _")
    in_order = (marker, *ids("the cat ran . / the dog came"), *asked)
    swapped = (marker, *ids("the dog came / the cat ran ."), *asked)
    assert {tuple(row) for row in rows.input_ids.tolist()} == {in_order, swapped}
    assert (rows.weights == [0] * 9 + [1, 0, 0]).all()
    is_swapped = (rows.input_ids == swapped).all(axis=1)
    assert (rows.targets[:, 9] == np.array(tokenizer.label_ids)[is_swapped.astype(int)]).all()
    assert 70 < is_swapped.sum() < 130


def test_torn_sentences_are_cut_into_equal_parts(tokenizer: Tokenizer, ids: Ids, keys: np.ndarray) -> None:
    """T = 10 has room for seven tokens: two parts of three."""
    rows = SentenceOrder(tokenizer)(np.tile(ids("the cat ran . the dog came by the sea ."), (200, 1)), keys)
    in_order, swapped = ids("the cat ran / . the dog = _"), ids(". the dog / the cat ran = _")
    assert {tuple(row) for row in rows.input_ids[:, 1:].tolist()} == {tuple(in_order), tuple(swapped)}


def test_sentence_reordering_by_hand(tokenizer: Tokenizer, ids: Ids, keys: np.ndarray) -> None:
    """T = 15 has room for eleven tokens, of which one document has eight."""
    windows = np.tile(ids("/ the cat . a dog ! no by / red sea but ran a no"), (200, 1))
    rows = SentenceReordering(tokenizer)(windows, keys)
    marker, first, second, third = tokenizer.label_ids[-1], ids("the cat ."), ids("a dog !"), ids("no by")
    orders = [
        (first, second, third),
        (first, third, second),
        (second, first, third),
        (second, third, first),
        (third, first, second),
        (third, second, first),
    ]
    for number, (left, middle, right) in enumerate(orders):
        text = [marker, *left, *ids("/"), *middle, *ids("/"), *right, *ids("= _ _ _")]
        found = (rows.input_ids == text).all(axis=1)
        assert 15 < found.sum() < 55
        assert (rows.targets[found, 11] == tokenizer.label_ids[number]).all()
    assert (rows.weights == [0] * 11 + [1, 0, 0, 0]).all()


def test_too_short_a_context(tokenizer: Tokenizer, keys: np.ndarray) -> None:
    with pytest.raises(ConfigError, match="context: 4 is too short for sentence_order, which needs 5"):
        SentenceOrder(tokenizer)(np.full((200, 5), 30), keys)
    assert SentenceOrder(tokenizer)(np.full((200, 6), 30), keys).weights.sum() == 200
    with pytest.raises(ConfigError, match="context: 6 is too short for sentence_reordering, which needs 7"):
        SentenceReordering(tokenizer)(np.full((200, 7), 30), keys)
    assert SentenceReordering(tokenizer)(np.full((200, 8), 30), keys).weights.sum() == 200
