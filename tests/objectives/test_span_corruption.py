"""T5's objective as one sequence."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curriculum_rl.draws import spread
from curriculum_rl.errors import ConfigError
from curriculum_rl.objectives import SpanCorruption
from curriculum_rl.testing.objectives import known_tokenizer
from curriculum_rl.text.tokenizers import Tokenizer

TOKENIZER = known_tokenizer()


def test_one_span_by_hand(tokenizer: Tokenizer, ids: Callable[[str], list[int]], keys: np.ndarray) -> None:
    """T = 8: six tokens of text, two of them hidden in one span; the kept part comes first, so three ways in all."""
    rows = SpanCorruption(tokenizer, rate=0.33, mean_length=3)(
        np.tile(ids("The cat ran by the red sea no fish"), (200, 1)), keys
    )
    forms = {
        tuple(ids("The cat ran by L0 L0 the red /")),
    }
    whole = {tuple(row) for row in np.concatenate([rows.input_ids, rows.targets[:, -1:]], axis=1).tolist()}
    assert whole == forms
    assert (rows.targets[:, :-1] == rows.input_ids[:, 1:]).all()
    assert (rows.weights == [0, 0, 0, 0, 1, 1, 1, 1]).all()


def test_two_spans_by_hand(tokenizer: Tokenizer, ids: Callable[[str], list[int]], keys: np.ndarray) -> None:
    """T = 10: six tokens, two spans of one token; four kept tokens make two parts in three ways."""
    objective = SpanCorruption(tokenizer, rate=0.33, mean_length=1)
    rows = objective(np.tile(ids("The cat ran by the red sea no fish came was"), (200, 1)), keys)
    whole = {tuple(row) for row in np.concatenate([rows.input_ids, rows.targets[:, -1:]], axis=1).tolist()}
    assert whole == {
        tuple(ids("The L0 ran by the L1 L0 cat L1 red /")),
        tuple(ids("The cat L0 by the L1 L0 ran L1 red /")),
        tuple(ids("The cat ran L0 the L1 L0 by L1 red /")),
    }
    assert (rows.weights == [0] * 5 + [1] * 5).all()


@given(st.integers(4, 70), st.floats(0.01, 0.9), st.floats(1, 8), st.integers(0, 1000))
@settings(max_examples=100, deadline=None)
def test_the_text_can_be_put_together_again(T: int, rate: float, mean_length: float, seed: int) -> None:
    text = np.random.default_rng(seed).choice(TOKENIZER.ordinary_ids, (5, T + 1))
    try:
        rows = SpanCorruption(TOKENIZER, rate=rate, mean_length=mean_length)(text, spread(seed, np.arange(5)))
    except ConfigError as error:
        assert "label tokens" in str(error)
        return
    for row, window in zip(range(5), text.tolist(), strict=True):
        whole = [*rows.input_ids[row].tolist(), int(rows.targets[row, -1])]
        first = whole.index(TOKENIZER.label_ids[0], whole.index(TOKENIZER.label_ids[0]) + 1)
        end = whole.index(TOKENIZER.eos_id)
        spans: dict[int, list[int]] = {}
        for token in whole[first:end]:
            if token in TOKENIZER.label_ids:
                spans[token] = []
                sentinel = token
            else:
                spans[sentinel].append(token)
        assert list(spans) == list(TOKENIZER.label_ids[: len(spans)]) and all(spans.values())
        assert set(whole[end + 1 :]) <= {TOKENIZER.pad_id}
        joined = [token for kept in whole[:first] for token in spans.get(kept, [kept])]
        assert joined == window[: len(joined)]
        assert len(joined) + 2 * len(spans) + 1 == end + 1 <= T + 1
        assert rows.weights[row].nonzero()[0].tolist() == list(range(first - 1, end))


def test_too_few_sentinels_and_too_little_room(tokenizer: Tokenizer) -> None:
    one = np.zeros(1, dtype=np.uint64)
    with pytest.raises(ConfigError, match=r"tokenizer\.labels: span_corruption needs 23 label tokens at context 512"):
        SpanCorruption(tokenizer, rate=0.15, mean_length=3)(np.full((1, 513), 30), one)
    with pytest.raises(ConfigError, match="context: 3 is too short for span_corruption, which needs 4"):
        SpanCorruption(tokenizer, rate=0.15, mean_length=3)(np.full((1, 4), 30), one)
