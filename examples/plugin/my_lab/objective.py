"""An objective: what is asked of a window of tokens."""

from dataclasses import dataclass

import numpy as np

from curriculum_rl.objectives.base import Keys, Rows, Tokens
from curriculum_rl.text.tokenizers import Tokenizer


@dataclass(frozen=True)
class Backwards:
    """Predict the token before, reading from right to left.

    Attributes:
        tokenizer: given by the environment; other fields would be keys of the section.
        name: stands in the task's name.
        causal: rows are read in one direction (False: in both).
        labelled: it needs no labels.
    """

    tokenizer: Tokenizer
    name: str = "backwards"
    causal: bool = True
    labelled: bool = False

    def __call__(self, windows: Tokens, keys: Keys) -> Rows:
        """(R, T + 1) windows -> (R, T) rows; whatever is drawn at random must follow from the (R,) keys alone."""
        turned = np.flip(windows, axis=1).copy()
        targets = turned[:, 1:]
        return Rows(turned[:, :-1], targets, (targets != self.tokenizer.pad_id).astype(np.float32))
