"""What tokens look like, in the three ways in which vocabularies write them."""

from typing import Any

import numpy as np
import pytest
import tokenizers

from curriculum_rl.text.token_tables import TokenTables, token_texts
from curriculum_rl.text.tokenizers import train_bpe


def tables(*texts: str) -> TokenTables:
    return TokenTables.of(texts)


@pytest.mark.parametrize(
    ("text", "ends"),
    [(".", 1), (" Yes!", 1), ('?"', 1), (".)", 1), ("\n", 1), ("a\n  ", 1), (",", 0), (".5", 0), ("", 0), (" e.g", 0)],
)
def test_what_ends_a_sentence(text: str, ends: int) -> None:
    assert tables(text).ends_sentence.tolist() == [bool(ends)]


def test_capital_letters_and_their_counterparts() -> None:
    made = tables(" The", " the", "The", "ML", "ml", "7", " Zoe", "", "É", "é", " x")
    assert made.capitalised.tolist() == [1, 0, 1, 1, 0, 0, 1, 0, 1, 0, 0]
    assert made.is_word.tolist() == [1, 1, 1, 1, 1, 0, 1, 0, 1, 1, 1]
    assert made.lower.tolist() == [1, 1, -1, 4, 4, 5, -1, 7, 9, 9, 10]


def test_words_start_after_spaces_marks_and_ends() -> None:
    made = tables(" walk", "ing", ",", "2", "\n", "\ufffd")
    tokens = np.array([[1, 1, 2, 3, 0, 1, 4, 1, 5, 5]])
    assert made.word_starts(tokens).tolist() == [[1, 0, 1, 1, 1, 0, 1, 1, 0, 0]]


def test_of_several_sentence_ends_the_last_counts() -> None:
    made = tables(".", "\n", " a")
    tokens = np.array([[0, 2, 0, 1, 1, 2], [2, 2, 1, 0, 2, 0]])
    assert made.sentence_ends(tokens).tolist() == [[1, 0, 0, 0, 1, 0], [0, 0, 0, 1, 0, 1]]


def test_byte_level_texts() -> None:
    tokenizer = train_bpe(["The cat sat. The cat ran.\n"] * 30, vocab_size=320)
    made = tokenizer.tables
    the, cat, stop = tokenizer.encode(["The cat."])[0]
    assert made.capitalised[[the, cat, stop]].tolist() == [True, False, False]
    assert made.ends_sentence[[the, cat, stop]].tolist() == [False, False, True]
    assert not made.starts_inside[cat] and made.starts_inside[the]
    special = [tokenizer.pad_id, tokenizer.eos_id, *tokenizer.label_ids]
    assert not made.is_word[special].any() and not made.ends_sentence[special].any()


def test_word_piece_and_sentence_piece_texts() -> None:
    model: Any = tokenizers.models.WordPiece({"[UNK]": 0, "walk": 1, "##ing": 2, ".": 3}, unk_token="[UNK]")
    assert token_texts(tokenizers.Tokenizer(model), 5, {0}) == ["", " walk", "ing", " .", ""]
    model = tokenizers.models.WordLevel({"▁walk": 0, "ing": 1, "<0x0A>": 2, "▁": 3}, unk_token="▁")
    assert token_texts(tokenizers.Tokenizer(model), 4, set()) == [" walk", "ing", "\n", " "]
