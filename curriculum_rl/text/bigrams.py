"""A bigram model by counting: what follows what in many windows of tokens, and how well that predicts a text.

Shape letters: V vocabulary, P pairs that are asked for, R windows, T tokens of a window that are predicted.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

BACKOFF = 2.0
"""Pseudo-count of the unigram in every bigram row, where nothing chooses another."""
SCORED = 200_000
"""Tokens of a text that are read, at most: its first."""


class Texts:
    """What is to be predicted, and the pairs of neighbours in it: only these need be counted.

    Args:
        texts: at least two tokens each, by name.
        vocab_size: V.
    """

    def __init__(self, texts: Mapping[str, npt.NDArray[np.integer]], vocab_size: int) -> None:
        self.vocab_size = vocab_size
        self.tokens = {name: np.asarray(text[:SCORED]).astype(np.int64) for name, text in texts.items()}
        numbers = {name: self.numbers(text) for name, text in self.tokens.items()}
        self.pairs = np.unique(np.concatenate(list(numbers.values())))
        self.places = {name: np.searchsorted(self.pairs, asked) for name, asked in numbers.items()}

    def numbers(self, tokens: Ints) -> npt.NDArray[np.uint32] | Ints:
        """(..., T) the number of each pair of neighbours, in 32 bits where they fit: these sort ten times faster."""
        pairs = tokens[..., :-1] * self.vocab_size + tokens[..., 1:]
        return pairs.astype(np.uint32) if self.vocab_size <= 1 << 16 else pairs


class Bigrams:
    """Counts of tokens, and of those pairs that some texts ask for: memory does not grow with what is read.

    Args:
        texts: what will be predicted.
        ignored: tokens that are no text (padding, labels): a pair with one of them is not counted.
    """

    def __init__(self, texts: Texts, ignored: Sequence[int] = ()) -> None:
        self._texts = texts
        self._seen = np.zeros(len(texts.pairs), np.int64)
        self._first, self._second = np.zeros((2, texts.vocab_size), np.int64)
        self._ignored = np.zeros(texts.vocab_size, np.bool_)
        self._ignored[list(ignored)] = True

    def add(self, windows: Ints, times: int = 1) -> None:
        """Count every pair of neighbours.

        Args:
            windows: (R, T + 1).
            times: how often each window was read.
        """
        first, second = windows[:, :-1].ravel(), windows[:, 1:].ravel()
        text = ~(self._ignored[first] | self._ignored[second])
        self._first += times * np.bincount(first[text], minlength=len(self._first))
        self._second += times * np.bincount(second[text], minlength=len(self._second))
        read, asked = np.sort(self._texts.numbers(windows).ravel()[text]), self._texts.pairs
        self._seen += times * (np.searchsorted(read, asked, "right") - np.searchsorted(read, asked))

    def loss(self, name: str, *, backoff: float = BACKOFF) -> float:
        """Nats per token of a text, each predicted from the one before, with the unigram as `backoff` pseudo-counts.

        Source: MacKay and Peto 1995, "A hierarchical Dirichlet language model", equation 15 (the posterior mean).
        """
        text = self._texts.tokens[name]
        seen, context = self._seen[self._texts.places[name]], self._first[text[:-1]]
        return float(-np.log((seen + backoff * self._unigram[text[1:]]) / (context + backoff)).mean())

    def unigram_loss(self, name: str) -> float:
        """Nats per token of the same tokens, each predicted from nothing."""
        return float(-np.log(self._unigram[self._texts.tokens[name][1:]]).mean())

    @property
    def _unigram(self) -> Floats:
        """(V,) frequencies of the tokens that follow another, one added to every count."""
        counts = self._second + 1.0
        return np.asarray(counts / counts.sum())
