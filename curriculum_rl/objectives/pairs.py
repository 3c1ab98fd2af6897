"""Say how two segments belong together: the partner of a row may come from another document.

Shape letters: R rows, T tokens of a row, L tokens of a window that have room in a row.
"""

import numpy as np

from curriculum_rl.draws import uniforms
from curriculum_rl.objectives.base import Keys, Rows, Text, Tokens
from curriculum_rl.objectives.layout import Segments, labelled_segments, require_context, reserve, room
from curriculum_rl.objectives.reading import another_document
from curriculum_rl.objectives.sentences import cut, latest_start, longest_document
from curriculum_rl.text.tokenizers import Tokenizer


class _Pair:
    """A first segment, and a second one that one of several rules chooses: the rule is the row's class.

    All classes are equally likely and have second segments of the same length, so that length tells nothing: three
    quarters of what every class could give, so that none ends with its sentence more often than another. Only where the
    other document is shorter than that, the segment from there is shorter too.
    """

    name: str
    classes: int
    pieces: int  # how many segments the window's own text is cut into
    labelled = False

    def __init__(self, tokenizer: Tokenizer, *, causal: bool = True) -> None:
        self.tokenizer = tokenizer
        self.causal = causal
        self._reserved = reserve(tokenizer, self.name, self.classes)

    def read(self, corpus: Text, index: Tokens, *, context: int, keys: Keys) -> Tokens:
        """(2, R, T + 1): the windows, and for each a window of another document."""
        other = another_document(corpus, self.tokenizer.eos_id, index, context=context, keys=keys)
        return np.stack([corpus.windows(index, context), corpus.windows(other, context)])

    def __call__(self, windows: Tokens, keys: Keys) -> Rows:
        """Scored is the label alone, after the second segment; windows (2, R, T + 1) as `read` returns them."""
        context = windows.shape[2] - 1
        require_context(self.name, context, 3 + self.pieces)
        L = room(context, 2)
        own, other = windows[0, :, :L], windows[1, :, :L]
        bounds, whole = cut(own, self.tokenizer, self.pieces)
        lengths = np.diff(bounds, axis=1)
        wanted = np.maximum(lengths[:, 1:].min(axis=1) * 3 // 4, 1)
        piece = longest_document(other, self.tokenizer, 1)
        given = np.minimum(wanted, piece.length)
        foreign = latest_start(other, self.tokenizer, piece, given, whole)
        classes = (uniforms(keys, 1)[:, 0] * self.classes).astype(np.int64)
        rows = np.arange(len(own))
        choices = np.concatenate([bounds[:, 1:-1], foreign[:, None] + L], axis=1)
        second = np.where(classes == self.classes - 1, given, wanted)
        segments = Segments(
            np.concatenate([own, other], axis=1),
            np.stack([bounds[:, 0], choices[rows, classes]], axis=1),
            np.stack([lengths[:, 0], second], axis=1),
        )
        return labelled_segments(self.tokenizer, self._reserved, segments, classes, context=context, causal=self.causal)


class NextSentence(_Pair):
    """Say whether the second segment follows the first (class 0) or comes from another document (class 1).

    The longest piece of one document in the window is cut into two after a sentence, see `sentences.cut`.

    Args:
        tokenizer: names the special ids; needs 2 label tokens and a marker.
        causal: whether the rows are read left to right.

    Raises:
        ConfigError: The tokenizer has too few label tokens; in a call, the context is below 5.

    Source: Devlin et al. 2019 (BERT), section 3.1, task 2.
    """

    name = "next_sentence"
    classes = 2
    pieces = 2


class SentenceDistance(_Pair):
    """Say whether two segments are adjacent (class 0), of one document (1), or of different documents (2).

    The longest piece of one document in the window is cut into three after sentences, see `sentences.cut`: the first
    and the second are adjacent, the first and the third of one document, and the other document's takes their place in
    class 2.

    Args:
        tokenizer: names the special ids; needs 3 label tokens and a marker.
        causal: whether the rows are read left to right.

    Raises:
        ConfigError: The tokenizer has too few label tokens; in a call, the context is below 6.

    Source: Sun et al. 2020 (ERNIE 2.0, arXiv:1907.12412), structure-aware tasks.
    """

    name = "sentence_distance"
    classes = 3
    pieces = 3
