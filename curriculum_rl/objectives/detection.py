"""Say of each token whether it belongs there: replaced, added, or something missing before it.

Shape letters: R rows, T tokens of a row.
"""

import numpy as np
import numpy.typing as npt

from curriculum_rl.draws import uniforms
from curriculum_rl.objectives.base import Bools, Keys, Rows, Text, Tokens
from curriculum_rl.objectives.layout import labelled_tokens, require_context, reserve
from curriculum_rl.objectives.masking import maskable
from curriculum_rl.objectives.reading import with_sample
from curriculum_rl.schema.objectives import Generator
from curriculum_rl.text.tokenizers import Tokenizer


class _Detection:
    """Class 1 where a token is not as it was, class 0 elsewhere; ends of documents are neither changed nor scored."""

    name: str
    causal = False
    labelled = False

    def __init__(self, tokenizer: Tokenizer, *, rate: float) -> None:
        self.tokenizer = tokenizer
        self.rate = rate
        self._reserved = reserve(tokenizer, self.name, 2)

    def _rows(self, text: Tokens, classes: Bools) -> Rows:
        return labelled_tokens(self.tokenizer, self._reserved, text, classes, maskable(text, self.tokenizer))


class _Noisy(_Detection):
    """A detection of strange tokens, which a generator without context makes."""

    def __init__(self, tokenizer: Tokenizer, *, rate: float, generator: Generator) -> None:
        super().__init__(tokenizer, rate=rate)
        self.generator = generator

    def read(self, corpus: Text, index: Tokens, *, context: int, keys: Keys) -> Tokens:
        """(2, R, T + 1): windows, and strange tokens for every position."""
        if self.generator == "unigram":
            return with_sample(corpus, self.tokenizer.eos_id, index, context=context, keys=keys)
        ordinary = self.tokenizer.ordinary_ids
        strange = ordinary[(uniforms(keys, context + 1, stream=1) * len(ordinary)).astype(np.int64)]
        return np.stack([corpus.windows(index, context), strange])


class ReplacedTokenDetection(_Noisy):
    """Say of each token whether it was replaced by another one (class 1).

    The published generator is a small masked language model that learns along; here it knows the frequencies alone.
    A token that is replaced by itself is class 0.

    Args:
        tokenizer: names the special ids; needs 2 label tokens and a marker.
        rate: share of the tokens that are replaced, in (0, 1); at least one is.
        generator: `unigram`, tokens drawn by their frequency in the corpus, or `uniform`.

    Raises:
        ConfigError: The tokenizer has too few label tokens.

    Source: Clark et al. 2020 (ELECTRA, arXiv:2003.10555), section 2, and the unigram generator of section 3.2.
    """

    name = "replaced_token_detection"

    def __call__(self, windows: Tokens, keys: Keys) -> Rows:
        """Scored is every token of the text; windows (2, R, T + 1) as `read` returns them."""
        text, strange = windows[:, :, :-2]
        lottery = uniforms(keys, text.shape[1])
        allowed = maskable(text, self.tokenizer)
        lottery[~allowed] = 1.0
        replaced = allowed & (lottery <= np.maximum(np.float32(self.rate), lottery.min(axis=1, keepdims=True)))
        changed = np.where(replaced, strange, text)
        return self._rows(changed, changed != text)


class AddedTokenDetection(_Noisy):
    """Say of each token whether it was added (class 1).

    Args:
        tokenizer: names the special ids; needs 2 label tokens and a marker.
        rate: share of the row's tokens that are added ones, in (0, 1), the same number in every row.
        generator: `unigram`, tokens drawn by their frequency in the corpus, or `uniform`.

    Raises:
        ConfigError: The tokenizer has too few label tokens; in a call, the context is below 3.

    Source: the objective `atd` of MOMETAS (Wu et al. 2022, arXiv:2210.10293); the details are our own.
    """

    name = "added_token_detection"

    def __call__(self, windows: Tokens, keys: Keys) -> Rows:
        """Scored is every token of the row; windows (2, R, T + 1) as `read` returns them."""
        T = windows.shape[2] - 1
        require_context(self.name, T, 3)
        added = _some(uniforms(keys, T - 1), min(max(round(self.rate * (T - 1)), 1), T - 2))
        source = np.maximum(np.cumsum(~added, axis=1) - 1, 0)
        text = np.where(added, windows[1, :, : T - 1], np.take_along_axis(windows[0], source, axis=1))
        return self._rows(text, added)


class DeletedTokenDetection(_Detection):
    """Say of each token whether tokens were deleted right before it (class 1).

    The first and the last token of the text stay, no one could tell otherwise, and the first is not scored. Deleted
    tokens are made up for by the window's following ones as far as it has them; the rest of the row is padding.

    Args:
        tokenizer: names the special ids; needs 2 label tokens and a marker.
        rate: share of the window's tokens that are deleted, in (0, 1), the same number in every row.

    Raises:
        ConfigError: The tokenizer has too few label tokens; in a call, the context is below 3.

    Source: the objective `dtd` of MOMETAS (Wu et al. 2022, arXiv:2210.10293); the details are our own.
    """

    name = "deleted_token_detection"

    def __call__(self, windows: Tokens, keys: Keys) -> Rows:
        """Scored is every token that is left but the first."""
        R, T = len(windows), windows.shape[1] - 1
        require_context(self.name, T, 3)
        count = min(max(round(self.rate * (T + 1)), 1), T - 1)
        source = windows[:, : min(T + 1, T - 1 + count)]
        allowed = maskable(source, self.tokenizer)
        allowed[:, [0, -1]] = False
        deleted = _some(np.where(allowed, uniforms(keys, source.shape[1]), np.float32(1.0)), count) & allowed
        place = np.minimum(np.cumsum(~deleted, axis=1) - 1, T - 1)
        place[deleted] = T - 1  # a column for what has no place, cut off at the end
        text, before = np.full((R, T), self.tokenizer.pad_id), np.zeros((R, T), dtype=bool)
        np.put_along_axis(text, place, source, axis=1)
        np.put_along_axis(before, place[:, 1:], deleted[:, :-1], axis=1)
        scored = maskable(text, self.tokenizer)
        scored[:, 0] = False
        return labelled_tokens(self.tokenizer, self._reserved, text[:, :-1], before[:, :-1], scored[:, :-1])


def _some(lottery: npt.NDArray[np.float32], count: int) -> Bools:
    """(R, T) bool, true at the `count` smallest numbers of each row."""
    chosen = np.zeros(lottery.shape, dtype=bool)
    np.put_along_axis(chosen, np.argpartition(lottery, count - 1, axis=1)[:, :count], True, axis=1)
    return chosen
