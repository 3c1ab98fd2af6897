"""What an objective may read of its corpus besides the window: a window of another document, random tokens.

Shape letters: R windows, T context.
"""

import weakref

import numpy as np
import numpy.typing as npt

from curriculum_rl.draws import uniforms
from curriculum_rl.objectives.base import Keys, Text, Tokens

# Streams of a row's key that no objective uses in its call.
_PARTNER, _SAMPLE = 101, 102

_Stored = npt.NDArray[np.uint16] | npt.NDArray[np.uint32]
_ENDS: dict[tuple[int, int], tuple["weakref.ref[_Stored]", Tokens]] = {}


def another_document(corpus: Text, eos_id: int, index: Tokens, *, context: int, keys: Keys) -> Tokens:
    """For each window a random one that shares no document with it, all such windows being equally likely.

    Where there is none (a corpus of one document, noise without documents) it is the window farthest away.

    Args:
        corpus: documents separated by the end-of-document token.
        eos_id: that token.
        index: (R,) numbers of the windows.
        context: T.
        keys: (R,) each decides its own row.

    Returns:
        (R,) numbers of windows.
    """
    size = corpus.size(context)
    ends = _document_ends(corpus.tokens, eos_id)
    first, last = index * context, (index + 1) * context
    begin = np.append(-1, ends)[np.searchsorted(ends, first, side="right")] + 1  # of the document of the first token
    end = np.append(ends, len(corpus.tokens))[np.searchsorted(ends, last)]  # of the document of the last token
    before = np.maximum((begin - 1) // context, 0)  # windows that end before that beginning
    after = np.minimum(-(-end // context), size)  # the first window that starts at that end or later
    pick = (uniforms(keys, 1, _PARTNER)[:, 0] * (before + size - after)).astype(np.int64)
    other = np.where(pick < before, pick, pick - before + after)
    return np.where(before + size - after > 0, other, (index + size // 2) % size)


def with_sample(corpus: Text, eos_id: int, index: Tokens, *, context: int, keys: Keys) -> Tokens:
    """(2, R, T + 1): windows, and as many tokens drawn by their frequency in the corpus: a unigram generator.

    A draw is the token at a random place of the corpus; where a document ends there, it is the token before.
    """
    place = (uniforms(keys, context + 1, _SAMPLE).astype(np.float64) * len(corpus.tokens)).astype(np.int64)
    place -= corpus.tokens[place] == eos_id
    return np.stack([corpus.windows(index, context), corpus.tokens[place].astype(np.int64)])


def _document_ends(tokens: _Stored, eos_id: int) -> Tokens:
    """Where the documents of a token array end, found once for as long as the array lives."""
    name = (id(tokens), eos_id)
    known = _ENDS.get(name)
    if known is None or known[0]() is not tokens:
        forget = weakref.ref(tokens, lambda _: _ENDS.pop(name, None))
        known = _ENDS[name] = (forget, np.flatnonzero(np.asarray(tokens) == eos_id))
    return known[1]
