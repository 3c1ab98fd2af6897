"""How likely a target's tokens are under a class bigram model of each source, all counted on equally many tokens.

Shape letters: K sources, V vocabulary, n tokens of the target that follow another, P different pairs among them.
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


FREQUENT = 32
"""Classes of one token: the most frequent of all sources; all other tokens are one class more."""
BACKOFF = 32.0
"""Pseudo-counts of a source's own class frequencies in every row of its class bigrams."""


@dataclass(frozen=True)
class Likelihoods:
    """What the sources say of a target.

    Attributes:
        of_pairs: (P, K) probability of each different pair's second token after its first, above 0.
        places: (n,) which pair stands where; a token next to one that is no text has none.
    """

    of_pairs: Floats
    places: Ints

    @property
    def times(self) -> Floats:
        """(P,) how often the target has each pair."""
        return np.bincount(self.places, minlength=len(self.of_pairs)).astype(np.float64)


def likelihoods(
    target: Tokens, sources: Sequence[Tokens], vocab_size: int, ignored: Collection[int] = ()
) -> Likelihoods:
    """p_k(t | c) = p_k(class of t | class of c) u_k(t) / u_k(class of t), u_k the unigram of source k.

    Few numbers for each source, so that few tokens are enough to know them: neither its size nor how a user cuts his
    corpora makes much of a difference. (With bigrams of all tokens two halves of a source, counted alike, explain a
    target better than the whole, and get more; unigrams alone cannot tell a text from its shuffled words: docs/log.md.)

    Args:
        target: tokens of the target.
        sources: K, at least one.
        vocab_size: V.
        ignored: tokens that are no text (padding, ends of documents, labels): a pair with one of them does not count.

    Source:
        Brown, Della Pietra, deSouza, Lai & Mercer 1992, "Class-based n-gram models of natural language", section 3; the
        classes are ours.
    """
    text = np.ones(vocab_size, np.bool_)
    text[list(ignored)] = False
    asked, places = np.unique(_pairs(_taken(target, TARGET), text), axis=1, return_inverse=True)
    most = int(np.clip(min(len(source) for source in sources), LEAST, MOST))
    pairs = [_pairs(_taken(source, most), text) for source in sources]
    unigrams = _unigrams(np.stack([np.bincount(one[1], minlength=vocab_size) for one in pairs]), text)
    classes = np.full(vocab_size, FREQUENT)
    frequent = np.argsort(-unigrams.mean(axis=0), kind="stable")[:FREQUENT]
    classes[frequent] = np.arange(len(frequent))
    own = np.stack([np.bincount(classes, weights=unigram, minlength=FREQUENT + 1) for unigram in unigrams])
    of_classes = np.stack([_transitions(classes[one], of) for one, of in zip(pairs, own, strict=True)])
    first, second = classes[asked]
    found = of_classes[:, first, second] * unigrams[:, asked[1]] / own[:, second]
    return Likelihoods(np.ascontiguousarray(found.T), places.ravel())


def _transitions(pairs: Ints, own: Floats) -> Floats:
    """(C, C) probability of the class that follows a class, backed off to its own frequency, (C,)."""
    size = len(own)
    seen = np.bincount(pairs[0] * size + pairs[1], minlength=size * size).reshape(size, size)
    found: Floats = (seen + BACKOFF * own) / (seen.sum(axis=1, keepdims=True) + BACKOFF)
    return found


def _unigrams(counts: npt.NDArray[np.integer], text: npt.NDArray[np.bool_]) -> Floats:
    """(K, V) frequencies; the background is even over sources, and every token of text has one count more in it."""
    totals = counts.sum(axis=1, keepdims=True)
    background = (counts / np.maximum(totals, 1)).mean(axis=0) * totals.mean() + text
    smoothed: Floats = (counts + SHARED * background / background.sum()) / (totals + SHARED)
    return smoothed


def _taken(tokens: Tokens, most: int) -> Ints:
    """(R, BLOCK) blocks of a text, so many tokens spread over it; a text that is no longer is one row."""
    if len(tokens) <= most:
        return np.asarray(tokens).astype(np.int64)[None]
    blocks = len(tokens) // BLOCK
    chosen = np.sort(window_of(key(0, "prior"), np.arange(max(1, most // BLOCK)), blocks))
    return np.asarray(tokens)[: blocks * BLOCK].reshape(blocks, BLOCK)[chosen].astype(np.int64)


def _pairs(rows: Ints, text: npt.NDArray[np.bool_]) -> Ints:
    """(2, pairs) the neighbours in rows that are both text."""
    pairs = np.stack([rows[:, :-1].ravel(), rows[:, 1:].ravel()])
    return pairs[:, text[pairs].all(axis=0)]
