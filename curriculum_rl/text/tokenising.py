"""Turns documents into tokens, a chunk at a time: memory stays small however long the text is."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from curriculum_rl.text.documents import Document
from curriculum_rl.text.encoding import Offsets
from curriculum_rl.text.tokenizers import Tokenizer

Spans = Sequence[tuple[int, int]]

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


def tagged_rows(documents: Iterable[Document], tokenizer: Tokenizer) -> Iterator[tuple[list[int], list[int]]]:
    """The tokens of each document, and for each of its words the place of the first token that holds a part of it.

    A document is encoded as running text. Where a token holds parts of two words it is encoded word by word instead, a
    word after the first as after a space. A word that the tokenizer makes nothing of (a lone invisible character) is
    one mask token.
    """
    for chunk in _chunks(documents):
        encoded = tokenizer.encoder.encode_with_offsets([row.text for row in chunk])
        for row, (ids, offsets) in zip(chunk, encoded, strict=True):
            spans = _spans(row.words)
            starts = _starts(ids, offsets, spans, skip=tokenizer.encoder.added(ids, offsets))
            yield _word_by_word(row.words, tokenizer) if starts is None else _masked(ids, starts, tokenizer.mask_id)


def _spans(words: Sequence[str]) -> list[tuple[int, int]]:
    """Where each word is in a text in which one space stands between them."""
    spans, begin = [], 0
    for word in words:
        spans.append((begin, begin + len(word)))
        begin += len(word) + 1
    return spans


def _starts(ids: Sequence[int], offsets: Offsets, spans: Spans, *, skip: int) -> list[int | None] | None:
    """The place of each word's first token, None where there is none; None: words share a token, or are out of order.

    Args:
        ids: the tokens.
        offsets: the characters that each holds.
        spans: the characters of each word, in order.
        skip: tokens at the start that hold none.
    """
    starts: list[int | None] = [None] * len(spans)
    ends = [end for _, end in spans]
    last = 0
    for place, (begin, end) in enumerate(offsets[skip:], start=skip):
        if begin >= end:
            continue
        word = bisect_right(ends, begin)
        if word == len(spans) or spans[word][0] >= end:
            continue
        if word < last or (word + 1 < len(spans) and spans[word + 1][0] < end):
            return None
        last = word
        if starts[word] is None:
            starts[word] = place
    return starts


def _masked(ids: Sequence[int], starts: Sequence[int | None], mask_id: int) -> tuple[list[int], list[int]]:
    """The tokens with one more for each word that has none, before the next word's, and the place of every word."""
    tokens, places, done = list[int](), list[int](), 0
    for n, start in enumerate(starts):
        following = next((later for later in starts[n:] if later is not None), len(ids))
        tokens += ids[done:following]
        done = following
        places.append(len(tokens))
        if start is None:
            tokens.append(mask_id)
    return tokens + list(ids[done:]), places


def _word_by_word(words: Sequence[str], tokenizer: Tokenizer) -> tuple[list[int], list[int]]:
    encoder, lead = tokenizer.encoder, "" if tokenizer.encoder.marks_words else " "
    tokens, places = list[int](), list[int]()
    encoded = encoder.encode_with_offsets([lead * (n > 0) + word for n, word in enumerate(words)])
    for n, (word, (ids, offsets)) in enumerate(zip(words, encoded, strict=True)):
        begin = len(lead) * (n > 0)
        found = _starts(ids, offsets, [(begin, begin + len(word))], skip=encoder.added(ids, offsets))
        assert found is not None, "one word shares no token"
        mine, place = _masked(ids, found, tokenizer.mask_id)
        places.append(len(tokens) + place[0])
        tokens += mine
    return tokens, places


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
