"""Tags of words as label tokens."""

import numpy as np
import pytest
from known_words import ids_of

from curriculum_rl.errors import ConfigError
from curriculum_rl.objectives import ReadsMore, ReadsTags, Tagging, windows_of
from curriculum_rl.testing.objectives import known_tokenizer
from curriculum_rl.text.corpora import Corpus
from curriculum_rl.text.tagged import TaggedCorpus

TOKENIZER = known_tokenizer()
KEYS = np.zeros(2, dtype=np.uint64)


def zoe() -> TaggedCorpus:
    """Two sentences of words of one and of two sub-words."""
    return TaggedCorpus(
        name="zoe",
        tokens=np.array(ids_of("Zoe sat by the sea s cat s ran"), dtype=np.uint16),
        offsets=np.array([0, 6, 9]),
        marks=np.array([2, 1, 1, 4, 5, 0, 1, 0, 3], dtype=np.uint16),
        classes=("O", "B-PER", "I-PER", "B-LOC", "I-LOC"),
        eos_id=TOKENIZER.eos_id,
        pad_id=TOKENIZER.pad_id,
        label_ids=TOKENIZER.label_ids[:5],
        sha256="",
    )


@pytest.mark.parametrize("causal", [True, False])
def test_rows_by_hand(causal: bool) -> None:
    objective = Tagging(TOKENIZER, causal)
    read = windows_of(objective, zoe(), np.array([1, 0]), context=7, keys=KEYS)
    assert read.shape == (2, 2, 8)
    rows = objective(read, KEYS)
    assert rows.input_ids.tolist() == [ids_of("/ cat s ran / _ _"), ids_of("/ Zoe sat by the sea /")]
    assert rows.targets.tolist() == [ids_of("_ L0 _ L2 _ _ _"), ids_of("_ L1 L0 L0 L3 L4 _")]
    assert rows.weights.tolist() == [[0, 1, 0, 1, 0, 0, 0], [0, 1, 1, 1, 1, 1, 0]]
    assert rows.weights.dtype == np.float32 and objective.causal is causal


def test_words_that_do_not_fit_are_not_asked_for() -> None:
    objective = Tagging(TOKENIZER)
    rows = objective(objective.read(zoe(), np.array([0]), context=4, keys=KEYS), KEYS)
    assert rows.input_ids.tolist() == [ids_of("/ Zoe sat /")]
    assert rows.weights.tolist() == [[0, 1, 1, 0]]


def test_the_first_tag_may_stand_behind_other_labels() -> None:
    objective = Tagging(TOKENIZER, False, 6)
    rows = objective(objective.read(zoe(), np.array([1]), context=7, keys=KEYS), KEYS)
    assert rows.targets.tolist() == [ids_of("_ L6 _ L8 _ _ _")]
    with pytest.raises(ConfigError, match=r"tokenizer.labels: tagging needs 21 label tokens \(5 tags from .* 16 on"):
        Tagging(TOKENIZER, first=16).read(zoe(), np.array([0]), context=7, keys=KEYS)
    with pytest.raises(ConfigError, match=r"tagging needs 21 label tokens \(3 tags"):
        Tagging(TOKENIZER, first=18)


def test_it_says_that_it_needs_tags() -> None:
    assert isinstance(Tagging(TOKENIZER), ReadsTags) and isinstance(Tagging(TOKENIZER), ReadsMore)
    with pytest.raises(ConfigError, match="tagging needs a tagged corpus"):
        text = Corpus("text", np.arange(30, dtype=np.uint16), "")
        windows_of(Tagging(TOKENIZER), text, np.array([0]), context=7, keys=KEYS)
