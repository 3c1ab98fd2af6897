"""The update with static tensors against the plain path; its CUDA graph where there is a CUDA device."""

import numpy as np
import pytest
import torch

from curriculum_rl.batch import SegmentPlan
from curriculum_rl.learners.native.batched import BatchedLearner
from curriculum_rl.learners.native.capture import StaticUpdate
from curriculum_rl.learners.native.transformer import TransformerConfig
from curriculum_rl.learners.scoring import Outline, common_outline, outlines
from curriculum_rl.schema.learners import Execution, OptimizerConfig

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="CUDA graphs need a CUDA device")

KINDS = ("causal", "mixed", "masked")


def _learner(*, device="cpu", capture=False, dropout=0.0, accumulate=1):
    config = TransformerConfig(vocab_size=50, layers=1, width=32, heads=2, context=16, dropout=dropout)
    optimizer = OptimizerConfig(label_smoothing=0.1, accumulate=accumulate)
    execution = Execution(precision="float32", capture=capture)
    return BatchedLearner(config, optimizer, replicas=3, pad_id=0, device=device, execution=execution)


def _rates(plan):
    """Other rates in every update and replica."""
    k, n = plan.learning_rates.shape
    return SegmentPlan(plan.batches, np.linspace(1e-3, 1e-2, k * n).reshape(k, n))


def _close(one, other):
    torch.testing.assert_close(one.state.cpu(), other.state.cpu(), rtol=1e-3, atol=2e-5)
    assert one.steps.tolist() == other.steps.tolist()


@pytest.mark.parametrize("dropout", [0.0, 0.2])
@pytest.mark.parametrize("accumulate", [1, 2])
def test_static_updates_equal_the_plain_path(make_plan, dropout, accumulate):
    settings = {"dropout": dropout, "accumulate": accumulate}
    plain, static = _learner(**settings), _learner(**settings)
    plans = [
        _rates(make_plan(kinds=KINDS, updates=3, rows=10)),
        _rates(make_plan(kinds=KINDS, updates=2, rows=10, seed=1)),  # fewer updates than there is room for
    ]
    for learner in (plain, static):
        learner.train(plans[0])
        learner.reset([7], [1])  # out of phase
    segments = [static._segment(plan) for plan in plans]
    outline = common_outline([o for plan in plans for o in outlines(plan.batches, parts=accumulate, chunk=16)])
    update = StaticUpdate(static._trainee, outline, segments[0])
    for plan in plans:
        wanted = plain.train(plan)
        update.load(static._segment(plan))
        k = len(plan.learning_rates)
        for _ in range(k):
            update()
        static.flat.steps += k
        np.testing.assert_allclose(update.row_losses[:k], wanted.row_losses, rtol=1e-3, atol=1e-6)
        np.testing.assert_allclose(update.norms[:k], wanted.gradient_norms, rtol=1e-3)
        _close(static.snapshot(), plain.snapshot())


def test_a_segment_has_one_outline_known_before_it_runs(make_plan):
    batches = make_plan(kinds=KINDS, updates=3, rows=10).batches
    several = outlines(batches, parts=2, chunk=16)
    common = common_outline(several)
    assert common == Outline(False, (80, 80))  # the causal replica is scored everywhere
    masked = common_outline(outlines(batches[:, 2:], parts=2, chunk=16))
    counts = (batches.weights[:, 2:] != 0).view(3, 1, 2, -1).sum(dim=3)
    for part, limit in enumerate(masked.limits):
        assert limit is not None and limit % 16 == 0
        assert counts[:, :, part].max() <= limit < counts[:, :, part].max() + 16
    causal = common_outline(outlines(batches[:, :1], parts=1, chunk=16))
    assert causal == Outline(True, (None,))


@needs_cuda
@pytest.mark.parametrize("dropout", [0.0, 0.2])
def test_replayed_updates_equal_eager_ones(make_plan, dropout):
    eager, captured = _learner(device="cuda", dropout=dropout), _learner(device="cuda", capture=True, dropout=dropout)
    for kinds, updates in ((KINDS, 3), (KINDS, 2), (("causal",) * 3, 3), (KINDS, 4)):
        plan = _rates(make_plan(kinds=kinds, updates=updates, rows=10))
        wanted, found = eager.train(plan), captured.train(plan)
        np.testing.assert_allclose(found.row_losses, wanted.row_losses, rtol=1e-3, atol=1e-5)
        _close(captured.snapshot(), eager.snapshot())
        for learner in (eager, captured):
            learner.reset([7], [1])


@needs_cuda
@pytest.mark.parametrize("precision", ["tf32", "bfloat16"])
def test_lower_precisions_train_nearly_alike(make_plan, precision):
    plan = make_plan(kinds=KINDS, updates=20, rows=8, rates=3e-3)
    config = TransformerConfig(vocab_size=50, layers=1, width=32, heads=2, context=16)
    losses = []
    for chosen in ("float32", precision):
        learner = BatchedLearner(config, replicas=3, pad_id=0, device="cuda", execution=Execution(precision=chosen))
        losses.append(learner.train(plan).losses)
    np.testing.assert_allclose(losses[1], losses[0], rtol=0.03)
