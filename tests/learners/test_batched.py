"""The native learner: learning, bits, losses, snapshots."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from curriculum_rl.batch import Batch, SegmentPlan
from curriculum_rl.errors import ConfigError
from curriculum_rl.learners import batched
from curriculum_rl.learners.base import Learner
from curriculum_rl.learners.batched import BatchedLearner
from curriculum_rl.learners.flat import OptimizerConfig
from curriculum_rl.learners.transformer import TransformerConfig, attention_mask, hidden_states

KINDS = ("causal", "mixed", "masked", "causal")


def _learner(replicas=1, **changes):
    config = TransformerConfig(**({"vocab_size": 50, "layers": 2, "width": 32, "heads": 2, "context": 16} | changes))
    return BatchedLearner(config, replicas=replicas, pad_id=0)


def _one(batch, n):
    return Batch(
        *(tensor[..., n : n + 1, :, :] for tensor in (batch.input_ids, batch.targets, batch.weights)),
        batch.causal[..., n : n + 1, :],
    )


def test_is_a_learner():
    assert isinstance(_learner(), Learner)


def test_learns_a_sequence():
    learner = _learner()
    line = torch.arange(17) % 7 + 3
    window = torch.stack([line.roll(-shift) for shift in range(7)]).expand(60, 1, 7, 17)
    batch = Batch(window[..., :-1], window[..., 1:], torch.ones(60, 1, 7, 16), torch.ones(60, 1, 7, dtype=torch.bool))
    report = learner.train(SegmentPlan(batch, np.full((60, 1), 3e-3)))
    assert report.losses[0, 0] == pytest.approx(math.log(50), abs=0.5)
    assert report.losses[-1, 0] < 0.2
    assert report.finite.all()


@pytest.mark.parametrize("rates", [1e-2, (1e-2, 2e-2, 1e-2, 5e-3)])
@pytest.mark.parametrize("kinds", [("causal",) * 4, KINDS])
def test_a_replica_has_the_same_bits_alone_and_among_neighbours(make_plan, kinds, rates):
    torch.set_num_threads(1)
    plan = make_plan(kinds=kinds, rates=rates, rows=10)  # 160 positions: more than one chunk
    four = _learner(4)
    four.reset([7, 8, 9, 10])
    report = four.train(plan)
    for n in range(4):
        alone = _learner()
        alone.reset([7 + n])
        single = alone.train(SegmentPlan(_one(plan.batches, n), plan.learning_rates[:, n : n + 1]))
        np.testing.assert_array_equal(single.row_losses[:, 0], report.row_losses[:, n])
        np.testing.assert_array_equal(single.gradient_norms[:, 0], report.gradient_norms[:, n])
        for name, block in alone.flat.parameters.items():
            assert torch.equal(block[0], four.flat.parameters[name][n]), name
        scored = _one(plan.batches[0], n)
        assert torch.equal(alone.token_losses(scored)[0], four.token_losses(plan.batches[0])[n])


def _reference_losses(learner, batch):
    """(N, B) mean nats per scored token of each row, from plain cross-entropy."""
    N, B, T = batch.input_ids.shape
    mask = attention_mask(batch.input_ids, batch.causal, learner.pad_id)
    hidden = hidden_states(learner.flat.parameters, learner.config, batch.input_ids, mask)
    logits = hidden @ learner.flat.parameters["embedding"].transpose(1, 2)
    nll = F.cross_entropy(logits.flatten(0, 1), batch.targets.flatten(), reduction="none").view(N, B, T)
    return (nll * batch.weights).sum(dim=2) / batch.weights.sum(dim=2).clamp_min(1)


def test_losses_equal_plain_cross_entropy(make_plan):
    plan = make_plan(kinds=KINDS, updates=1)
    plan.batches.weights[0, 2, 1] = 0  # a row without scored tokens
    learner = _learner(4)
    wanted = _reference_losses(learner, plan.batches[0])
    per_token = learner.token_losses(plan.batches[0])
    assert ((per_token != 0) == (plan.batches.weights[0] != 0)).all()
    report = learner.train(plan)
    np.testing.assert_allclose(report.row_losses[0], wanted, rtol=1e-5)
    np.testing.assert_allclose(report.losses[0], wanted.mean(dim=1), rtol=1e-5)
    assert report.row_losses[0, 2, 1] == 0
    rows = per_token.sum(dim=2) / plan.batches.weights[0].sum(dim=2).clamp_min(1)
    torch.testing.assert_close(rows, wanted)


def test_gradients_equal_plain_autograd(make_plan):
    """One update without moments' memory: the gradient norm and direction come from the whole fused path."""
    batch = make_plan(kinds=KINDS, updates=1).batches
    learner = _learner(4)
    limit = batched.scored_limits(batch.weights, batched.chunk_rows(learner.device))[0]
    shares = batched.token_weights(batch.weights)[0]
    gradients, _ = learner._gradients(batch[0], shares, limit, causal=False)
    leaves = {name: block.clone().requires_grad_() for name, block in learner.flat.parameters.items()}
    learner.flat.parameters.update(leaves)
    wanted = torch.autograd.grad(_reference_losses(learner, batch[0]).mean(dim=1).sum(), list(leaves.values()))
    for name, gradient in zip(leaves, wanted, strict=True):
        torch.testing.assert_close(gradients[name], gradient, rtol=1e-4, atol=1e-6)


