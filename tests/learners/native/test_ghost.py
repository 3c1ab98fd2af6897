"""Ghosts: the products that autograd would give, and nothing else changed."""

from typing import Any

import numpy as np
import pytest
import torch

from curriculum_rl.batch import Batch, Probe, SegmentPlan
from curriculum_rl.errors import ConfigError
from curriculum_rl.learners.native.batched import BatchedLearner
from curriculum_rl.learners.native.ghost import Tap, require_ghosts, tapped
from curriculum_rl.learners.native.transformer import TransformerConfig
from curriculum_rl.learners.native.update import gradients
from curriculum_rl.learners.scoring import outlines, token_weights
from curriculum_rl.schema.learners import OptimizerConfig

KINDS = ("causal", "mixed", "masked")


def _learner(replicas=3, *, dropout=0.0, accumulate=1, activation="relu2"):
    config = TransformerConfig(
        vocab_size=50, layers=2, width=32, heads=2, context=16, dropout=dropout, activation=activation
    )
    made = BatchedLearner(config, OptimizerConfig(accumulate=accumulate), replicas=replicas, pad_id=0)
    made.reset(range(10, 10 + replicas))
    return made


def _target(make_plan, seed=9):
    return make_plan(kinds=("causal",) * 3, updates=1, rows=6, seed=seed).batches[0]


def _probed(learner, plan, target, updates=None):
    every = np.ones(len(plan.learning_rates), bool)
    return SegmentPlan(
        plan.batches, plan.learning_rates, Probe(learner.probe(target), every if updates is None else updates)
    )


def _slope(learner, batch):
    """Gradients of one batch (N, B, T), by autograd."""
    trainee = learner._trainee
    (outline,) = outlines(Batch(*(t[None] for t in batch.tensors())), parts=1, chunk=128)
    return gradients(trainee.network, trainee.leaves, batch, token_weights(batch.weights), outline).slopes


@pytest.mark.parametrize(("dropout", "accumulate", "activation"), [(0.0, 1, "relu2"), (0.25, 2, "gelu")])
def test_parameters_after_twenty_updates_are_those_without_ghosts_bit_for_bit(
    make_plan, dropout, accumulate, activation
):
    settings = {"dropout": dropout, "accumulate": accumulate, "activation": activation}
    off, on = _learner(**settings), _learner(**settings)
    plan = make_plan(kinds=KINDS, updates=20, rows=6)
    plain, seen = off.train(plan), on.train(_probed(on, plan, _target(make_plan)))
    assert torch.equal(off.snapshot().state, on.snapshot().state)
    assert np.array_equal(plain.row_losses, seen.row_losses)
    assert plain.ghosts is None and np.isfinite(seen.ghosts[1:]).all() and (seen.ghosts[1:] != 0).any()


@pytest.mark.parametrize("accumulate", [1, 2])
def test_ghosts_of_a_task_are_the_products_of_autograd(make_plan, accumulate):
    """Rows 0 to 2 are one task, the others another: means over rows against the gradient of the task's own loss."""
    learner = _learner(accumulate=accumulate)
    learner.train(make_plan(kinds=KINDS, updates=3, rows=6))
    plan, target = make_plan(kinds=KINDS, updates=1, rows=6, seed=5), _target(make_plan)
    moments = learner.flat.second["down.0"] / (1 - 0.95**3)
    probe = _slope(learner, target)["down.0"] / (moments.sqrt() + 1e-8)
    wanted = [
        (_slope(learner, plan.batches[0][:, rows])["down.0"] * probe).double().sum(dim=(1, 2))
        for rows in (slice(0, 3), slice(3, 6))
    ]
    found = learner.train(_probed(learner, plan, target)).ghosts
    assert found.shape == (1, 3, 6)
    for rows, one in zip((slice(0, 3), slice(3, 6)), wanted, strict=True):
        np.testing.assert_allclose(found[0, :, rows].mean(axis=1), one.numpy(), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(("wide_in", "wide_out"), [(8, 3), (3, 8)])
def test_the_tap_is_the_identity_and_meters_rows(wide_in, wide_out):
    draw = torch.Generator().manual_seed(0)
    y, w = (torch.randn(*shape, generator=draw) for shape in ((2, 10, wide_in), (2, wide_in, wide_out)))
    probe, mask = torch.randn(2, wide_in, wide_out, generator=draw), torch.randn(2, 10, wide_out, generator=draw)
    w.requires_grad_()
    tap = Tap({"m": probe}, torch.zeros(2, 5, requires_grad=True))
    z = tapped(torch.bmm(y, w), y, "m", tap)
    slope, met = torch.autograd.grad((z.sin() * mask).sum(), [w, tap.meter])
    assert torch.equal(z, torch.bmm(y, w)) and tapped(z, y, "other", tap) is z
    for row in range(5):
        tokens = slice(2 * row, 2 * row + 2)
        (own,) = torch.autograd.grad((torch.bmm(y[:, tokens], w).sin() * mask[:, tokens]).sum(), [w])
        torch.testing.assert_close(met[:, row], (own * probe).sum(dim=(1, 2)))
    torch.testing.assert_close(met.sum(dim=1), (slope * probe).sum(dim=(1, 2)))


def test_a_replica_among_others_is_seen_as_if_alone(make_plan):
    together = _learner()
    plan, target = make_plan(kinds=KINDS, updates=3, rows=6), _target(make_plan)
    found = together.train(_probed(together, plan, target)).ghosts
    for n in range(3):
        alone = _learner(1)
        alone.reset([10 + n])
        mine = SegmentPlan(plan.batches[:, n : n + 1], plan.learning_rates[:, n : n + 1])
        seen = alone.train(_probed(alone, mine, target[n : n + 1])).ghosts
        np.testing.assert_allclose(seen[:, 0], found[:, n], rtol=1e-5, atol=1e-7)


def test_no_ghost_where_nothing_is_tapped_or_there_are_no_moments(make_plan):
    learner = _learner()
    learner.train(make_plan(kinds=KINDS, updates=1, rows=6))
    learner.reset([7], [1])
    plan = make_plan(kinds=KINDS, updates=3, rows=6, seed=2)
    found = learner.train(_probed(learner, plan, _target(make_plan), np.array([True, False, True]))).ghosts
    assert np.isnan(found).all(axis=2).tolist() == [[False, True, False], [True] * 3, [False] * 3]


def test_a_probe_leaves_the_learner_alone_and_is_the_gradient(make_plan):
    learner, target = _learner(), _target(make_plan)
    before = learner.snapshot()
    found = learner.probe(target)
    assert list(found) == ["down.0"] and torch.equal(learner.snapshot().state, before.state)
    torch.testing.assert_close(found["down.0"], _slope(learner, target)["down.0"])
    assert learner.ghost_flops(100) == 2 * 100 * 4 * 32 * 32


def test_learners_without_ghosts_are_refused():
    with pytest.raises(ConfigError, match=r"signals: object does not measure 'ghost', only the native learner"):
        require_ghosts(object())  # type: ignore[arg-type]
    learner: Any = _learner(1)
    accepted = require_ghosts(learner) is learner
    assert accepted
    learner._captured = object()
    with pytest.raises(ConfigError, match=r"signals: BatchedLearner does not measure 'ghost' under learner\.capture"):
        require_ghosts(learner)
