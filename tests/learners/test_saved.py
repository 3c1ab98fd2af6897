"""Saved learners go on as if nothing had happened."""

import numpy as np
import pytest
import torch

from curriculum_rl.errors import ConfigError
from curriculum_rl.learners import BatchedLearner, TransformerConfig, load_learner


def test_round_trip_continues_exactly(tmp_path, make_plan):
    learner = BatchedLearner(TransformerConfig(vocab_size=50, width=32, heads=2, context=16), replicas=2, pad_id=0)
    learner.train(make_plan(kinds=("causal", "mixed")))
    learner.save(tmp_path / "all", optimizer=True)
    learner.save(tmp_path / "parameters")
    loaded = load_learner(tmp_path / "all")
    bare = load_learner(tmp_path / "parameters")
    assert torch.equal(loaded.snapshot().state, learner.snapshot().state)
    assert torch.equal(bare.snapshot().state[0], learner.snapshot().state[0])
    assert bare.snapshot().steps.tolist() == [0, 0]
    plan = make_plan(kinds=("causal", "mixed"), seed=1)
    np.testing.assert_array_equal(loaded.train(plan).row_losses, learner.train(plan).row_losses)
    assert torch.equal(loaded.snapshot().state, learner.snapshot().state)


def test_what_cannot_be_loaded_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"learner\.json"):
        load_learner(tmp_path)
    (tmp_path / "learner.json").write_text('{"kind": "rnn"}')
    with pytest.raises(ConfigError, match="rnn"):
        load_learner(tmp_path)
