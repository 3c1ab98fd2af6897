"""Tokenising in chunks: the same tokens, whatever the chunk."""

from pathlib import Path

import numpy as np
import pytest

from curriculum_rl.text import tokenising
from curriculum_rl.text.documents import Document
from curriculum_rl.text.tokenizers import train_bpe

DOCUMENTS = [Document(f"document {i} " + "with some words\n" * (i % 9)) for i in range(60)]
TOKENIZER = train_bpe([row.text for row in DOCUMENTS], vocab_size=320)


def test_chunks_and_pieces_change_no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = list(tokenising.token_rows(DOCUMENTS, TOKENIZER, end=[1]))
    assert [row[-1] for row in whole] == [1] * 60
    assert [TOKENIZER.decode(row[:-1]) for row in whole] == [row.text for row in DOCUMENTS]
    monkeypatch.setattr(tokenising, "_CHUNK", 100)
    monkeypatch.setattr(tokenising, "_PIECE", 40)
    pieces = list(tokenising.token_rows(DOCUMENTS, TOKENIZER, end=[1]))
    assert [TOKENIZER.decode(row[:-1]) for row in pieces] == [row.text for row in DOCUMENTS]
    assert sum(map(len, pieces)) == pytest.approx(sum(map(len, whole)), rel=0.1)


def test_a_text_without_white_space_is_cut_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokenising, "_PIECE", 7)
    (row,) = tokenising.token_rows([Document("x" * 100)], TOKENIZER, end=[])
    assert TOKENIZER.decode(row) == "x" * 100


def test_rows_are_written_one_after_the_other(tmp_path: Path) -> None:
    tokenising.write_tokens(tmp_path / "t", [[1, 2, 3], [4, 5, 6], [7]], np.uint16)
    assert np.fromfile(tmp_path / "t", dtype=np.uint16).tolist() == [1, 2, 3, 4, 5, 6, 7]
