"""Any transformers model as a learner."""

import math
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from curriculum_rl.batch import Batch, SegmentPlan
from curriculum_rl.errors import ConfigError
from curriculum_rl.learners import load_learner
from curriculum_rl.learners.base import Learner
from curriculum_rl.learners.hf import TransformersLearner

LLAMA = {
    "model_type": "llama",
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "tie_word_embeddings": True,
}
GPT2 = {"model_type": "gpt2", "n_embd": 32, "n_layer": 2, "n_head": 2}
BERT = {
    "model_type": "bert",
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
}
MODELS = [(LLAMA, "causal"), (GPT2, "causal"), (BERT, "masked")]


@dataclass
class Words:
    vocab_size: int = 50
    pad_id: int = 0
    eos_id: int = 1


def _learner(model, head, **changes):
    return TransformersLearner(model, head=head, tokenizer=Words(), context=16, **changes)


@pytest.mark.parametrize(("model", "head"), MODELS)
def test_learns_is_deterministic_and_goes_back(model, head, make_plan):
    learner = _learner(model, head)
    assert isinstance(learner, Learner)
    learner.reset([5])
    plan = make_plan(updates=1, kinds=("causal" if head == "causal" else "masked",), rows=8)
    batch = plan.batches
    repeated = Batch(
        *(t.expand(40, *t.shape[1:]) for t in (batch.input_ids, batch.targets, batch.weights)),
        batch.causal.expand(40, 1, 8),
    )
    many = SegmentPlan(repeated, np.full((40, 1), 1e-2))
    start = learner.snapshot()
    wanted = (learner.token_losses(batch[0]).sum(dim=2) / batch.weights[0].sum(dim=2).clamp_min(1)).numpy()
    report = learner.train(many)
    np.testing.assert_allclose(report.row_losses[0], wanted, rtol=1e-4)
    assert report.losses[0, 0] == pytest.approx(math.log(50), abs=0.7)
    assert report.losses[-1, 0] < 0.5 * report.losses[0, 0]
    end = learner.snapshot()
    learner.restore(start)
    assert torch.equal(learner.token_losses(batch[0]), learner.token_losses(batch[0]))
    learner.train(many)
    assert torch.equal(learner.snapshot().state, end.state)
    learner.reset([5])
    assert torch.equal(learner.snapshot().state, start.state)
    learner.reset([6])
    assert not torch.equal(learner.snapshot().state, start.state)


@pytest.mark.parametrize(("model", "head"), MODELS)
def test_saved_models_load_here_and_in_transformers(model, head, make_plan, tmp_path):
    learner = _learner(model, head)
    kind = ("causal" if head == "causal" else "masked",)
    learner.train(make_plan(kinds=kind))
    learner.save(tmp_path, optimizer=True)
    loaded = load_learner(tmp_path)
    batch = make_plan(kinds=kind, updates=1, seed=1)
    assert torch.equal(loaded.token_losses(batch.batches[0]), learner.token_losses(batch.batches[0]))
    np.testing.assert_array_equal(loaded.train(batch).losses, learner.train(batch).losses)
    assert torch.equal(loaded.snapshot().state, learner.snapshot().state)
    before = _learner(str(tmp_path), head)
    start = before.snapshot()
    before.train(batch)
    before.reset([9])
    assert torch.equal(before.snapshot().state, start.state)


def test_a_pretrained_embedding_takes_the_size_of_the_tokenizer(tmp_path):
    _learner(LLAMA, "causal").save(tmp_path)
    larger = TransformersLearner(str(tmp_path), tokenizer=Words(vocab_size=60), context=16)
    assert larger.flat.parameters["model.embed_tokens.weight"].shape == (1, 60, 32)


def test_readings_have_their_shapes(make_plan):
    learner = _learner(GPT2, "causal")
    batch = make_plan(updates=1).batches[0]
    assert learner.features(batch).shape == (1, 4, 32)
    assert learner.label_logits(batch, torch.tensor([3, 4])).shape == (1, 4, 2)
    assert learner.flops(10, training=True) == pytest.approx(3 * learner.flops(10, training=False))


def test_operations_of_a_llama():
    per_token = 2 * (2 * (4 * 32 * 32 + 3 * 32 * 64) + 50 * 32) + 2 * 4 * 16 * 32
    assert _learner(LLAMA, "causal").flops(1, training=False) == pytest.approx(per_token, rel=0.02)


def test_rows_of_the_other_kind_are_refused(make_plan):
    with pytest.raises(ConfigError, match="masked LM"):
        _learner(GPT2, "causal").train(make_plan(kinds=("mixed",)))
    with pytest.raises(ConfigError, match="causal"):
        _learner(BERT, "masked").token_losses(make_plan().batches[0])


def test_rows_of_padding_have_finite_losses(make_plan):
    batch = make_plan(updates=1, kinds=("masked",)).batches[0]
    batch.input_ids[0, 0] = 0
    assert _learner(BERT, "masked").token_losses(batch).isfinite().all()


@pytest.mark.parametrize(
    ("model", "head", "message"),
    [
        ({"hidden_size": 3}, "causal", "model_type"),
        ({"model_type": "no-such"}, "causal", "no-such"),
        (LLAMA | {"vocab_size": 7}, "causal", "vocab_size"),
        (LLAMA | {"hiden_size": 7}, "causal", "hiden_size"),
        (LLAMA, "masked", "llama"),
        (LLAMA, "both", "learner.head"),
        (GPT2 | {"n_positions": 8}, "causal", "context 16"),
        ("/no/such/directory", "causal", "/no/such/directory"),
    ],
)
def test_models_that_cannot_be_had_are_named(model, head, message):
    with pytest.raises(ConfigError, match=message) as caught:
        _learner(model, head)
    assert "\n" not in str(caught.value)


def test_one_replica_only():
    with pytest.raises(ConfigError, match="replica"):
        _learner(GPT2, "causal", replicas=2)
