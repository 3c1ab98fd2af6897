"""How likely a target's tokens are under a bigram model of each source, all counted on equally many tokens.

Shape letters: K sources, V vocabulary, n tokens of the target, P different pairs of neighbours in it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from curriculum_rl.draws import key, window_of

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Tokens = npt.NDArray[np.integer]

BLOCK = 64
"""Tokens in a row that are taken of a text, or none of them."""
TARGET = 1 << 16
"""Tokens of the target that are read, at most."""
LEAST, MOST = 1 << 15, 1 << 17
"""Tokens of every source that are counted are those of the smallest, but not fewer than the one or more than the other.

A source with more text has better counts, which is not what a weight should say."""
SHARED = 100.0
"""Pseudo-counts of the background, the mean of all sources' unigrams, in the unigram of each."""


@dataclass(frozen=True)
class Counts:
    """What is counted of the sources, as far as the target asks.

    Attributes:
        firsts: (P,) the first token of each different pair of the target.
        seconds: (P,) the second.
        places: (n,) which pair stands at each of its tokens that has a neighbour.
        pairs: (K, P) how often each source has it.
        contexts: (K, V) how often each source has each token as the first of a pair.
        unigrams: (K, V) frequencies of tokens as the second of a pair, smoothed by the background.
    """

    firsts: Ints
    seconds: Ints
    places: Ints
    pairs: Floats
    contexts: Floats
    unigrams: Floats

    def likelihoods(self, backoff: float) -> Floats:
        """(P, K) probability of each pair's second token after its first, with the unigram as `backoff` pseudo-counts.

        Source: MacKay and Peto 1995, "A hierarchical Dirichlet language model", equation 15 (the posterior mean).
        """
        seen = self.pairs + backoff * self.unigrams[:, self.seconds]
        asked: Floats = seen / (self.contexts[:, self.firsts] + backoff)
        return np.ascontiguousarray(asked.T)

    @property
    def times(self) -> Floats:
        """(P,) how often the target has each pair."""
        return np.bincount(self.places, minlength=len(self.firsts)).astype(np.float64)


def count(target: Tokens, sources: Sequence[Tokens], vocab_size: int, ignored: Collection[int] = ()) -> Counts:
    """Count all sources on equally many tokens, spread over each in blocks.

    Args:
        target: tokens of the target, at least two neighbours that are text.
        sources: K, likewise.
        vocab_size: V.
        ignored: tokens that are no text (padding, ends of documents, labels): a pair with one of them does not count.
    """
    skipped = np.zeros(vocab_size, np.bool_)
    skipped[list(ignored)] = True
    firsts, seconds = _pairs(_taken(target, TARGET), skipped)
    asked, places = np.unique(firsts * vocab_size + seconds, return_inverse=True)
    most = int(np.clip(min(len(source) for source in sources), LEAST, MOST))
    pairs = np.empty((len(sources), len(asked)))
    contexts, follow = np.empty((2, len(sources), vocab_size))
    for number, source in enumerate(sources):
        first, second = _pairs(_taken(source, most), skipped)
        read = np.sort(first * vocab_size + second)
        pairs[number] = np.searchsorted(read, asked, "right") - np.searchsorted(read, asked)
        contexts[number] = np.bincount(first, minlength=vocab_size)
        follow[number] = np.bincount(second, minlength=vocab_size)
    return Counts(asked // vocab_size, asked % vocab_size, places, pairs, contexts, _smoothed(follow))


def _smoothed(follow: Floats) -> Floats:
    """(K, V) frequencies from counts; the background is even over sources and has one count more for every token."""
    totals = follow.sum(axis=1, keepdims=True)
    background = (follow / np.maximum(totals, 1)).mean(axis=0) * totals.mean() + 1
    smoothed: Floats = (follow + SHARED * background / background.sum()) / (totals + SHARED)
    return smoothed


def _taken(tokens: Tokens, most: int) -> Ints:
    """(R, BLOCK) blocks of a text, all of it or so many tokens spread over it; a shorter text is one row."""
    blocks = len(tokens) // BLOCK
    if len(tokens) <= most:
        whole = np.asarray(tokens).astype(np.int64)
        return whole[None]
    chosen = np.sort(window_of(key(0, "prior"), np.arange(max(1, most // BLOCK)), blocks))
    return np.asarray(tokens)[: blocks * BLOCK].reshape(blocks, BLOCK)[chosen].astype(np.int64)


def _pairs(rows: Ints, skipped: npt.NDArray[np.bool_]) -> tuple[Ints, Ints]:
    """The neighbours in rows that are both text."""
    first, second = rows[:, :-1].ravel(), rows[:, 1:].ravel()
    text = ~(skipped[first] | skipped[second])
    return first[text], second[text]
