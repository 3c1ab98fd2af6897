"""Trigram models of mixtures: counts of all sources, pooled with the weights of a mixture, as far as a target asks.

Shape letters: K sources, V vocabulary, n tokens of the target that are predicted.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from curriculum_rl.priors.likelihoods import LEAST, MOST, Tokens, smoothed, taken

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

BACKOFFS = (0.5, 2.0, 8.0, 32.0, 128.0, 512.0)
"""Pseudo-counts of the shorter context in a longer one's row that are tried, for pairs and for triples."""


@dataclass(frozen=True)
class Asked:
    """The tokens of a text that are predicted, and what each is predicted from.

    Attributes:
        before: (n,) the token two places before, 0 where there is none that is text.
        first: (n,) the token before, text.
        second: (n,) the token itself, text.
        long: (n,) whether there is a token two places before.
        places: (n,) where the token stands in the text, rows one after the other.
    """

    before: Ints
    first: Ints
    second: Ints
    long: Bools
    places: Ints

    @classmethod
    def of(cls, rows: Ints, no_text: Bools) -> "Asked":
        """Every token of some rows that is text and follows one that is.

        Args:
            rows: (R, T) tokens.
            no_text: (V,) whether a token is none.
        """
        first, second = rows[:, :-1], rows[:, 1:]
        before, long = np.zeros_like(first), np.zeros(first.shape, np.bool_)
        long[:, 1:] = ~no_text[rows[:, :-2]]
        before[:, 1:] = np.where(long[:, 1:], rows[:, :-2], 0)
        text = ~(no_text[first] | no_text[second])
        places = np.arange(rows.size).reshape(rows.shape)[:, 1:]
        return cls(before[text], first[text], second[text], long[text], places[text])

    def of_rows(self, wanted: Bools) -> "Asked":
        """Some of the tokens."""
        parts = (self.before, self.first, self.second, self.long, self.places)
        return Asked(*(part[wanted] for part in parts))


class Trigrams:
    """Interpolated trigram models of all mixtures of some sources, each of which is counted on equally many tokens.

    A triple is backed off to its pair and this to the token alone, with pseudo-counts; tokens alone are smoothed by
    all sources (`curriculum_rl.priors.likelihoods`). Counts are those of all sources together, reweighted: an even
    mixture has the counts that were made.

    Args:
        asked: what will be predicted.
        sources: K, tokens of each.
        vocab_size: V.
        no_text: (V,) tokens that are no text: what has one of them does not count.

    Source:
        MacKay and Peto 1995, "A hierarchical Dirichlet language model", equation 15, one context longer.
    """

    def __init__(self, asked: Asked, sources: Sequence[Tokens], vocab_size: int, no_text: Bools) -> None:
        self.asked = asked
        pair, triple = asked.first * vocab_size + asked.second, asked.before * vocab_size + asked.first
        wanted = [np.unique(part, return_inverse=True) for part in (pair, triple, triple * vocab_size + asked.second)]
        self._pairs, self._contexts, self._triples = (_Seen(len(sources), *one) for one in wanted)
        follow, self._first = np.empty((2, len(sources), vocab_size))
        most = int(np.clip(min(len(source) for source in sources), LEAST, MOST))
        for number, source in enumerate(sources):
            read = Asked.of(taken(source, most), no_text)
            one = read.first * vocab_size + read.second
            context = (read.before * vocab_size + read.first)[read.long]
            self._pairs.add(number, one)
            self._contexts.add(number, context)
            self._triples.add(number, context * vocab_size + read.second[read.long])
            follow[number] = np.bincount(read.second, minlength=vocab_size)
            self._first[number] = np.bincount(read.first, minlength=vocab_size)
        self.unigrams = smoothed(follow)

    def fitted(self, weights: Floats, where: Bools) -> tuple[float, float]:
        """The back-offs of pairs and of triples under which some of the tokens are likeliest.

        Args:
            weights: (K,) of the mixture, summing to 1.
            where: (n,) which tokens.
        """
        model = self._pooled(weights, where)
        tried = [(model.loss(two, three).mean(), two, three) for two in BACKOFFS for three in BACKOFFS]
        _, two, three = min(tried)
        return two, three

    def loss(self, weights: Floats, where: Bools, backoffs: tuple[float, float]) -> Floats:
        """Nats of each of some tokens under a mixture.

        Args:
            weights: (K,) of the mixture, summing to 1.
            where: (n,) which tokens.
            backoffs: of pairs and of triples.
        """
        return self._pooled(weights, where).loss(*backoffs)

    def _pooled(self, weights: Floats, where: Bools) -> "_Model":
        asked, scale = self.asked.of_rows(where), weights * len(weights)
        return _Model(
            weights @ self.unigrams[:, asked.second],
            self._pairs.pooled(scale, where),
            scale @ self._first[:, asked.first],
            np.where(asked.long, self._triples.pooled(scale, where), 0),
            np.where(asked.long, self._contexts.pooled(scale, where), 0),
        )


@dataclass(frozen=True)
class _Model:
    """(n,) each: the token's frequency, and how often it and its context were seen, for contexts of one and of two."""

    unigram: Floats
    pair: Floats
    first: Floats
    triple: Floats
    context: Floats

    def loss(self, two: float, three: float) -> Floats:
        """(n,) nats."""
        shorter = (self.pair + two * self.unigram) / (self.first + two)
        lost: Floats = -np.log((self.triple + three * shorter) / (self.context + three))
        return lost


class _Seen:
    """How often each source has what is asked for.

    Args:
        sources: K.
        wanted: what is asked for, sorted, each once.
        places: (n,) which of it each token asks for.
    """

    def __init__(self, sources: int, wanted: Ints, places: Ints) -> None:
        self._wanted, self._places = wanted, places
        self._counts = np.empty((sources, len(wanted)))

    def add(self, source: int, read: Ints) -> None:
        """Count what a source has."""
        ordered = np.sort(read)
        self._counts[source] = np.searchsorted(ordered, self._wanted, "right") - np.searchsorted(ordered, self._wanted)

    def pooled(self, scale: Floats, where: Bools) -> Floats:
        """Counts for some tokens, of all sources together."""
        found: Floats = (scale @ self._counts)[self._places[where]]
        return found
