"""What every objective promises: subclass the contract, give the objective, run pytest.

A test file of your own needs pytest and these lines::

    import pytest
    from curriculum_rl.testing.objectives import ObjectiveContract, known_tokenizer

    class TestMyObjective(ObjectiveContract):
        @pytest.fixture
        def objective(self):
            return MyObjective(tokenizer=known_tokenizer())

Shape letters: R rows, T tokens of a row.
"""

import numpy as np
import numpy.typing as npt
import pytest
import tokenizers
import torch

from curriculum_rl.draws import spread
from curriculum_rl.objectives.base import Keys, Objective, ReadsTags, Rows, Tokens, windows_of
from curriculum_rl.tasks import Task, Windows
from curriculum_rl.text.corpora import Corpus, LabelledCorpus
from curriculum_rl.text.tagged import TaggedCorpus
from curriculum_rl.text.tokenizers import Tokenizer

# As SentencePiece writes them: the mark stands for a space. " Zoe" has no lower-case counterpart, "s" and "2" go on.
WORDS = [
    *("▁The", "▁the", "▁Cat", "▁cat", "s", "▁ran", "▁dog", "▁Zoe", "▁sat", "▁red", "▁hat", "▁was", "▁by", "▁a"),
    *("▁sea", "▁but", "▁no", "▁fish", "▁came", "2", ".", "!", ",", "\n"),
]
LABELS = 20
OFTEN = (1, 2, 5, 30, 1000)
"""Of so many tokens one ends a document; of tagged text, a sentence."""


def known_tokenizer(labels: int = LABELS) -> Tokenizer:
    """Pad 0, eos 1, mask 2, cls 3, then the labels, then 24 words."""
    names = ["<pad>", "<eos>", "<mask>", "<cls>", *(f"<{i}>" for i in range(labels))]
    vocabulary = {name: i for i, name in enumerate([*names, *WORDS])}
    backend = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, unk_token="<pad>"))
    return Tokenizer(backend, pad_id=0, eos_id=1, mask_id=2, cls_id=3, label_ids=range(4, 4 + labels))


TOKENIZER = known_tokenizer()


