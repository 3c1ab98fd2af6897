"""Tagged sentences as windows of sub-words: the first sub-word of a word carries its tag.

Shape letters: R windows taken in one call, C tags.
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from curriculum_rl.errors import ConfigError
from curriculum_rl.text.cache import Cache, checksums
from curriculum_rl.text.corpora import Indices, Tokens, mapped_tokens, named_entry, token_dtype
from curriculum_rl.text.documents import sha256_of
from curriculum_rl.text.splits import SplitSource
from curriculum_rl.text.tokenising import tagged_rows, write_tokens
from curriculum_rl.text.tokenizers import Tokenizer

NO_TAG = -1
"""In place of a label token where no word begins, or nothing is read of it."""

_FORMAT = 2  # of the arrays below; a change makes every cached corpus stale


@dataclass(frozen=True)
class TaggedCorpus:
    """Sentences with a tag for each word, which is read as a label token at the word's first sub-word.

    Attributes:
        name: Appears in task names, logs and errors.
        tokens: 1-D, all sentences one after the other, each encoded as running text. Every word has a token of its own.
        offsets: (sentences + 1,) int64, sentence i is tokens[offsets[i]:offsets[i + 1]].
        marks: As long as tokens; 1 + the number of its tag where a word begins, else 0.
        classes: The C tags, `O` first, then by type `B-<type>` and `I-<type>`; the same for every part of a source.
        eos_id: Token id that stands before and after the words.
        pad_id: Token id that fills a window behind them.
        label_ids: The token id that stands for each tag.
        sha256: Of the arrays and the tags.
    """

    name: str
    tokens: Tokens
    offsets: Indices
    marks: npt.NDArray[np.uint16]
    classes: tuple[str, ...]
    eos_id: int
    pad_id: int
    label_ids: tuple[int, ...]
    sha256: str

    def size(self, context: int) -> int:
        """How many sentences there are, whatever the context: each is one window.

        Raises:
            ConfigError: The context leaves no room for a word.
        """
        if context < 3:
            raise ConfigError(f"corpus {self.name!r}: context {context} holds no word between two ends of document")
        return len(self.offsets) - 1

    def windows(self, index: Indices, context: int) -> Indices:
        """Windows of eos_id, the words (their first context - 2 tokens), eos_id, then pad_id to the end.

        Args:
            index: (R,) in [0, size(context)).
            context: Tokens that a learner reads at once.

        Returns:
            (R, context + 1) int64.
        """
        places, lengths = self._places(index, context)
        windows: Indices = np.asarray(self.tokens)[places].astype(np.int64)
        columns = np.arange(context + 1)
        windows[columns > lengths[:, None]] = self.pad_id
        windows[:, 0] = self.eos_id
        windows[np.arange(len(index)), lengths + 1] = self.eos_id
        return windows

    def numbers_of(self, index: Indices, context: int) -> Indices:
        """(R, context + 1) the number of its tag where a word begins in `windows`, else `NO_TAG`."""
        places, lengths = self._places(index, context)
        numbers: Indices = np.asarray(self.marks)[places].astype(np.int64) - 1
        columns = np.arange(context + 1)
        numbers[(columns == 0) | (columns > lengths[:, None])] = NO_TAG
        return numbers

    def marks_of(self, index: Indices, context: int) -> Indices:
        """(R, context + 1) the label token of its tag where a word begins in `windows`, else `NO_TAG`."""
        tokens = np.array([*self.label_ids, NO_TAG], dtype=np.int64)
        return tokens[self.numbers_of(index, context)]

    def true_tags(self, index: Indices) -> list[list[str]]:
        """The tags of all words of some sentences (R,), also of those that no window holds."""
        found = []
        for begin, end in zip(self.offsets[index].tolist(), self.offsets[index + 1].tolist(), strict=True):
            marks = np.asarray(self.marks[begin:end])
            found.append([self.classes[mark - 1] for mark in marks[marks > 0].tolist()])
        return found

    def with_classes(self, classes: tuple[str, ...], tokenizer: Tokenizer) -> "TaggedCorpus":
        """The same with its tags numbered as in `classes`, which holds them all.

        Raises:
            ConfigError: There are more tags than the tokenizer has label tokens.
        """
        label_ids = _label_ids(self.name, classes, tokenizer)
        if classes == self.classes:
            return self
        number = np.array([0, *(classes.index(tag) + 1 for tag in self.classes)], dtype=np.uint16)
        return replace(
            self,
            marks=number[np.asarray(self.marks)],
            classes=classes,
            label_ids=label_ids,
            sha256=sha256_of(self.sha256, classes),
        )

    def _places(self, index: Indices, context: int) -> tuple[Indices, Indices]:
        """(R, context + 1) the token in each column, where the window holds one, and (R,) how many it holds."""
        starts = self.offsets[index]
        lengths = np.minimum(self.offsets[index + 1] - starts, context - 2)
        places = np.clip(starts[:, None] + np.arange(context + 1) - 1, 0, len(self.tokens) - 1)
        return places, lengths


def build_tagged(name: str, source: SplitSource, part: str, tokenizer: Tokenizer, cache: Cache) -> TaggedCorpus:
    """Tokenises the tagged documents of one part of a source; see `curriculum_rl.text.corpora.build_corpus`.

    Documents without a label are left out. The tags are those of all parts of the source.

    Raises:
        ConfigError: There are more tags than the tokenizer has label tokens, no entity, or no tagged document.
    """
    key = sha256_of("tagged", _FORMAT, source.fingerprint(part), tokenizer.fingerprint)

    def build(path: Path) -> None:
        classes = source.tags()
        number = {tag: n for n, tag in enumerate(classes)}
        documents = [row for row in source.documents(part) if row.label is not None]
        if not documents:
            raise ConfigError(f"part {part!r} has no tagged document")
        tokens, marks = [], []
        for row, (ids, places) in zip(documents, tagged_rows(documents, tokenizer), strict=True):
            mine = [0] * len(ids)
            for place, tag in zip(places, row.tags, strict=True):
                mine[place] = number[tag] + 1
            tokens.append(ids)
            marks.append(mine)
        write_tokens(path / "tokens.bin", tokens, token_dtype(tokenizer))
        write_tokens(path / "marks.bin", marks, np.uint16)
        np.save(path / "offsets.npy", np.cumsum([0, *map(len, tokens)], dtype=np.int64))
        (path / "classes.json").write_text(json.dumps(classes), encoding="utf-8")

    entry = named_entry(name, cache, key, build)
    classes = tuple(json.loads((entry / "classes.json").read_text(encoding="utf-8")))
    return TaggedCorpus(
        name=name,
        tokens=mapped_tokens(entry, tokenizer),
        offsets=np.load(entry / "offsets.npy"),
        marks=np.memmap(entry / "marks.bin", dtype=np.uint16, mode="r"),
        classes=classes,
        eos_id=tokenizer.eos_id,
        pad_id=tokenizer.pad_id,
        label_ids=_label_ids(name, classes, tokenizer),
        sha256=sha256_of(sorted(checksums(entry).items())),
    )


def _label_ids(name: str, classes: tuple[str, ...], tokenizer: Tokenizer) -> tuple[int, ...]:
    if len(classes) > len(tokenizer.label_ids):
        raise ConfigError(
            f"tokenizer.labels: corpus {name!r} is read with {len(classes)} tags, "
            f"the tokenizer has {len(tokenizer.label_ids)} label tokens"
        )
    return tokenizer.label_ids[: len(classes)]
