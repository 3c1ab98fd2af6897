"""Labelled examples."""

from dataclasses import dataclass

import numpy as np

from curriculum_rl.objectives.base import Keys, Rows, Tokens
from curriculum_rl.tokenizers import Tokenizer


@dataclass(frozen=True)
class Classification:
    """Predict a labelled example's class as a reserved label token (its verbaliser), read at one position.

    Windows come from a labelled corpus: text, the class token, the label token, padding.

    Args:
        tokenizer: names the special ids.
        causal: read left to right and predict the label after the class token; otherwise the class token is replaced
            by the mask and the label is predicted there.
    """

    tokenizer: Tokenizer
    causal: bool = True
    name: str = "classification"
    labelled: bool = True

    def __call__(self, windows: Tokens, keys: Keys) -> Rows:
        """Only the position of the class token is scored."""
        inputs, targets = windows[:, :-1], windows[:, 1:]
        at_class = inputs == self.tokenizer.cls_id
        if not self.causal:
            label = np.roll(at_class, 1, axis=1)
            label[:, 0] = False
            inputs = np.where(at_class, self.tokenizer.mask_id, np.where(label, self.tokenizer.pad_id, inputs))
        return Rows(inputs, targets, at_class.astype(np.float32))
