"""Say something of each word that its sentence tells: whether it is capitalised, whether it comes again.

Shape letters: R rows, T tokens of a row.
"""

import numpy as np

from curriculum_rl.errors import ConfigError
from curriculum_rl.objectives.base import Bools, Keys, Rows, Tokens
from curriculum_rl.objectives.layout import labelled_tokens, require_context, reserve
from curriculum_rl.objectives.masking import maskable
from curriculum_rl.text.tokenizers import Tokenizer


class Capitalisation:
    """Say of each word of a lower-cased text whether it was capitalised (class 1), read at its first token.

    Every token with capital letters is replaced by the token of its text in lower case; where the vocabulary has none,
    by the mask, and its word is not scored. A row without any other word scores these, and one without words all its
    tokens.

    Args:
        tokenizer: names the special ids and knows what a token looks like; needs 2 label tokens and a marker.

    Raises:
        ConfigError: The tokenizer has too few label tokens, or no capitalised ones (it lower-cases all text).

    Source: Sun et al. 2020 (ERNIE 2.0, arXiv:1907.12412), word-aware tasks.
    """

    name = "capitalisation"
    causal = False
    labelled = False

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self._reserved = reserve(tokenizer, self.name, 2)
        tables = tokenizer.tables
        if not (tables.capitalised & (tables.lower >= 0)).any():
            raise ConfigError("tokenizer: capitalisation needs capital letters, this vocabulary has none")
        self._lowered = np.where(tables.lower < 0, tokenizer.mask_id, tables.lower)

    def __call__(self, windows: Tokens, keys: Keys) -> Rows:
        """Scored is the first token of each word; no randomness."""
        tokens, tables = windows[:, :-2], self.tokenizer.tables
        words = tables.is_word[tokens] & tables.word_starts(tokens)
        text = self._lowered[tokens]
        shown = words & (text != self.tokenizer.mask_id)
        scored = np.where(shown.any(axis=1, keepdims=True), shown, words)
        return labelled_tokens(self.tokenizer, self._reserved, text, tables.capitalised[tokens], scored)


class TokenDocumentRelation:
    """Say of each token of the window's first part whether it occurs again in the rest, which is not shown (class 1).

    The rest ends with the document. Tokens of documents that end in the first part are not scored; where the first part
    ends with its document, all are, against the window's rest.

    Args:
        tokenizer: names the special ids; needs 2 label tokens and a marker.
        shown: share of the window that is shown, in (0, 1); padding fills the row.

    Raises:
        ConfigError: The tokenizer has too few label tokens; in a call, the context is below 3.

    Source: Sun et al. 2020 (ERNIE 2.0, arXiv:1907.12412), word-aware tasks; the window stands for the document.
    """

    name = "token_document_relation"
    causal = False
    labelled = False

    def __init__(self, tokenizer: Tokenizer, *, shown: float) -> None:
        self.tokenizer = tokenizer
        self.shown = shown
        self._reserved = reserve(tokenizer, self.name, 2)

    def __call__(self, windows: Tokens, keys: Keys) -> Rows:
        """Scored is every shown token whose document goes on; no randomness."""
        R, T = len(windows), windows.shape[1] - 1
        require_context(self.name, T, 3)
        shown = min(max(round(self.shown * T), 1), T - 1)
        first, rest = windows[:, :shown], windows[:, shown:]
        over = first == self.tokenizer.eos_id
        open_ended = ~np.maximum.accumulate(over[:, ::-1], axis=1)[:, ::-1]
        none = over[:, -1:]
        gone = np.maximum.accumulate(rest == self.tokenizer.eos_id, axis=1) & ~none
        again = _in_row(first, np.where(gone, self.tokenizer.vocab_size, rest), self.tokenizer.vocab_size + 1)
        text = np.full((R, T - 1), self.tokenizer.pad_id)
        classes, scored = np.zeros(text.shape, dtype=bool), np.zeros(text.shape, dtype=bool)
        text[:, :shown] = first
        classes[:, :shown] = again
        scored[:, :shown] = (open_ended | none) & maskable(first, self.tokenizer)
        return labelled_tokens(self.tokenizer, self._reserved, text, classes, scored)


def _in_row(tokens: Tokens, others: Tokens, size: int) -> Bools:
    """(R, A) bool, whether each of (R, A) tokens is among the (R, B) others of its row; all are below `size`."""
    # Rows of sorted numbers, each shifted above the last, are one sorted array: one search serves all rows.
    shift = np.arange(len(tokens))[:, None] * size
    known = (np.sort(others, axis=1) + shift).ravel()
    asked = tokens + shift
    place = np.minimum(np.searchsorted(known, asked), len(known) - 1)
    found: Bools = known[place] == asked
    return found
