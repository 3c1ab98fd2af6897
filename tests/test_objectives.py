"""Objectives: targets on hand-made windows, and the statistics of the corruption."""

import numpy as np
import pytest

from curriculum_rl.draws import spread
from curriculum_rl.objectives import CausalLM, Classification, MaskedLM
from curriculum_rl.tokenizers import Tokenizer, train_bpe


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return train_bpe(["abc abd abe"] * 20, vocab_size=300, labels=3)


def test_causal_lm_predicts_the_next_token(tokenizer: Tokenizer) -> None:
    pad = tokenizer.pad_id
    rows = CausalLM(tokenizer)(np.array([[50, 51, 52, pad]]), spread(1, np.arange(1)))
    assert rows.input_ids.tolist() == [[50, 51, 52]]
    assert rows.targets.tolist() == [[51, 52, pad]]
    assert rows.weights.tolist() == [[1, 1, 0]]


def test_masked_lm_scores_what_it_hid(tokenizer: Tokenizer) -> None:
    windows = np.full((400, 101), 70)
    windows[:, 5] = tokenizer.eos_id
    rows = MaskedLM(tokenizer)(windows, spread(1, np.arange(400)))
    chosen = rows.weights == 1
    assert (rows.targets == windows[:, :-1]).all()
    assert (rows.input_ids[~chosen] == windows[:, :-1][~chosen]).all()
    assert not chosen[:, 5].any()
    assert abs(chosen[:, 6:].mean() - 0.15) < 0.01
    masked = (rows.input_ids == tokenizer.mask_id)[chosen].mean()
    kept = (rows.input_ids == windows[:, :-1])[chosen].mean()
    assert abs(masked - 0.8) < 0.02
    assert abs(kept - 0.1) < 0.02
    replaced = rows.input_ids[chosen & (rows.input_ids != tokenizer.mask_id) & (rows.input_ids != 70)]
    assert np.isin(replaced, tokenizer.ordinary_ids).all()


def test_masked_lm_always_scores_something_and_is_keyed(tokenizer: Tokenizer) -> None:
    windows = np.full((50, 5), 70)
    once = MaskedLM(tokenizer, rate=0.01)(windows, spread(1, np.arange(50)))
    again = MaskedLM(tokenizer, rate=0.01)(windows, spread(1, np.arange(50)))
    other = MaskedLM(tokenizer, rate=0.01)(windows, spread(2, np.arange(50)))
    assert (once.weights.sum(axis=1) >= 1).all()
    assert (once.input_ids == again.input_ids).all()
    assert (once.weights != other.weights).any()


@pytest.mark.parametrize("causal", [True, False])
def test_classification_scores_the_label_only(tokenizer: Tokenizer, causal: bool) -> None:
    cls, pad, label = tokenizer.cls_id, tokenizer.pad_id, tokenizer.label_ids[1]
    windows = np.array([[60, 61, cls, label, pad, pad], [60, 61, 62, 63, cls, label]])
    rows = Classification(tokenizer, causal=causal)(windows, spread(1, np.arange(2)))
    assert rows.weights.tolist() == [[0, 0, 1, 0, 0], [0, 0, 0, 0, 1]]
    assert rows.targets[rows.weights == 1].tolist() == [label, label]
    if causal:
        assert rows.input_ids.tolist() == [[60, 61, cls, label, pad], [60, 61, 62, 63, cls]]
    else:
        mask = tokenizer.mask_id
        assert rows.input_ids.tolist() == [[60, 61, mask, pad, pad], [60, 61, 62, 63, mask]]
