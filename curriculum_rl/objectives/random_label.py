"""A question without an answer: the deliberately useless task of a pool. Shapes: R rows, T tokens of a row."""

import numpy as np

from curriculum_rl.draws import uniforms
from curriculum_rl.objectives.base import Keys, Rows, Tokens
from curriculum_rl.objectives.layout import Segments, labelled_segments, require_context, reserve, room
from curriculum_rl.text.tokenizers import Tokenizer


class RandomLabel:
    """Say which of two labels a coin gave the text: no learner ends below ln 2 nats, and none learns about text.

    The row is the window's text as one segment. What it costs a scheduler is what its share of the budget would have
    bought elsewhere.

    Args:
        tokenizer: names the special ids; needs 2 label tokens and a marker.
        causal: whether the rows are read left to right.

    Raises:
        ConfigError: The tokenizer has too few label tokens; in a call, the context is below 4.
    """

    name = "random_label"
    classes = 2
    labelled = False

    def __init__(self, tokenizer: Tokenizer, *, causal: bool = True) -> None:
        self.tokenizer = tokenizer
        self.causal = causal
        self._reserved = reserve(tokenizer, self.name, self.classes)

    def __call__(self, windows: Tokens, keys: Keys) -> Rows:
        """Scored is the label alone."""
        context = windows.shape[1] - 1
        require_context(self.name, context, 4)
        text = windows[:, : room(context, 1)]
        starts = np.zeros((len(text), 1), dtype=np.int64)
        classes = (uniforms(keys, 1)[:, 0] * self.classes).astype(np.int64)
        segments = Segments(text, starts, starts + text.shape[1])
        return labelled_segments(self.tokenizer, self._reserved, segments, classes, context=context, causal=self.causal)
