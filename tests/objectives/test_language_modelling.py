"""Causal and prefix language modelling."""

from collections.abc import Callable

import numpy as np

from curriculum_rl.draws import spread
from curriculum_rl.objectives import CausalLM, PrefixLM
from curriculum_rl.text.tokenizers import Tokenizer

Ids = Callable[[str], list[int]]


def test_causal_lm_predicts_the_next_token(tokenizer: Tokenizer, ids: Ids) -> None:
    rows = CausalLM(tokenizer)(np.array([ids("The cat ran _")]), spread(1, np.arange(1)))
    assert rows.input_ids.tolist() == [ids("The cat ran")]
    assert rows.targets.tolist() == [ids("cat ran _")]
    assert rows.weights.tolist() == [[1, 1, 0]]


def test_prefix_lm_scores_what_follows_the_prefix(tokenizer: Tokenizer, ids: Ids, keys: np.ndarray) -> None:
    window = ids("The cat ran by the sea")
    rows = PrefixLM(tokenizer, shortest=0.0, longest=1.0)(np.tile(window, (200, 1)), keys)
    assert (rows.input_ids == window[:-1]).all()
    assert (rows.targets == window[1:]).all()
    forms = {tuple(row) for row in rows.weights.astype(int).tolist()}
    assert forms == {(1, 1, 1, 1, 1), (0, 1, 1, 1, 1), (0, 0, 1, 1, 1), (0, 0, 0, 1, 1), (0, 0, 0, 0, 1)}
    assert abs(rows.weights.sum(axis=1).mean() - 3) < 0.3


def test_prefix_lm_keeps_to_its_bounds(tokenizer: Tokenizer, ids: Ids, keys: np.ndarray) -> None:
    windows = np.tile(ids("The cat ran by the sea") * 20, (200, 1))  # T = 119
    scored = PrefixLM(tokenizer, shortest=0.5, longest=0.6)(windows, keys).weights.sum(axis=1)
    assert 119 * 0.4 < scored.min() < 52 and 56 < scored.max() <= 119 * 0.5 + 1
