"""Predict what comes next, everywhere or after a prefix."""

from dataclasses import dataclass

import numpy as np

from curriculum_rl.draws import uniforms
from curriculum_rl.objectives.base import Keys, Rows, Tokens
from curriculum_rl.text.tokenizers import Tokenizer


@dataclass(frozen=True)
class CausalLM:
    """Predict the next token at every position."""

    tokenizer: Tokenizer
    name: str = "causal_lm"
    causal: bool = True
    labelled: bool = False

    def __call__(self, windows: Tokens, keys: Keys) -> Rows:
        """Inputs are the first T tokens, targets the last T; padding is not scored."""
        targets = windows[:, 1:]
        return Rows(windows[:, :-1], targets, (targets != self.tokenizer.pad_id).astype(np.float32))


@dataclass(frozen=True)
class PrefixLM:
    """Predict the next token after a prefix of random length, which is given and not scored.

    The whole row is read left to right, the prefix too: a `Batch` knows no prefix that is read in both directions.
    What is left of the published objective is which tokens are asked for.

    Args:
        tokenizer: names the special ids.
        shortest: least share of the row that is prefix, in [0, 1).
        longest: largest share, above `shortest`, at most 1; the share is uniform in between.

    Source: Raffel et al. 2020 (T5, arXiv:1910.10683), sections 3.2.1 and 3.3.1: a split at a uniform random point.
    """

    tokenizer: Tokenizer
    shortest: float
    longest: float
    name: str = "prefix_lm"
    causal: bool = True
    labelled: bool = False

    def __call__(self, windows: Tokens, keys: Keys) -> Rows:
        """As `CausalLM`, scored from the last token of the prefix on; at least that one token is prefix."""
        targets = windows[:, 1:]
        T = targets.shape[1]
        share = self.shortest + uniforms(keys, 1) * (self.longest - self.shortest)
        # The sum may round up to 1, and a row must score something.
        last = np.minimum((share * T).astype(np.int64), T - 1)
        scored = (np.arange(T) >= last) & (targets != self.tokenizer.pad_id)
        return Rows(windows[:, :-1], targets, scored.astype(np.float32))
