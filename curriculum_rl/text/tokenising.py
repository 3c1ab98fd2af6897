"""Turns documents into tokens, a chunk at a time: memory stays small however long the text is."""

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from curriculum_rl.text.documents import Document
from curriculum_rl.text.tokenizers import Tokenizer

Item = TypeVar("Item")

_CHUNK = 1 << 20  # characters tokenised in one call: 31.5 million at once took 1.4 GB
_PIECE = 1 << 17  # characters of a document tokenised as one piece


def write_tokens(path: Path, rows: Iterable[Sequence[int]], dtype: npt.DTypeLike) -> None:
    """Writes rows of tokens one after the other to a file."""
    with path.open("wb") as file:
        for row in rows:
            file.write(np.array(row, dtype=dtype).tobytes())


def token_rows(documents: Iterable[Document], tokenizer: Tokenizer, end: list[int]) -> Iterator["array[int]"]:
    """The tokens of each document, tokenised a chunk at a time, each followed by `end`."""
    row = array("I")
    pieces = ((piece, last) for document in documents for piece, last in _pieces(document.text))
    for chunk in _chunks(pieces, lambda piece: len(piece[0])):
        encoded = tokenizer.encode([piece for piece, _ in chunk])
        for (_, last), tokens in zip(chunk, encoded, strict=True):
            row.extend(tokens)
            if last:
                row.extend(end)
                yield row
                row = array("I")


def word_rows(documents: Iterable[Document], tokenizer: Tokenizer) -> Iterator[list[list[int]]]:
    """The tokens of each word of each document; a word after the first has the space before it, as in running text.

    A word that the tokenizer makes nothing of (a lone invisible character) is one mask token.
    """
    for chunk in _chunks(documents, lambda document: len(document.text)):
        encoded = iter(tokenizer.encode([" " * (n > 0) + word for row in chunk for n, word in enumerate(row.words)]))
        for row in chunk:
            yield [next(encoded) or [tokenizer.mask_id] for _ in row.words]


def _chunks(items: Iterable[Item], characters: Callable[[Item], int]) -> Iterator[list[Item]]:
    """Lists of items of about _CHUNK characters, a longer item alone."""
    chunk: list[Item] = []
    size = 0
    for item in items:
        chunk.append(item)
        size += characters(item)
        if size >= _CHUNK:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _pieces(text: str) -> Iterator[tuple[str, bool]]:
    """Pieces of a text of at most _PIECE characters, cut before white space where there is some, and which is last."""
    begin = 0
    while len(text) - begin > _PIECE:
        end = begin + _PIECE
        cut = max(text.rfind("\n", begin + 1, end), text.rfind(" ", begin + _PIECE // 2, end))
        cut = cut if cut > 0 else end
        yield text[begin:cut], False
        begin = cut
    yield text[begin:], True
