"""Trigram models of mixtures: a mixture reads so many tokens, its share of each source, and counts what a target asks.

Shape letters: K sources, V vocabulary, R rows, T tokens of a row, n tokens of the target that are predicted.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from curriculum_rl.draws import key, window_of
from curriculum_rl.priors.likelihoods import BLOCK, Tokens

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


class Trigrams:
    """Counts what a target asks for, of any mixture of some sources.

    A mixture's rows of a source are the first ones in an order that is the same for all mixtures; where its share is
    more than there is, they are counted again.

    Args:
        asked: what will be predicted.
        sources: K, tokens of each.
        vocab_size: V.
        no_text: (V,) tokens that are no text: what has one of them does not count.
    """

    def __init__(self, asked: Asked, sources: Sequence[Tokens], vocab_size: int, no_text: Bools) -> None:
        self._asked, self._sources, self._size, self._no_text = asked, sources, vocab_size, no_text
        wanted = self._keys(asked)
        self._wanted, self._places = zip(*(np.unique(one, return_inverse=True) for one in wanted), strict=True)

    def model(self, weights: Floats, tokens: int) -> "Model":
        """The counts of a mixture.

        Args:
            weights: (K,) its shares, summing to 1.
            tokens: that it reads in all.
        """
        counts = [np.zeros(len(wanted)) for wanted in self._wanted]
        first, second = np.zeros((2, self._size))
        for source, weight in zip(self._sources, weights.tolist(), strict=True):
            for rows, times in _read(source, weight * tokens):
                read = Asked.of(rows, self._no_text)
                first += times * np.bincount(read.first, minlength=self._size)
                second += times * np.bincount(read.second, minlength=self._size)
                for number, (wanted, keys) in enumerate(zip(self._wanted, self._keys(read), strict=True)):
                    ordered = np.sort(keys)
                    ends = (np.searchsorted(ordered, wanted, side) for side in ("right", "left"))
                    counts[number] += times * np.subtract(*ends)
        pairs, contexts, triples = (count[places] for count, places in zip(counts, self._places, strict=True))
        unigram = (second + 1) / (second.sum() + self._size)
        asked = self._asked
        triple, context = np.where(asked.long, triples, 0), np.where(asked.long, contexts, 0)
        return Model(unigram[asked.second], pairs, first[asked.first], triple, context)

    def _keys(self, of: Asked) -> tuple[Ints, Ints, Ints]:
        """Numbers of pairs, of two tokens before a third, and of triples; only tokens with both before have the latter.

        Of what is asked for all tokens have them, so that places are the same for all three.
        """
        long = np.ones(len(of.long), np.bool_) if of is self._asked else of.long
        contexts = (of.before * self._size + of.first)[long]
        return of.first * self._size + of.second, contexts, contexts * self._size + of.second[long]


@dataclass(frozen=True)
class Model:
    """An interpolated trigram model, as far as a target asks.

    A triple is backed off to its pair, and this to the token alone, with pseudo-counts; a token alone has one count
    more than it was seen.

    Source:
        MacKay and Peto 1995, "A hierarchical Dirichlet language model", equation 15, one context longer.

    Attributes:
        unigram: (n,) frequency of the token.
        pair: (n,) how often it was seen after the one before.
        first: (n,) how often that was seen.
        triple: (n,) how often it was seen after the two before; 0 where there are no two.
        context: (n,) how often these were seen; 0 likewise.
    """

    unigram: Floats
    pair: Floats
    first: Floats
    triple: Floats
    context: Floats

    def fitted(self, where: Bools) -> tuple[float, float]:
        """The back-offs of pairs and of triples, of BACKOFFS, under which some of the tokens are likeliest."""
        some = Model(self.unigram[where], self.pair[where], self.first[where], self.triple[where], self.context[where])
        return min((some.loss((two, three)).mean(), (two, three)) for two in BACKOFFS for three in BACKOFFS)[1]

    def loss(self, backoffs: tuple[float, float]) -> Floats:
        """(n,) nats, with the back-offs of pairs and of triples."""
        two, three = backoffs
        shorter = (self.pair + two * self.unigram) / (self.first + two)
        lost: Floats = -np.log((self.triple + three * shorter) / (self.context + three))
        return lost


def _read(source: Tokens, tokens: float) -> Iterator[tuple[Ints, int]]:
    """Rows of a source that are so many tokens, and how often each was read; what is short of a row is left out."""
    if len(source) < BLOCK:
        rows = np.asarray(source).astype(np.int64)[None]
        yield rows, round(tokens / max(1, len(source)))
        return
    blocks = len(source) // BLOCK
    times, rest = divmod(round(tokens / BLOCK), blocks)
    order = window_of(key(0, "predicted gain"), np.arange(blocks if times else rest), blocks)
    whole = np.asarray(source)[: blocks * BLOCK].reshape(blocks, BLOCK)
    for numbers, count in ((order, times), (order[:rest], 1)):
        if count and len(numbers):
            yield whole[numbers].astype(np.int64), count
