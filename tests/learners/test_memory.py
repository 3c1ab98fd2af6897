"""A batch or a learner that does not fit: one line that names the settings, and the learner as it was."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from curriculum_rl.batch import Batch, SegmentPlan
from curriculum_rl.errors import ConfigError
from curriculum_rl.learners.memory import fitting
from curriculum_rl.learners.native import batched
from curriculum_rl.learners.native.batched import BatchedLearner
from curriculum_rl.learners.native.transformer import TransformerConfig
from curriculum_rl.learners.transformers import reader as hf_reader
from curriculum_rl.learners.transformers.learner import TransformersLearner

WORDS = SimpleNamespace(vocab_size=50, pad_id=0, eos_id=1)
CONFIG = TransformerConfig(vocab_size=50, layers=1, width=32, heads=2, context=16)


def test_a_batch_beyond_the_address_space(make_plan):
    """2^44 rows that share one token: the first tensor of their size cannot be had on any machine."""
    learner = BatchedLearner(CONFIG, pad_id=0)
    learner.train(make_plan())
    before = learner.snapshot()
    rows = 1 << 44
    ids = torch.ones(1, dtype=torch.int64).expand(1, 1, rows, 16)
    batch = Batch(ids, ids, torch.ones(1).expand(1, 1, rows, 16), torch.ones(1, dtype=torch.bool).expand(1, 1, rows))
    with pytest.raises(ConfigError, match=r"does not fit in memory: lower batch, context.*num_envs.*accumulate"):
        learner.train(SegmentPlan(batch, np.full((1, 1), 1e-3)))
    after = learner.snapshot()
    assert torch.equal(after.state, before.state) and after.steps.tolist() == before.steps.tolist()


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:124] . DefaultCPUAllocator: can't allocate memory"),
    ],
)
def test_a_failure_in_a_later_update_undoes_the_earlier_ones(make_plan, monkeypatch, error):
    learner = BatchedLearner(CONFIG, pad_id=0)
    before = learner.snapshot()
    calls = []
    real = batched.gradients

    def failing(*args, **kwargs):
        calls.append(1)
        if len(calls) == 3:
            assert learner.flat.steps.tolist() == [2]
            raise error
        return real(*args, **kwargs)

    monkeypatch.setattr(batched, "gradients", failing)
    with pytest.raises(ConfigError, match="1 replicas on 4 rows of 16 tokens") as caught:
        learner.train(make_plan())
    assert "\n" not in str(caught.value)
    assert torch.equal(learner.snapshot().state, before.state)
    assert learner.snapshot().steps.tolist() == [0]
    learner.train(make_plan())
    assert learner.flat.steps.tolist() == [3]


def test_transformers_learners_too(make_plan, monkeypatch):
    model = {"model_type": "gpt2", "n_embd": 32, "n_layer": 1, "n_head": 2}
    learner = TransformersLearner(model, tokenizer=WORDS, context=16)
    before = learner.snapshot()

    def failing(*args, **kwargs):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(hf_reader.HFReader, "forward", failing)
    with pytest.raises(ConfigError, match="gradient_checkpointing"):
        learner.train(make_plan())
    with pytest.raises(ConfigError, match="score"):
        learner.token_losses(make_plan().batches[0])
    assert torch.equal(learner.snapshot().state, before.state)


def test_a_learner_beyond_the_address_space():
    with pytest.raises(ConfigError, match=r"learner of 1048576 replicas.*num_envs"):
        BatchedLearner(
            TransformerConfig(vocab_size=1 << 20, width=1 << 12, heads=2, context=64), replicas=1 << 20, pad_id=0
        )


def test_other_errors_pass():
    with pytest.raises(RuntimeError, match="shapes differ"), fitting("x", "y"):
        raise RuntimeError("shapes differ")
