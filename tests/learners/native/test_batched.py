"""The native learner: learning, bits, losses, snapshots."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from curriculum_rl.batch import Batch, SegmentPlan
from curriculum_rl.errors import ConfigError
from curriculum_rl.learners.native import reading
from curriculum_rl.learners.native.batched import BatchedLearner
from curriculum_rl.learners.native.forward import attention_mask, hidden_states
from curriculum_rl.learners.native.network import Network
from curriculum_rl.learners.native.transformer import TransformerConfig
from curriculum_rl.learners.native.update import gradients
from curriculum_rl.learners.scoring import outlines, token_weights
from curriculum_rl.schema.learners import OptimizerConfig

KINDS = ("causal", "mixed", "masked", "causal")


def _learner(replicas=1, **changes):
    config = TransformerConfig(**({"vocab_size": 50, "layers": 2, "width": 32, "heads": 2, "context": 16} | changes))
    return BatchedLearner(config, replicas=replicas, pad_id=0)


def _reference_losses(parameters, learner, batch):
    """(N, B) mean nats per scored token of each row, from plain cross-entropy."""
    N, B, T = batch.input_ids.shape
    mask = attention_mask(batch.input_ids, batch.causal, learner.pad_id)
    hidden = hidden_states(parameters, learner.config, batch.input_ids, mask)
    logits = hidden @ parameters["embedding"].transpose(1, 2)
    nll = F.cross_entropy(logits.flatten(0, 1), batch.targets.flatten(), reduction="none").view(N, B, T)
    return (nll * batch.weights).sum(dim=2) / batch.weights.sum(dim=2).clamp_min(1)


def test_losses_equal_plain_cross_entropy(make_plan):
    plan = make_plan(kinds=KINDS, updates=1)
    plan.batches.weights[0, 2, 1] = 0  # a row without scored tokens
    learner = _learner(4)
    wanted = _reference_losses(learner.flat.parameters, learner, plan.batches[0])
    per_token = learner.token_losses(plan.batches[0])
    assert ((per_token != 0) == (plan.batches.weights[0] != 0)).all()
    report = learner.train(plan)
    np.testing.assert_allclose(report.row_losses[0], wanted, rtol=1e-5)
    np.testing.assert_allclose(report.losses[0], wanted.mean(dim=1), rtol=1e-5)
    assert report.row_losses[0, 2, 1] == 0
    rows = per_token.sum(dim=2) / plan.batches.weights[0].sum(dim=2).clamp_min(1)
    torch.testing.assert_close(rows, wanted)


def test_gradients_equal_plain_autograd(make_plan):
    """The gradient of one update from the whole fused path, whatever the parts."""
    batch = make_plan(kinds=KINDS, updates=1).batches
    learner = _learner(4)
    shares = token_weights(batch.weights)[0]
    leaves = {name: block.clone().requires_grad_() for name, block in learner.flat.parameters.items()}
    network = Network(learner.config, pad_id=0)
    for parts in (1, 2, 4):
        (outline,) = outlines(batch, parts=parts, chunk=16)
        found, losses, _ = gradients(network, leaves, batch[0], shares, outline)
        reference = _reference_losses(leaves, learner, batch[0])
        torch.testing.assert_close(losses, reference.detach())
        wanted = torch.autograd.grad(reference.mean(dim=1).sum(), list(leaves.values()))
        for name, gradient in zip(leaves, wanted, strict=True):
            torch.testing.assert_close(found[name], gradient, rtol=1e-4, atol=1e-6)


def test_reading_does_not_depend_on_parts(make_plan, monkeypatch):
    learner = _learner(2)
    batch = make_plan(kinds=("mixed", "causal"), updates=1, rows=9).batches[0]
    before = learner.snapshot()
    labels = torch.tensor([4, 9, 2])
    whole = [learner.token_losses(batch), learner.features(batch), learner.label_logits(batch, labels)]
    monkeypatch.setattr(reading, "CPU_TOKENS", 32)
    parts = [learner.token_losses(batch), learner.features(batch), learner.label_logits(batch, labels)]
    for one, other in zip(whole, parts, strict=True):
        torch.testing.assert_close(one, other)
        assert not one.requires_grad
    assert [tuple(tensor.shape) for tensor in whole] == [(2, 9, 16), (2, 9, 32), (2, 9, 3)]
    assert torch.equal(learner.snapshot().state, before.state)


def test_features_leave_padding_out(make_plan):
    learner = _learner()
    batch = make_plan(updates=1, kinds=("masked",)).batches[0]
    batch.input_ids[:, :, 8:] = 0
    longer = learner.features(batch)
    cut = Batch(batch.input_ids[..., :8], batch.targets[..., :8], batch.weights[..., :8], batch.causal)
    torch.testing.assert_close(longer, learner.features(cut))


def test_an_explosion_marks_its_replica_and_spares_the_others(make_plan):
    plan = make_plan(kinds=("causal",) * 3, rates=(1e-2, 1e6, 1e-2))
    learner, calm = _learner(3), _learner(3)
    report = learner.train(plan)
    assert report.finite.tolist() == [True, False, True]
    calm.train(SegmentPlan(plan.batches, np.full((3, 3), 1e-2)))
    for name, block in calm.flat.parameters.items():
        assert torch.equal(block[[0, 2]], learner.flat.parameters[name][[0, 2]])
    learner.flat.parameters["embedding"][0, 3] = float("nan")
    learner.restore(_learner(3).snapshot(), [1])
    assert learner.train(make_plan(kinds=("causal",) * 3)).finite.tolist() == [False, True, True]


def test_clipping_bounds_the_step(make_plan):
    config = TransformerConfig(vocab_size=50, width=32, heads=2, context=16)
    learner = BatchedLearner(config, OptimizerConfig(clip=1e-3), pad_id=0)
    report = learner.train(make_plan(updates=1))
    assert report.gradient_norms[0, 0] > 1e-3
    first = learner.flat.blocks(learner.snapshot().state[1])
    norm = math.sqrt(sum(float(block.square().sum()) for block in first.values()))
    assert norm == pytest.approx((1 - learner.optimizer.betas[0]) * 1e-3, rel=1e-3)


def test_wrong_arguments_are_named(make_plan):
    with pytest.raises(ConfigError, match="pad_id"):
        BatchedLearner(TransformerConfig(vocab_size=5, context=8), pad_id=5)
    with pytest.raises(ConfigError, match="replicas"):
        _learner(0)
    plan = make_plan(kinds=("causal", "causal"))
    with pytest.raises(ValueError, match="N=1"):
        _learner().train(plan)
    with pytest.raises(ValueError, match="learning_rates"):
        _learner(2).train(SegmentPlan(plan.batches, np.ones((3, 1))))
    with pytest.raises(ValueError, match="finite"):
        _learner(2).train(SegmentPlan(plan.batches, np.full((3, 2), np.nan)))
    with pytest.raises(ValueError, match="T <= 8"):
        _learner(2, context=8).train(plan)
