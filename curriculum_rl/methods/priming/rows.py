"""Tagged sentences as rows of sub-words: the first sub-word of a word carries its tag.

Shapes: S sentences, B rows, T tokens, C tags.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from curriculum_rl.draws import key, window_of
from curriculum_rl.errors import ConfigError
from curriculum_rl.methods.priming.ner import Sentence
from curriculum_rl.tokenizers import Tokenizer

IGNORED = -100
"""The tag of a position whose loss is not taken."""


@dataclass(frozen=True)
class TagBatch:
    """Some sentences.

    Attributes:
        ids: (B, T) tokens.
        tags: (B, T) the tag of each word at its first sub-word, `IGNORED` elsewhere.
    """

    ids: Tensor
    tags: Tensor


@dataclass(frozen=True)
class Rows:
    """Sentences as arrays.

    Attributes:
        ids: (S, T) tokens: end of document, the sentence, end of document, padding.
        tags: (S, T) as in `TagBatch`.
        lengths: (S,) tokens before the padding.
        sentences: what they are made of.
    """

    ids: npt.NDArray[np.int64]
    tags: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int64]
    sentences: tuple[Sentence, ...]

    def __len__(self) -> int:
        return len(self.ids)

    def batch(self, index: npt.NDArray[np.int64], device: torch.device) -> TagBatch:
        """The rows `index` (B,), cut after the longest."""
        T = int(self.lengths[index].max())
        parts = (torch.from_numpy(array[index, :T]).to(device) for array in (self.ids, self.tags))
        return TagBatch(*parts)

    def drawn(self, seed: int, stream: str, first: int, count: int, device: torch.device) -> TagBatch:
        """Rows `first` to `first + count` of an endless series: every row once per epoch, a fresh order in each."""
        index = window_of(key(seed, stream), np.arange(first, first + count), len(self))
        return self.batch(index, device)

    def part(self, start: int, stop: int) -> "Rows":
        """Some consecutive sentences."""
        here = slice(start, stop)
        return Rows(self.ids[here], self.tags[here], self.lengths[here], self.sentences[here])


def sampled(sentences: Sequence[Sentence], seed: int, count: int) -> list[Sentence]:
    """So many sentences (or all) in a random order; fewer are a part of more."""
    index = window_of(key(seed, "sample"), np.arange(min(count, len(sentences))), len(sentences))
    return [sentences[n] for n in index.tolist()]


def encoded(sentences: Sequence[Sentence], tags: Sequence[str], tokenizer: Tokenizer, *, context: int) -> Rows:
    """Rows of at most `context` tokens; words that do not fit are not read, and have no tag.

    A word after the first is encoded with the space before it, as in running text.

    Raises:
        ConfigError: a tag is not among `tags`, there is no sentence, or the context holds no word.
    """
    if context < 3 or not sentences:
        raise ConfigError(f"context: {context} must be at least 3, and there must be a sentence ({len(sentences)})")
    number = {tag: n for n, tag in enumerate(tags)}
    pieces = iter(tokenizer.encode([" " * (n > 0) + word for row in sentences for n, word in enumerate(row.words)]))
    ids = np.full((len(sentences), context), tokenizer.pad_id, np.int64)
    marks = np.full_like(ids, IGNORED)
    lengths = np.zeros(len(sentences), np.int64)
    for s, row in enumerate(sentences):
        line = [tokenizer.eos_id]
        for word, tag in [(next(pieces), tag) for tag in row.tags]:
            if tag not in number:
                raise ConfigError(f"data: tag {tag!r} is not among {', '.join(tags)}")
            if len(line) < context - 1:
                marks[s, len(line)] = number[tag]
                line += word
        line = [*line[: context - 1], tokenizer.eos_id]
        ids[s, : len(line)], lengths[s] = line, len(line)
    return Rows(ids, marks, lengths, tuple(sentences))


def tags_of_words(rows: Rows, predicted: npt.NDArray[np.int64], tags: Sequence[str]) -> list[list[str]]:
    """The tag of every word: what is predicted at its first sub-word, `O` where it was not read.

    Args:
        rows: S sentences.
        predicted: (S, T) numbers of tags.
        tags: their names.
    """
    found = []
    for s, row in enumerate(rows.sentences):
        read = [tags[n] for n in predicted[s, rows.tags[s] != IGNORED].tolist()]
        found.append(read + ["O"] * (len(row.words) - len(read)))
    return found
