"""Put the segments of a window back into their order.

Shape letters: R rows, T tokens of a row, S segments.
"""

from itertools import permutations

import numpy as np

from curriculum_rl.draws import uniforms
from curriculum_rl.objectives.base import Keys, Rows, Tokens
from curriculum_rl.objectives.layout import Segments, labelled_segments, require_context, reserve, room
from curriculum_rl.objectives.sentences import cut
from curriculum_rl.text.tokenizers import Tokenizer


class _Permuted:
    """S consecutive segments in a random order, all S! of which are equally likely; the order is the row's class."""

    name: str
    segments: int
    labelled = False

    def __init__(self, tokenizer: Tokenizer, *, causal: bool = True) -> None:
        self.tokenizer = tokenizer
        self.causal = causal
        self._orders = np.array(list(permutations(range(self.segments))))
        self._reserved = reserve(tokenizer, self.name, len(self._orders))

    def __call__(self, windows: Tokens, keys: Keys) -> Rows:
        """Scored is the label alone, after the last segment."""
        S, context = self.segments, windows.shape[1] - 1
        require_context(self.name, context, 2 * S + 1)
        text = windows[:, : room(context, S)]
        bounds = cut(text, self.tokenizer, S).bounds
        classes = (uniforms(keys, 1)[:, 0] * len(self._orders)).astype(np.int64)
        order = self._orders[classes]
        starts = np.take_along_axis(bounds[:, :-1], order, axis=1)
        lengths = np.take_along_axis(np.diff(bounds, axis=1), order, axis=1)
        segments = Segments(text, starts, lengths)
        return labelled_segments(self.tokenizer, self._reserved, segments, classes, context=context, causal=self.causal)


class SentenceReordering(_Permuted):
    """Say in which order three consecutive segments of a document stand.

    The longest piece of one document in the window is cut into three after sentences, see `sentences.cut`. The 6
    classes are the permutations in lexicographic order: class 0 is the true order, in class 1 the last two are swapped.

    Args:
        tokenizer: names the special ids; needs 6 label tokens and a marker.
        causal: whether the rows are read left to right.

    Raises:
        ConfigError: The tokenizer has too few label tokens; in a call, the context is below 7.

    Source: Sun et al. 2020 (ERNIE 2.0, arXiv:1907.12412), structure-aware tasks, with exactly three segments.
    """

    name = "sentence_reordering"
    segments = 3


class SentenceOrder(_Permuted):
    """Say whether two consecutive segments of a document stand in their order (class 0) or are swapped (class 1).

    The longest piece of one document in the window is cut into two after a sentence, see `sentences.cut`.

    Args:
        tokenizer: names the special ids; needs 2 label tokens and a marker.
        causal: whether the rows are read left to right.

    Raises:
        ConfigError: The tokenizer has too few label tokens; in a call, the context is below 5.

    Source: Lan et al. 2020 (ALBERT, arXiv:1909.11942), section 3.1.
    """

    name = "sentence_order"
    segments = 2
