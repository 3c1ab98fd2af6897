"""T5's objective as one sequence: the text without some spans, then the spans.

Shape letters: R rows, T tokens of a row, L tokens of text, n of them hidden in s spans.
"""

from dataclasses import dataclass

import numpy as np

from curriculum_rl.draws import uniforms
from curriculum_rl.errors import ConfigError
from curriculum_rl.objectives.base import Bools, Keys, Rows, Tokens
from curriculum_rl.text.tokenizers import Tokenizer


@dataclass(frozen=True)
class SpanCorruption:
    """Read a text in which each hidden span is a sentinel token, then write the sentinels, each with its span.

    Both halves stand in one row that is read left to right: text, sentinels in place of spans; then sentinel, span,
    sentinel, span, ..., end of document. Only the second half is scored. A row takes as many tokens of the window as
    give T + 1 tokens in all, padding fills what is left over, so nothing is cut off. The s sentinels are the first
    label tokens.

    Args:
        tokenizer: names the special ids; needs a label token for each span.
        rate: share of the text that is hidden, in (0, 1).
        mean_length: mean length of a span in tokens, at least 1.

    Raises:
        ConfigError: in a call, if the tokenizer has too few label tokens or the context holds no span.

    Source: Raffel et al. 2020 (T5, arXiv:1910.10683), section 3.1.4; how lengths are drawn:
        `random_spans_noise_mask` of github.com/google-research/text-to-text-transfer-transformer (both the hidden and
        the kept tokens are cut into s parts at random, all ways being equally likely).
    """

    tokenizer: Tokenizer
    rate: float
    mean_length: float
    name: str = "span_corruption"
    causal: bool = True
    labelled: bool = False

    def __call__(self, windows: Tokens, keys: Keys) -> Rows:
        """Scored are the sentinels, the spans and the end of document of the second half."""
        R, T = len(windows), windows.shape[1] - 1
        length, noise, spans = self._sizes(T)
        text = windows[:, :length]
        hidden = _hidden(keys, length, noise, spans)
        starts = hidden.copy()
        starts[:, 1:] &= ~hidden[:, :-1]
        span = np.cumsum(starts, axis=1) - 1
        sentinels = np.array(self.tokenizer.label_ids[:spans], dtype=np.int64)
        first_half = length - noise + spans
        out = np.full((R, T + 2), self.tokenizer.pad_id)
        spare = T + 1  # a column for what has no place, cut off at the end

        def put(where: Bools, place: Tokens, tokens: Tokens) -> None:
            np.put_along_axis(out, np.where(where, place, spare), tokens, axis=1)

        kept_place = np.cumsum(~hidden | starts, axis=1) - 1
        hidden_place = first_half + np.cumsum(hidden, axis=1) - 1 + span
        put(~hidden, kept_place, text)
        put(starts, kept_place, sentinels[span])
        put(starts, hidden_place, sentinels[span])
        put(hidden, hidden_place + 1, text)
        out[:, first_half + noise + spans] = self.tokenizer.eos_id
        target = np.arange(1, T + 1)
        scored = (target >= first_half) & (target <= first_half + noise + spans)
        return Rows(out[:, :T], out[:, 1:spare], np.tile(scored.astype(np.float32), (R, 1)))

    def _sizes(self, context: int) -> tuple[int, int, int]:
        """(L, n, s): the longest text whose sequence, L + 2 s + 1 tokens, fits into T + 1."""
        for length in range(context, 1, -1):
            noise = min(max(round(length * self.rate), 1), length - 1)
            spans = min(max(round(noise / self.mean_length), 1), noise, length - noise)
            if length + 2 * spans <= context:
                if spans > len(self.tokenizer.label_ids):
                    raise ConfigError(
                        f"tokenizer.labels: span_corruption needs {spans} label tokens at context {context}, "
                        f"the tokenizer has {len(self.tokenizer.label_ids)}"
                    )
                return length, noise, spans
        raise ConfigError(f"context: {context} is too short for span_corruption, which needs 4")


def _hidden(keys: Keys, length: int, noise: int, spans: int) -> Bools:
    """(R, L) which tokens are hidden: parts of kept and of hidden tokens take turns, kept first."""
    parts = np.empty((len(keys), 2 * spans), dtype=np.int64)
    parts[:, ::2] = _parts(keys, length - noise, spans, stream=0)
    parts[:, 1::2] = _parts(keys, noise, spans, stream=1)
    turns = np.zeros((len(keys), length), dtype=np.int64)
    np.put_along_axis(turns, np.cumsum(parts, axis=1)[:, :-1], 1, axis=1)
    hidden: Bools = np.cumsum(turns, axis=1) % 2 == 1
    return hidden


def _parts(keys: Keys, count: int, parts: int, *, stream: int) -> Tokens:
    """(R, parts) positive numbers that add up to `count`."""
    cuts = np.empty((len(keys), parts + 1), dtype=np.int64)
    cuts[:, 0], cuts[:, -1] = 0, count
    if parts > 1:
        lottery = uniforms(keys, count - 1, stream=stream)
        cuts[:, 1:-1] = np.sort(np.argpartition(lottery, parts - 2, axis=1)[:, : parts - 1], axis=1) + 1
    lengths: Tokens = np.diff(cuts, axis=1)
    return lengths
