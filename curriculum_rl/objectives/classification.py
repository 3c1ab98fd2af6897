"""Labelled examples."""

from dataclasses import dataclass

import numpy as np

from curriculum_rl.objectives.base import Bools, Keys, Rows, Tokens
from curriculum_rl.objectives.layout import moved_labels
from curriculum_rl.text.tokenizers import Tokenizer


@dataclass(frozen=True)
class Classification:
    """Predict a labelled example's class as a reserved label token (its verbaliser), read at one position.

    Windows come from a labelled corpus: text, the class token, the label token, padding.

    Args:
        tokenizer: names the special ids.
        causal: read left to right and predict the label after the class token; otherwise the class token is replaced
            by the mask and the label is predicted there.
        first: number of the label token that stands for the first class. Objectives share the first label tokens; a
            target that begins behind them is asked for tokens that no task has trained: a fresh head.

    Raises:
        ConfigError: In a call, the tokenizer has too few label tokens.
    """

    tokenizer: Tokenizer
    causal: bool = True
    name: str = "classification"
    labelled: bool = True
    first: int = 0

    def __call__(self, windows: Tokens, keys: Keys) -> Rows:
        """Only the position of the class token is scored."""
        at_class = windows[:, :-1] == self.tokenizer.cls_id
        if self.first:
            windows = self._moved(windows, at_class)
        inputs, targets = windows[:, :-1], windows[:, 1:]
        if not self.causal:
            label = np.roll(at_class, 1, axis=1)
            label[:, 0] = False
            inputs = np.where(at_class, self.tokenizer.mask_id, np.where(label, self.tokenizer.pad_id, inputs))
        return Rows(inputs, targets, at_class.astype(np.float32))

    def _moved(self, windows: Tokens, at_class: Bools) -> Tokens:
        """Windows with the label tokens that stand after the class token replaced by those `first` places on."""
        out = windows.copy()
        out[:, 1:][at_class] = moved_labels(self.tokenizer, windows[:, 1:][at_class], self.first)
        return out