class ObjectiveContract:
    """What an objective (`curriculum_rl.objectives.base.Objective`) promises to tasks and learners.

    It is given text of the tokenizer `known_tokenizer()`: labelled or tagged where it says so. A promise that is not
    made is struck by name and with the reason: `test_... = None`.

    Attributes:
        shortest: the least context, in tokens, that it can be asked in.
    """

    shortest = 7

    @pytest.fixture
    def objective(self) -> Objective:
        """The objective that is tested."""
        raise NotImplementedError("a fixture `objective` that returns your objective")

    def test_rows_are_well_formed(self, objective: Objective) -> None:
        """(R, T), known tokens, weights 0 or 1, something scored in every row, and padding never."""
        for number in range(25):
            T = self.shortest + 7 * number % 34
            made = self._task(objective, number, T).batch(seed=number, first=3, rows=12, context=T)
            for name in ("input_ids", "targets", "weights"):
                assert getattr(made, name).shape == (12, T), f"{name} must be (R, T)"
            for name in ("input_ids", "targets"):
                ids = getattr(made, name)
                assert ids.dtype == torch.int64, f"{name} must be int64"
                assert 0 <= int(ids.min()) <= int(ids.max()) < TOKENIZER.vocab_size, f"{name} must be known tokens"
            assert set(made.weights.flatten().tolist()) <= {0.0, 1.0}, "weights must be 0 or 1"
            assert (made.weights.sum(dim=1) >= 1).all(), "every row must score something"
            padding = (made.targets == TOKENIZER.pad_id) & (made.weights == 1)
            assert not padding.any(), "padding must not be scored"

    def test_a_row_is_its_own_windows_and_keys(self, objective: Objective) -> None:
        """Alone it is what it is among others."""
        for number in range(10):
            T = self.shortest + 7 * number % 34
            task = self._task(objective, number, T)
            together = task.batch(seed=number, first=3, rows=8, context=T)
            alone = [task.batch(seed=number, first=3 + row, rows=1, context=T) for row in range(8)]
            for name in ("input_ids", "targets", "weights"):
                found = torch.cat([getattr(part, name) for part in alone])
                assert torch.equal(found, getattr(together, name)), f"{name} of rows made one by one, and together"

    def test_same_keys_same_rows(self, objective: Objective) -> None:
        """All of its randomness comes from the keys."""
        windows, keys = self._windows(objective)
        first, second = objective(windows, keys), objective(windows, keys)
        assert _same(first, second), "the same windows and keys must give the same rows"

    def test_windows_are_left_alone(self, objective: Objective) -> None:
        """They may be the corpus itself."""
        windows, keys = self._windows(objective)
        before = windows.copy()
        objective(windows, keys)
        assert np.array_equal(windows, before), "an objective must copy what it changes"

    def test_what_it_says_of_itself(self, objective: Objective) -> None:
        """A name that can stand in the names of files, which way it is read, and whether it needs labels."""
        name = objective.name
        assert name and not {" ", "/", "."} & set(name), f"name: {name!r} must be a word"
        assert isinstance(objective.causal, bool), f"causal: {objective.causal!r} must be true or false"
        assert isinstance(objective.labelled, bool), f"labelled: {objective.labelled!r} must be true or false"

    def _task(self, objective: Objective, number: int, context: int) -> Task:
        return Task("task", text(objective, number, 20 * context + 5, OFTEN[number % len(OFTEN)]), objective)

    def _windows(self, objective: Objective) -> tuple[Tokens, Keys]:
        """40 windows of 65 tokens, and their keys."""
        index, keys = np.arange(40), spread(5, np.arange(40))
        corpus = text(objective, 1, 3000, 40)
        return windows_of(objective, corpus, index, context=64, keys=keys), keys


def text(objective: Objective, seed: int, tokens: int, often: int) -> Windows:
    """Random words as an objective needs them; one token in `often` ends a document, or a sentence of tagged text."""
    draw = np.random.default_rng(seed)
    words = draw.choice(TOKENIZER.ordinary_ids, tokens).astype(np.uint16)
    ends = draw.random(tokens) < 1 / often
    if not objective.labelled:
        return Corpus("made", np.where(ends, TOKENIZER.eos_id, words).astype(np.uint16), "")
    offsets = np.unique([0, *np.flatnonzero(ends), tokens])
    if isinstance(objective, ReadsTags):
        return _tagged(words, offsets, draw)
    return LabelledCorpus(
        name="made",
        tokens=words,
        offsets=offsets,
        labels=draw.integers(0, 3, len(offsets) - 1),
        classes=("a", "b", "c"),
        cls_id=TOKENIZER.cls_id,
        pad_id=TOKENIZER.pad_id,
        label_ids=tuple(TOKENIZER.label_ids[:3]),
        sha256="",
    )


def _tagged(words: npt.NDArray[np.uint16], offsets: Tokens, draw: np.random.Generator) -> TaggedCorpus:
    """One token in two begins a word, and the first of every sentence."""
    marks = draw.integers(1, 6, len(words)) * (draw.random(len(words)) < 0.5)
    marks[offsets[:-1]] = 1
    return TaggedCorpus(
        name="made",
        tokens=words,
        offsets=offsets,
        marks=marks.astype(np.uint16),
        classes=("O", "B-A", "I-A", "B-B", "I-B"),
        eos_id=TOKENIZER.eos_id,
        pad_id=TOKENIZER.pad_id,
        label_ids=tuple(TOKENIZER.label_ids[:5]),
        sha256="",
    )


def _same(rows: Rows, others: Rows) -> bool:
    return all(np.array_equal(getattr(rows, name), getattr(others, name)) for name in rows._fields)
