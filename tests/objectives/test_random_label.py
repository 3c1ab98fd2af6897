"""The useless task: its rows by hand, and that nothing about the text gives the label away."""

from collections.abc import Callable

import numpy as np
import pytest

from curriculum_rl.errors import ConfigError
from curriculum_rl.objectives import RandomLabel
from curriculum_rl.text.tokenizers import Tokenizer

Ids = Callable[[str], list[int]]


@pytest.mark.parametrize("causal", [True, False])
def test_the_same_text_gets_either_label(tokenizer: Tokenizer, ids: Ids, keys: np.ndarray, causal: bool) -> None:
    """T = 8 has room for six tokens of the nine."""
    windows = np.tile(ids("the cat ran . the dog came by sea"), (200, 1))
    rows = RandomLabel(tokenizer, causal=causal)(windows, keys)
    text = (tokenizer.label_ids[-10], *ids("the cat ran . the dog"), *ids("=" if causal else "?"))
    assert {tuple(row) for row in rows.input_ids.tolist()} == {text}
    assert (rows.weights == [0] * 7 + [1]).all()
    labels = rows.targets[:, 7]
    assert set(labels.tolist()) == set(tokenizer.label_ids[:2])
    assert 70 < (labels == tokenizer.label_ids[0]).sum() < 130


def test_a_context_too_short(tokenizer: Tokenizer, keys: np.ndarray) -> None:
    with pytest.raises(ConfigError, match="context: 3 is too short for random_label, which needs 4"):
        RandomLabel(tokenizer)(np.zeros((1, 4), dtype=np.int64), keys[:1])
