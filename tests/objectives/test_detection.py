"""Replaced, added and deleted tokens."""

from collections.abc import Callable

import numpy as np
import pytest

from curriculum_rl.draws import spread
from curriculum_rl.errors import ConfigError
from curriculum_rl.objectives import AddedTokenDetection, DeletedTokenDetection, ReplacedTokenDetection
from curriculum_rl.text.tokenizers import Tokenizer

Ids = Callable[[str], list[int]]
SAME, CHANGED = "L0", "L1"


def test_replaced_tokens_by_hand(tokenizer: Tokenizer, ids: Ids, keys: np.ndarray) -> None:
    """T = 5: a marker and four tokens, the third ends a document; the stranger of the second is the token itself."""
    text, strange = ids("The cat / ran . the"), ids("red cat red sea no no")
    rows = ReplacedTokenDetection(tokenizer, rate=0.5, generator="unigram")(
        np.tile([[text], [strange]], (1, 200, 1)), keys
    )
    marker = tokenizer.label_ids[-5]
    forms = {tuple(row) for row in np.concatenate([rows.input_ids, rows.targets[:, [1, 2, 4]]], axis=1).tolist()}
    assert forms == {
        (marker, *ids("The cat / ran"), *ids("L0 L0 L0")),
        (marker, *ids("red cat / ran"), *ids("L1 L0 L0")),
        (marker, *ids("The cat / sea"), *ids("L0 L0 L1")),
        (marker, *ids("red cat / sea"), *ids("L1 L0 L1")),
    }
    assert (rows.weights == [0, 1, 1, 0, 1]).all()


def test_the_share_of_replaced_tokens(tokenizer: Tokenizer, ids: Ids, keys: np.ndarray) -> None:
    windows = np.tile([[ids("cat") * 101], [ids("dog") * 101]], (1, 200, 1))
    for rate, least in ((0.15, 0.13), (0.6, 0.58), (0.0001, 1 / 99)):
        rows = ReplacedTokenDetection(tokenizer, rate=rate, generator="unigram")(windows, keys)
        replaced = rows.targets[:, 1:] == tokenizer.label_ids[1]
        assert (replaced == (rows.input_ids[:, 1:] == ids("dog"))).all()
        assert least <= replaced.mean() <= max(rate, least) + 0.02
        assert replaced.any(axis=1).all()


def test_added_tokens_by_hand(tokenizer: Tokenizer, ids: Ids, keys: np.ndarray) -> None:
    """T = 5: a marker and four tokens, one of them added; the stranger depends on where it is added."""
    windows = np.tile([[ids("The cat / ran . the")], [ids("red hat sea no a a")]], (1, 200, 1))
    rows = AddedTokenDetection(tokenizer, rate=0.15, generator="unigram")(windows, keys)
    marker = tokenizer.label_ids[-6]
    asked = np.concatenate([rows.input_ids, np.where(rows.weights == 1, rows.targets, 0)], axis=1)
    assert {tuple(row) for row in asked.tolist()} == {
        (marker, *ids("red The cat /"), *ids("_ L1 L0 L0 _")),
        (marker, *ids("The hat cat /"), *ids("_ L0 L1 L0 _")),
        (marker, *ids("The cat sea /"), *ids("_ L0 L0 L1 _")),
        (marker, *ids("The cat / no"), *ids("_ L0 L0 _ L1")),
    }


def test_the_number_of_added_tokens(tokenizer: Tokenizer, ids: Ids, keys: np.ndarray) -> None:
    windows = np.tile([[ids("cat") * 102], [ids("dog") * 102]], (1, 200, 1))
    rows = AddedTokenDetection(tokenizer, rate=0.2, generator="unigram")(windows, keys)
    assert ((rows.input_ids == ids("dog")).sum(axis=1) == 20).all()
    assert ((rows.input_ids == ids("cat")).sum(axis=1) == 80).all()
    assert ((rows.targets == tokenizer.label_ids[1]) == (rows.input_ids == ids("dog"))).all()


def test_deleted_tokens_by_hand(tokenizer: Tokenizer, ids: Ids, keys: np.ndarray) -> None:
    """T = 5: one of the window's first five tokens goes, neither the first nor the last nor the end of a document."""
    rows = DeletedTokenDetection(tokenizer, rate=0.15)(np.tile(ids("The cat / ran . the"), (200, 1)), keys)
    marker = tokenizer.label_ids[-7]
    asked = np.concatenate([rows.input_ids, np.where(rows.weights == 1, rows.targets, 0)], axis=1)
    assert {tuple(row) for row in asked.tolist()} == {
        (marker, *ids("The / ran ."), *ids("_ _ _ L0 L0")),
        (marker, *ids("The cat / ."), *ids("_ _ L0 _ L1")),
    }


def test_several_deleted_tokens(tokenizer: Tokenizer, ids: Ids) -> None:
    """T = 9, three tokens of ten go: what is left stands in order, a label after every gap, then padding."""
    words = ids("The the Cat cat ran dog Zoe sat red hat")
    rows = DeletedTokenDetection(tokenizer, rate=0.3)(np.tile(words, (500, 1)), spread(1, np.arange(500)))
    text = rows.input_ids[:, 1:]
    assert (rows.input_ids[:, 8:] == tokenizer.pad_id).all() and (text[:, :7] != tokenizer.pad_id).all()
    assert (text[:, 0] == words[0]).all() and (text[:, 6] == words[-1]).all()
    place = np.array([words.index(token) for token in text[:, :7].ravel().tolist()]).reshape(500, 7)
    gap = np.diff(place, axis=1)
    assert (gap >= 1).all()
    assert (rows.targets[:, 2:8] == np.array(tokenizer.label_ids)[(gap > 1).astype(int)]).all()
    assert (rows.weights == [0, 0, 1, 1, 1, 1, 1, 1, 0]).all()
    assert len({tuple(row) for row in place.tolist()}) == 56  # 3 of 8


def test_a_row_of_ends_of_documents_is_scored_nevertheless(tokenizer: Tokenizer, keys: np.ndarray) -> None:
    window = np.full((200, 9), tokenizer.eos_id)
    for noisy in (ReplacedTokenDetection, AddedTokenDetection):
        objective = noisy(tokenizer, rate=0.15, generator="unigram")
        assert (objective(np.stack([window, window]), keys).weights.sum(axis=1) >= 1).all()
    assert (DeletedTokenDetection(tokenizer, rate=0.15)(window, keys).weights.sum(axis=1) >= 1).all()


def test_bad_settings(tokenizer: Tokenizer, keys: np.ndarray) -> None:
    with pytest.raises(ConfigError, match="context: 2 is too short for deleted_token_detection, which needs 3"):
        DeletedTokenDetection(tokenizer, rate=0.15)(np.full((200, 3), 30), keys)
