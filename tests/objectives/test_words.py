"""Capitalisation and token-document relation."""

from collections.abc import Callable

import numpy as np
import pytest
import tokenizers
from hypothesis import given, settings
from hypothesis import strategies as st

from curriculum_rl.errors import ConfigError
from curriculum_rl.objectives import Capitalisation, TokenDocumentRelation
from curriculum_rl.testing.objectives import known_tokenizer
from curriculum_rl.text.tokenizers import Tokenizer

Ids = Callable[[str], list[int]]
TOKENIZER = known_tokenizer()


def test_capitalisation_by_hand(tokenizer: Tokenizer, ids: Ids, keys: np.ndarray) -> None:
    window = ids("The cat s , Zoe 2 Cat s . / the |")
    rows = Capitalisation(tokenizer)(np.array([window]), keys[:1])
    marker = tokenizer.label_ids[-8]
    assert rows.input_ids.tolist() == [[marker, *ids("the cat s , ? 2 cat s . /")]]
    scored = rows.weights[0] == 1
    assert scored.tolist() == [False, True, True, False, False, False, False, True, False, False, False]
    assert rows.targets[0][scored].tolist() == ids("L1 L0 L1")


def test_rows_without_words_to_ask_for(tokenizer: Tokenizer, ids: Ids, keys: np.ndarray) -> None:
    """Words that have no lower-case token are asked for where there is nothing else, and any token where no word is."""
    windows = np.array([ids("Zoe . Zoe . . ."), ids(". , . / . .")])
    rows = Capitalisation(tokenizer)(windows, keys[:2])
    assert rows.input_ids[:, 1:].tolist() == [ids("? . ? ."), ids(". , . /")]
    assert rows.weights.tolist() == [[0, 1, 0, 1, 0], [0, 1, 1, 1, 1]]
    assert rows.targets[0, [1, 3]].tolist() == ids("L1 L1")
    assert rows.targets[1, 1:].tolist() == ids("L0 L0 L0 L0")


def test_a_vocabulary_without_capital_letters_is_refused() -> None:
    names = ["p", "e", "m", "c", *(f"<{i}>" for i in range(12))]
    model = tokenizers.models.WordLevel({name: i for i, name in enumerate([*names, "cat", "dog"])}, unk_token="p")
    lower = Tokenizer(tokenizers.Tokenizer(model), pad_id=0, eos_id=1, mask_id=2, cls_id=3, label_ids=range(4, 4 + 12))
    with pytest.raises(ConfigError, match="capitalisation needs capital letters"):
        Capitalisation(lower)


def test_token_document_relation_by_hand(tokenizer: Tokenizer, ids: Ids, keys: np.ndarray) -> None:
    """T = 8: four tokens shown, five not."""
    windows = np.array(
        [
            ids("the cat ran . red cat . a a"),  # one document
            ids("the cat ran . cat / ran the ."),  # the rest ends with the document
            ids("the / cat the red cat sea sea sea"),  # the first document is over
            ids("the cat ran / dog cat no no no"),  # the shown part ends with its document
        ]
    )
    rows = TokenDocumentRelation(tokenizer, shown=0.5)(windows, keys[:4])
    marker = tokenizer.label_ids[-9]
    assert rows.input_ids[:, 0].tolist() == [marker] * 4
    assert (rows.input_ids[:, 1:5] == windows[:, :4]).all() and (rows.input_ids[:, 5:] == tokenizer.pad_id).all()
    assert rows.weights[:, 1:5].tolist() == [[1, 1, 1, 1], [1, 1, 1, 1], [0, 0, 1, 1], [1, 1, 1, 0]]
    assert not rows.weights[:, 5:].any()
    asked = np.where(rows.weights == 1, rows.targets, 0)[:, 1:5].tolist()
    assert asked == [ids("L0 L1 L0 L1"), ids("L0 L1 L0 L0"), ids("_ _ L1 L0"), ids("L0 L1 L0 _")]


@given(st.integers(0, 10_000), st.integers(3, 24), st.floats(0.05, 0.95))
@settings(max_examples=100, deadline=None)
def test_token_document_relation_is_membership(seed: int, T: int, shown: float) -> None:
    windows = np.random.default_rng(seed).choice([*TOKENIZER.ordinary_ids, *[TOKENIZER.eos_id] * 2], (6, T + 1))
    rows = TokenDocumentRelation(TOKENIZER, shown=shown)(windows, np.zeros(6, np.uint64))
    cut = min(max(round(shown * T), 1), T - 1)
    for row, window in enumerate(windows.tolist()):
        first, rest = window[:cut], window[cut:]
        if first[-1] != TOKENIZER.eos_id and TOKENIZER.eos_id in rest:
            rest = rest[: rest.index(TOKENIZER.eos_id)]
        for column in np.flatnonzero(rows.weights[row]) - 1:
            label = TOKENIZER.label_ids[first[column] in rest]
            assert rows.targets[row, column + 1] == label or first[column] == TOKENIZER.eos_id