def test_continuing_from_a_snapshot_is_exact(make_plan):
    learner = _learner(2)
    first, second = make_plan(kinds=("causal", "mixed")), make_plan(kinds=("causal", "mixed"), seed=1)
    learner.train(first)
    kept = learner.snapshot()
    report = learner.train(second)
    end = learner.snapshot()
    learner.restore(kept)
    assert torch.equal(learner.snapshot().state, kept.state)
    again = learner.train(second)
    np.testing.assert_array_equal(report.row_losses, again.row_losses)
    assert torch.equal(learner.snapshot().state, end.state)


def test_reset_depends_on_the_seeds_alone(make_plan):
    learner = _learner(2)
    learner.reset([3, 4])
    first = learner.snapshot()
    learner.train(make_plan(kinds=("causal", "causal")))
    learner.reset([3, 4])
    assert torch.equal(learner.snapshot().state, first.state)
    assert learner.snapshot().steps.tolist() == [0, 0]
    learner.reset([4, 2**62])
    assert torch.equal(learner.flat.parameters["embedding"][0], learner.flat.blocks(first.state[0])["embedding"][1])
    with pytest.raises(ValueError, match="2 seeds"):
        learner.reset([1])


def test_reading_leaves_the_learner_untouched_and_does_not_depend_on_parts(make_plan, monkeypatch):
    learner = _learner(2)
    batch = make_plan(kinds=("mixed", "causal"), updates=1, rows=9).batches[0]
    before = learner.snapshot()
    labels = torch.tensor([4, 9, 2])
    whole = [learner.token_losses(batch), learner.features(batch), learner.label_logits(batch, labels)]
    monkeypatch.setattr(batched, "CPU_EVALUATION_TOKENS", 32)
    parts = [learner.token_losses(batch), learner.features(batch), learner.label_logits(batch, labels)]
    for one, other in zip(whole, parts, strict=True):
        torch.testing.assert_close(one, other)
        assert not one.requires_grad
    assert [tuple(tensor.shape) for tensor in whole] == [(2, 9, 16), (2, 9, 32), (2, 9, 3)]
    assert torch.equal(learner.snapshot().state, before.state)


def test_one_batch_may_serve_all_replicas(make_plan):
    learner = _learner(3)
    batch = make_plan(updates=1).batches[0]
    shared = learner.token_losses(batch[0])
    assert torch.equal(shared, learner.token_losses(batch))
    assert shared.shape == (3, 4, 16)
    assert not torch.equal(shared[0], shared[1])


def test_labels_are_read_at_the_scored_position(make_plan):
    learner = _learner()
    batch = make_plan(updates=1).batches[0]
    batch.weights.zero_()
    batch.weights[0, :, 5] = 1
    logits = learner.label_logits(batch, torch.arange(50))
    losses = F.cross_entropy(logits[0], batch.targets[0, :, 5], reduction="none")
    torch.testing.assert_close(losses, learner.token_losses(batch)[0, :, 5])


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


def test_operations_grow_with_tokens():
    learner = _learner()
    assert learner.flops(32, training=True) == 3 * 2 * learner.flops(16, training=False)


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
        BatchedLearner(TransformerConfig(vocab_size=5), pad_id=5)
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
