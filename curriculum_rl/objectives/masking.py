"""Predict hidden tokens from both sides: single tokens, whole words, spans of words.

Shape letters: R rows, T tokens of a row.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from curriculum_rl.draws import uniforms
from curriculum_rl.objectives.base import Bools, Keys, Rows, Tokens
from curriculum_rl.text.tokenizers import Tokenizer

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class MaskedLM:
    """Predict a random part of the tokens from both sides.

    Of the chosen tokens 80 % are replaced by the mask, 10 % by a random token, 10 % stay.

    Args:
        tokenizer: names the special ids.
        rate: share of the tokens that are chosen and scored, in (0, 1).

    Source: Devlin et al. 2019 (BERT), section 3.1, task 1.
    """

    tokenizer: Tokenizer
    rate: float
    name: str = "masked_lm"
    causal: bool = False
    labelled: bool = False

    def __call__(self, windows: Tokens, keys: Keys) -> Rows:
        """Inputs are corrupted copies of the first T tokens, targets the tokens themselves."""
        tokens = windows[:, :-1]
        lottery = uniforms(keys, tokens.shape[1], stream=0)
        lottery[~maskable(tokens, self.tokenizer)] = 1.0
        chosen = lottery < self.rate
        # A row without a chosen token would teach nothing and still count as a row.
        chosen[np.arange(len(tokens)), lottery.argmin(axis=1)] = True
        return hidden(tokens, chosen, uniforms(keys, tokens.shape[1], stream=1), keys, self.tokenizer)


@dataclass(frozen=True)
class WholeWordMasking:
    """Masked LM that chooses words: all tokens of a chosen word are asked for.

    Words are told apart by the text of their tokens; a punctuation mark is a word. A window's first token starts one.

    Args:
        tokenizer: names the special ids and knows what a token looks like.
        rate: share of the words that are chosen, in (0, 1); each token is then hidden as in `MaskedLM`.

    Source: the whole-word-masking models of github.com/google-research/bert (README, 31 May 2019).
    """

    tokenizer: Tokenizer
    rate: float
    name: str = "whole_word_masking"
    causal: bool = False
    labelled: bool = False

    def __call__(self, windows: Tokens, keys: Keys) -> Rows:
        """Inputs are corrupted copies of the first T tokens, targets the tokens themselves."""
        tokens = windows[:, :-1]
        allowed = maskable(tokens, self.tokenizer)
        word = _word_numbers(tokens, allowed, self.tokenizer)
        lottery = np.take_along_axis(uniforms(keys, tokens.shape[1], stream=0), word, axis=1)
        lottery[~allowed] = 1.0
        # The tokens of a word share a number, so at least one whole word is chosen.
        chosen = lottery <= np.maximum(np.float32(self.rate), lottery.min(axis=1, keepdims=True))
        kind = uniforms(keys, tokens.shape[1], stream=1)
        return hidden(tokens, chosen, kind, keys, self.tokenizer)


@dataclass(frozen=True)
class SpanMasking:
    """Masked LM that chooses spans of whole words with truncated geometric lengths.

    Every word starts a span with the same probability, which is set so that `rate` of the words are covered; at least
    one starts in every row, and spans that overlap make a longer one. A span is hidden as a whole: 80 % mask, 10 %
    random tokens, 10 % as it is; an end of document inside stays as it is. The published span boundary objective, a
    second head, is left out.

    Args:
        tokenizer: names the special ids and knows what a token looks like.
        rate: share of the words that are covered, in (0, 1).
        stop: p of the geometric distribution, in (0, 1).
        longest: words of the longest span, at least 1; lengths above it are not drawn (mean 3.8 at .2 and 10).

    Source: Joshi et al. 2020 (SpanBERT, arXiv:1907.10529), section 3.1; the independent starts are our own, they need
        no loop.
    """

    tokenizer: Tokenizer
    rate: float
    stop: float
    longest: int
    name: str = "span_masking"
    causal: bool = False
    labelled: bool = False

    @cached_property
    def start(self) -> float:
        """Probability q that a word starts a span: the product over l of 1 - q P(length >= l) is 1 - rate."""
        survival = (1 - self.stop) ** np.arange(self.longest) - (1 - self.stop) ** self.longest
        survival /= survival[0]
        low, high = 0.0, 1.0
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if np.prod(1 - middle * survival) > 1 - self.rate else (low, middle)
        return low

    def __call__(self, windows: Tokens, keys: Keys) -> Rows:
        """Inputs are corrupted copies of the first T tokens, targets the tokens themselves."""
        tokens = windows[:, :-1]
        allowed = maskable(tokens, self.tokenizer)
        word = _word_numbers(tokens, allowed, self.tokenizer)
        before = self.longest - 1
        lottery = uniforms(keys, word.shape[1] + before, stream=0)
        drawn = np.where(allowed, np.take_along_axis(lottery[:, before:], word, axis=1), np.float32(1.0))
        # A row without a span would teach nothing and still count as a row.
        starts = lottery <= np.maximum(np.float32(self.start), drawn.min(axis=1, keepdims=True))
        in_span, kinds = self._spans(keys, starts)
        chosen = np.take_along_axis(in_span[:, before:], word, axis=1)
        chosen &= allowed | ~allowed.any(axis=1, keepdims=True)
        return hidden(tokens, chosen, np.take_along_axis(kinds[:, before:], word, axis=1), keys, self.tokenizer)

    def _spans(self, keys: Keys, starts: Bools) -> tuple[Bools, Floats]:
        """For each of (R, W) words whether a span covers it, and the kind of its span in [0, 1).

        The first `longest` - 1 words stand before the window, so that spans reach into it and its first words are
        covered like the rest.
        """
        words = starts.shape[1]
        place = np.arange(words)
        tail = (1 - self.stop) ** self.longest
        number = uniforms(keys, words, stream=3)
        length = 1 + np.floor(np.log1p(-number * (1 - tail)) / np.log(1 - self.stop))
        reach = np.maximum.accumulate(np.where(starts, place + np.minimum(length, self.longest), 0.0), axis=1)
        latest = np.maximum.accumulate(np.where(starts, place, 0), axis=1)
        in_span: Bools = reach > place
        return in_span, np.take_along_axis(uniforms(keys, words, stream=1), latest, axis=1)


def maskable(tokens: Tokens, tokenizer: Tokenizer) -> Bools:
    """Tokens that may be asked for: neither padding nor the end of a document."""
    allowed: Bools = (tokens != tokenizer.pad_id) & (tokens != tokenizer.eos_id)
    return allowed


def hidden(tokens: Tokens, chosen: Bools, kind: Floats, keys: Keys, tokenizer: Tokenizer) -> Rows:
    """Rows that ask for the chosen tokens.

    Args:
        tokens: (R, T) the text.
        chosen: (R, T) which tokens are asked for.
        kind: (R, T) in [0, 1): below .8 a chosen token is masked, below .9 a random one, else as it is.
        keys: (R,) the rows' keys; stream 2 gives the random tokens.
        tokenizer: names the mask and the tokens that text can have.
    """
    inputs = np.where(chosen & (kind < 0.8), tokenizer.mask_id, tokens)
    rows, columns = np.nonzero(chosen & (kind >= 0.8) & (kind < 0.9))
    ordinary = tokenizer.ordinary_ids
    random = uniforms(keys, tokens.shape[1], stream=2)[rows, columns]
    inputs[rows, columns] = ordinary[(random * len(ordinary)).astype(np.int64)]
    return Rows(inputs, tokens, chosen.astype(np.float32))


def _word_numbers(tokens: Tokens, allowed: Bools, tokenizer: Tokenizer) -> Tokens:
    """(R, T) the number of each token's word, from 0; what is not allowed stands between words."""
    starts = tokenizer.tables.word_starts(tokens)
    starts[:, 1:] |= ~allowed[:, :-1]
    numbers: Tokens = np.cumsum(starts, axis=1) - 1
    return numbers
