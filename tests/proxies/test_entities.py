"""Entities: what is predicted of every word, and F1 counted by hand."""

from pathlib import Path

import numpy as np
import pytest

from curriculum_rl.proxies.entities import entity_f1, predicted_tags
from curriculum_rl.text.cache import Cache
from curriculum_rl.text.documents import Document, MemorySource
from curriculum_rl.text.splits import SplitSource
from curriculum_rl.text.tagged import build_tagged
from curriculum_rl.text.tokenizers import train_bpe


def test_what_is_cut_off_is_outside(tmp_path: Path) -> None:
    tokenizer = train_bpe(["x"], vocab_size=300)  # a token is a byte
    rows = [Document("ab c def", label="B-PER O B-LOC", tagged=True), Document("x", label="O", tagged=True)]
    source = SplitSource(MemorySource(rows), {"all": 1.0})
    corpus = build_tagged("t", source, "all", tokenizer, Cache(tmp_path))
    index = np.array([1, 0])
    guess = np.tile(np.arange(8) % 5, (2, 1))  # O, B-LOC, I-LOC, B-PER, I-PER, O, ...
    assert predicted_tags(corpus, index, guess[:, :6], 6) == [["B-LOC"], ["B-LOC", "I-PER", "O"]]
    # A word of which the window holds no more than the space before it is cut off.
    assert predicted_tags(corpus, index, guess[:, :7], 7) == [["B-LOC"], ["B-LOC", "I-PER", "O"]]
    assert predicted_tags(corpus, index, guess[:, :8], 8) == [["B-LOC"], ["B-LOC", "I-PER", "B-LOC"]]
    right = corpus.numbers_of(index, 12)[:, :12]
    assert predicted_tags(corpus, index, right, 12) == corpus.true_tags(index) == [["O"], ["B-PER", "O", "B-LOC"]]


def test_f1_by_hand() -> None:
    pytest.importorskip("seqeval", reason="the optional library seqeval is not installed")
    true = [["B-PER", "I-PER", "O", "B-LOC"], ["B-LOC", "O"]]
    found = [["B-PER", "I-PER", "O", "B-PER"], ["B-LOC", "B-LOC"]]
    # 2 of 4 found are right, 2 of 3 true are found.
    assert entity_f1(true, found) == pytest.approx(2 * 0.5 * (2 / 3) / (0.5 + 2 / 3))
    assert entity_f1(true, [["O"] * 4, ["O"] * 2]) == 0
