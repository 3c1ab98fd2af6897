"""Tagged sentences: files, splits without shared sentences, sub-words, and F1 counted by hand."""

import gzip

import numpy as np
import pytest

from curriculum_rl.errors import ConfigError
from curriculum_rl.methods.priming import entity_f1, read_languages, read_sentences, tags_of, without_shared
from curriculum_rl.methods.priming.ner import Sentence
from curriculum_rl.methods.priming.rows import IGNORED, encoded, sampled, tags_of_words

TAGS = ("O", "B-LOC", "I-LOC", "B-PER", "I-PER")


class Letters:
    """A tokenizer of one token a letter; the space before a word is one more."""

    pad_id, eos_id = 0, 1

    def encode(self, texts):
        return [[2 if letter == " " else ord(letter) for letter in text] for text in texts]


def test_reading(tmp_path):
    path = tmp_path / "train.gz"
    with gzip.open(path, "wt") as file:
        file.write("en:New\tB-LOC\nen:York\tI-LOC\nen:::\tO\n\t\n\nen:en:b\tO\n\n:\tO\nhttp://x\tO\n")
    assert read_sentences(path) == [
        Sentence(("New", "York", "::"), ("B-LOC", "I-LOC", "O")),
        Sentence(("en:b",), ("O",)),
        Sentence((":", "http://x"), ("O", "O")),
    ]
    assert len(read_sentences(path, limit=1)) == 1


@pytest.mark.parametrize("text", ["", "word\n", "word\tX\n", "en:\t\n"])
def test_files_that_are_none(tmp_path, text):
    (tmp_path / "train").write_text(text)
    with pytest.raises(ConfigError, match="data"):
        read_sentences(tmp_path / "train")


def test_splits_share_nothing():
    def rows(*names):
        return [Sentence(tuple(name.split()), ("B-PER", *"O" * (len(name.split()) - 1))) for name in names]

    languages = {
        "en": {"train": rows("a b", "c", "a b", "d", "e"), "dev": rows("d", "f"), "test": rows("g")},
        "fr": {"train": rows("c", "g", "h"), "dev": rows("i"), "test": rows("f", "e x", "e x")},
    }
    clean = without_shared(languages)
    words = {n: {p: [" ".join(r.words) for r in rows] for p, rows in parts.items()} for n, parts in clean.items()}
    assert words == {
        "en": {"train": ["a b", "c", "e"], "dev": ["d"], "test": ["g"]},
        "fr": {"train": ["c", "h"], "dev": ["i"], "test": ["f", "e x"]},
    }
    assert tags_of(clean) == ("O", "B-PER", "I-PER")


def test_the_first_sub_word_has_the_tag_and_what_is_cut_off_is_outside():
    sentences = [Sentence(("ab", "c", "def"), ("B-PER", "O", "B-LOC")), Sentence(("x",), ("O",))]
    rows = encoded(sentences, TAGS, Letters(), context=6)
    assert rows.ids.tolist() == [[1, ord("a"), ord("b"), 2, ord("c"), 1], [1, ord("x"), 1, 0, 0, 0]]
    assert rows.tags.tolist() == [[IGNORED, 3, IGNORED, 0, IGNORED, IGNORED], [IGNORED, 0, *[IGNORED] * 4]]
    assert rows.lengths.tolist() == [6, 3]
    found = tags_of_words(rows, np.where(rows.tags == 3, 3, 1), TAGS)
    assert found == [["B-PER", "B-LOC", "O"], ["B-LOC"]]
    with pytest.raises(ConfigError, match="B-LOC"):
        encoded(sentences, ("O", "B-PER"), Letters(), context=6)


def test_samples_are_nested_and_without_repetition():
    sentences = [Sentence((str(n),), ("O",)) for n in range(20)]
    few, many = sampled(sentences, 3, 5), sampled(sentences, 3, 50)
    assert many[:5] == few
    assert sorted(many, key=sentences.index) == sentences
    assert sampled(sentences, 4, 20) != many


def test_f1_by_hand():
    pytest.importorskip("seqeval", reason="the optional library seqeval is not installed")
    true = [["B-PER", "I-PER", "O", "B-LOC"], ["B-LOC", "O"]]
    found = [["B-PER", "I-PER", "O", "B-PER"], ["B-LOC", "B-LOC"]]
    # 2 of 4 found are right, 2 of 3 true are found.
    assert entity_f1(true, found) == pytest.approx(2 * 0.5 * (2 / 3) / (0.5 + 2 / 3))
    assert entity_f1(true, [["O"] * 4, ["O"] * 2]) == 0


def test_a_missing_language(tmp_path):
    with pytest.raises(ConfigError, match=r"train\.gz"):
        read_languages(tmp_path, ["en"])
