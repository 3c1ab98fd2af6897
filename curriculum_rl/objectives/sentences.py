"""Where the sentences of a window are, by the text of its tokens, and how a window is cut into segments.

Shape letters: R rows, L tokens of text, S segments.
"""

from typing import NamedTuple

import numpy as np

from curriculum_rl.objectives.base import Bools, Tokens
from curriculum_rl.text.tokenizers import Tokenizer


class Piece(NamedTuple):
    """One piece of the text of each row: (R,) its first token and its length."""

    start: Tokens
    length: Tokens


class Cuts(NamedTuple):
    """How each row is cut into segments.

    Attributes:
        bounds: (R, S + 1) the start of each segment, and the end of the last.
        whole: (R,) bool, whether each segment begins and ends with a sentence or document.
    """

    bounds: Tokens
    whole: Bools


def longest_document(text: Tokens, tokenizer: Tokenizer, least: int) -> Piece:
    """The longest piece of each row that no end of document interrupts.

    Where no piece has `least` tokens (documents of a word or two) it is all of the row, across documents.

    Args:
        text: (R, L).
        tokenizer: names the end of document.
        least: tokens that the piece must have, at most L.
    """
    columns = np.arange(text.shape[1])
    breaks = (text == tokenizer.eos_id) | (text == tokenizer.pad_id)
    run = columns - np.maximum.accumulate(np.where(breaks, columns, -1), axis=1)
    last = run.argmax(axis=1)
    length = run[np.arange(len(text)), last]
    short = length < least
    return Piece(np.where(short, 0, last - length + 1), np.where(short, text.shape[1], length))


def cut(text: Tokens, tokenizer: Tokenizer, segments: int) -> Cuts:
    """Cut the longest document of each row into segments, all of them at sentences or none.

    Where sentences end near the document's j / S (less than half a segment away, for every j in between) and the
    window's edges cost no more than a quarter to leave out sentences that they tear, cuts are after sentences. Every
    other row is cut into equal parts, wherever that is, and up to S - 1 last tokens are left out. A mixture of both
    would give the order away: the torn ends are those at the window's edges, the longer part is the first.

    Args:
        text: (R, L), L at least S.
        tokenizer: knows what ends a sentence.
        segments: S, at least 2.

    Returns:
        Bounds with at least one token in each segment.
    """
    S, L = segments, text.shape[1]
    start, length = longest_document(text, tokenizer, S)
    ends, cuts = tokenizer.tables.sentence_ends(text), np.arange(1, L + 1)
    spare = np.where(length >= 2 * S, length // 4, 0)[:, None]
    opening, closing = ends & (cuts <= spare), ends & (cuts >= L - spare)
    stop = start + length
    bounds = np.empty((len(text), S + 1), dtype=np.int64)
    bounds[:, 0] = np.where((start == 0) & opening.any(axis=1), opening.argmax(axis=1) + 1, start)
    bounds[:, S] = np.where((stop == L) & closing.any(axis=1), L - closing[:, ::-1].argmax(axis=1), stop)
    whole = ((start > 0) | (bounds[:, 0] > 0)) & ((stop < L) | closing.any(axis=1))
    first, size = bounds[:, 0].copy(), bounds[:, S] - bounds[:, 0]
    # Whole numbers, 2 S times as large: rounding must not let two cuts meet.
    place = 2 * S * (cuts - first[:, None])
    place[~ends] = -(2**40)
    for j in range(1, S):
        distance = np.abs(place - 2 * j * size[:, None])
        nearest = distance.argmin(axis=1)
        bounds[:, j] = nearest + 1
        whole &= distance[np.arange(len(text)), nearest] < size
    equal = start[:, None] + (length // S)[:, None] * np.arange(S + 1)
    return Cuts(np.where(whole[:, None], bounds, equal), whole)


def latest_start(text: Tokens, tokenizer: Tokenizer, piece: Piece, length: Tokens, aligned: Bools) -> Tokens:
    """(R,) the last place in each piece that leaves `length` tokens, where aligned the last such sentence start.

    Args:
        text: (R, L).
        tokenizer: knows what ends a sentence.
        piece: its own start counts as the start of a sentence.
        length: (R,) at most the piece's.
        aligned: (R,) which rows want a sentence start.
    """
    latest = piece.start + piece.length - length
    cuts = np.arange(1, text.shape[1] + 1)
    after = tokenizer.tables.sentence_ends(text) & (cuts > piece.start[:, None]) & (cuts <= latest[:, None])
    last = np.where(after.any(axis=1), text.shape[1] - after[:, ::-1].argmax(axis=1), piece.start)
    return np.where(aligned, last, latest)
