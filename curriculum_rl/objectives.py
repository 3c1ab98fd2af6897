"""What is asked of a window of tokens; every objective is token prediction.

An objective turns windows of T + 1 tokens into rows of T inputs, targets and weights. To add one, write a class with
the attributes and the call of `Objective` and name it `module:Class` in an environment file.
"""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from curriculum_rl.draws import uniforms
from curriculum_rl.tokenizers import Tokenizer

Tokens = npt.NDArray[np.int64]


class Rows(NamedTuple):
    """Rows of one objective, each array (R, T): inputs, targets (int64) and weights (float32, 1 = scored)."""

    input_ids: Tokens
    targets: Tokens
    weights: npt.NDArray[np.float32]


class Objective(Protocol):
    """How a window becomes a prediction problem."""

    @property
    def name(self) -> str:
        """Used in the task's name."""
        ...

    @property
    def causal(self) -> bool:
        """Whether its rows are read left to right; False: in both directions."""
        ...

    @property
    def labelled(self) -> bool:
        """Whether it needs a labelled corpus."""
        ...

    def __call__(self, windows: Tokens, keys: npt.NDArray[np.uint64]) -> Rows:
        """Make the rows of some windows.

        Args:
            windows: (R, T + 1) tokens.
            keys: (R,) one key per window, from which all of its randomness derives.

        Returns:
            Rows of shape (R, T).
        """
        ...


@dataclass(frozen=True)
class CausalLM:
    """Predict the next token at every position."""

    tokenizer: Tokenizer
    name: str = "causal_lm"
    causal: bool = True
    labelled: bool = False

    def __call__(self, windows: Tokens, keys: npt.NDArray[np.uint64]) -> Rows:
        """Inputs are the first T tokens, targets the last T; padding is not scored."""
        targets = windows[:, 1:]
        return Rows(windows[:, :-1], targets, (targets != self.tokenizer.pad_id).astype(np.float32))


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
    rate: float = 0.15
    name: str = "masked_lm"
    causal: bool = False
    labelled: bool = False

    def __call__(self, windows: Tokens, keys: npt.NDArray[np.uint64]) -> Rows:
        """Inputs are corrupted copies of the first T tokens, targets the tokens themselves."""
        tokens = windows[:, :-1]
        lottery = uniforms(keys, tokens.shape[1], stream=0)
        lottery[(tokens == self.tokenizer.pad_id) | (tokens == self.tokenizer.eos_id)] = 1.0
        chosen = lottery < self.rate
        # A row without a chosen token would teach nothing and still count as a row.
        chosen[np.arange(len(tokens)), lottery.argmin(axis=1)] = True
        kind = uniforms(keys, tokens.shape[1], stream=1)
        ordinary = self.tokenizer.ordinary_ids
        replacement = ordinary[(uniforms(keys, tokens.shape[1], stream=2) * len(ordinary)).astype(np.int64)]
        inputs = np.where(chosen & (kind < 0.8), self.tokenizer.mask_id, tokens)
        inputs = np.where(chosen & (kind >= 0.8) & (kind < 0.9), replacement, inputs)
        return Rows(inputs, tokens, chosen.astype(np.float32))


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

    def __call__(self, windows: Tokens, keys: npt.NDArray[np.uint64]) -> Rows:
        """Only the position of the class token is scored."""
        inputs, targets = windows[:, :-1], windows[:, 1:]
        at_class = inputs == self.tokenizer.cls_id
        if not self.causal:
            label = np.roll(at_class, 1, axis=1)
            label[:, 0] = False
            inputs = np.where(at_class, self.tokenizer.mask_id, np.where(label, self.tokenizer.pad_id, inputs))
        return Rows(inputs, targets, at_class.astype(np.float32))
