"""Turns documents into tokens, a chunk at a time: memory stays small however long the text is."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from curriculum_rl.text.documents import Document
from curriculum_rl.text.tokenizers import Tokenizer

_CHUNK = 1 << 20  # characters tokenised in one call: 31.5 million at once took 1.4 GB
_PIECE = 1 << 17  # characters of a document tokenised as one piece


def write_tokens(path: Path, rows: Iterable[Sequence[int]], dtype: npt.DTypeLike) -> None:
    """Writes rows of tokens one after the other to a file."""
    with path.open("wb") as file:
        for row in rows:
            file.write(np.array(row, dtype=dtype).tobytes())


def token_rows(documents: Iterable[Document], tokenizer: Tokenizer, end: list[int]) -> Iterator[list[int]]:
    """The tokens of each document, tokenised a chunk at a time, each followed by `end`."""
    for chunk in _chunks(documents):
        pieces = [_pieces(document.text) for document in chunk]
        encoded = iter(tokenizer.encode([piece for group in pieces for piece in group]))
        for group in pieces:
            yield [token for _ in group for token in next(encoded)] + end


def word_rows(documents: Iterable[Document], tokenizer: Tokenizer) -> Iterator[list[list[int]]]:
    """The tokens of each word of each document; a word after the first has the space before it, as in running text.

    A word that the tokenizer makes nothing of (a lone invisible character) is one mask token.
    """
    for chunk in _chunks(documents):
        encoded = iter(tokenizer.encode([" " * (n > 0) + word for row in chunk for n, word in enumerate(row.words)]))
        for row in chunk:
            yield [next(encoded) or [tokenizer.mask_id] for _ in row.words]


def _chunks(documents: Iterable[Document]) -> Iterator[list[Document]]:
    """Lists of documents of about _CHUNK characters, a longer document alone."""
    chunk: list[Document] = []
    characters = 0
    for document in documents:
        chunk.append(document)
        characters += len(document.text)
        if characters >= _CHUNK:
            yield chunk
            chunk, characters = [], 0
    if chunk:
        yield chunk


def _pieces(text: str) -> list[str]:
    """A text cut into pieces of at most _PIECE characters, before white space where there is some."""
    pieces = []
    while len(text) > _PIECE:
        cut = max(text.rfind("\n", 1, _PIECE), text.rfind(" ", _PIECE // 2, _PIECE))
        cut = cut if cut > 0 else _PIECE
        pieces.append(text[:cut])
        text = text[cut:]
    return [*pieces, text]
