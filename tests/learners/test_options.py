"""The native learner's options, each by its effect in numbers."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from curriculum_rl.errors import ConfigError
from curriculum_rl.learners import load_learner
from curriculum_rl.learners.native import network
from curriculum_rl.learners.native.batched import BatchedLearner
from curriculum_rl.learners.native.dropout import Dropout, step_keys
from curriculum_rl.learners.native.transformer import TransformerConfig
from curriculum_rl.schema.learners import Execution, OptimizerConfig

KINDS = ("causal", "mixed")


def _learner(replicas=2, *, execution=None, optimizer=None, **changes):
    config = TransformerConfig(**({"vocab_size": 50, "layers": 1, "width": 32, "heads": 2, "context": 16} | changes))
    return BatchedLearner(config, optimizer, replicas=replicas, pad_id=0, execution=execution)


def _trained(learner, plan):
    learner.reset(range(5, 5 + learner.replicas))
    return learner.train(plan), learner.snapshot()


def test_a_head_of_its_own_is_trained_and_read(make_plan, tmp_path):
    tied, untied = _learner(), _learner(tied=False)
    assert untied.flat.size() == tied.flat.size() + 50 * 32
    for name, block in tied.flat.parameters.items():
        assert torch.equal(block, untied.flat.parameters[name])
    plan = make_plan(kinds=KINDS)
    before = untied.flat.parameters["head"].clone()
    untied.train(plan)
    assert (untied.flat.parameters["head"] - before).abs().mean() > 1e-3
    batch = plan.batches[0]
    batch.weights.zero_()
    batch.weights[:, :, 3] = 1
    logits = untied.label_logits(batch, torch.arange(50))
    losses = F.cross_entropy(logits.flatten(0, 1), batch.targets[:, :, 3].flatten(), reduction="none")
    torch.testing.assert_close(losses.view(2, 4), untied.token_losses(batch)[:, :, 3])
    untied.save(tmp_path)
    assert torch.equal(load_learner(tmp_path).token_losses(batch), untied.token_losses(batch))
    untied.flat.parameters["head"].zero_()
    torch.testing.assert_close(untied.token_losses(batch)[:, :, 3], torch.full((2, 4), math.log(50)))


@pytest.mark.parametrize("kinds", [("causal", "causal"), KINDS])
def test_dropout_is_in_updates_and_not_in_scores(make_plan, kinds):
    plan = make_plan(kinds=kinds)
    plain, dropping = _learner(), _learner(dropout=0.5)
    without, _ = _trained(plain, plan)
    with_it, _ = _trained(dropping, plan)
    assert (np.abs(without.row_losses[0] - with_it.row_losses[0]) > 1e-3).all()
    for learner in (plain, dropping):
        learner.reset([5, 6])
    assert torch.equal(plain.token_losses(plan.batches[0]), dropping.token_losses(plan.batches[0]))


def test_dropout_continues_exactly_from_a_snapshot(make_plan, tmp_path):
    first, second = make_plan(kinds=KINDS), make_plan(kinds=KINDS, seed=1)
    learner = _learner(dropout=0.3)
    _, kept = _trained(learner, first)
    learner.save(tmp_path, optimizer=True)
    report = learner.train(second)
    end = learner.snapshot()
    other = _learner(dropout=0.3)  # it has other seeds until the snapshot brings them
    other.restore(kept)
    loaded = load_learner(tmp_path)
    for again in (other, loaded):
        np.testing.assert_array_equal(again.train(second).row_losses, report.row_losses)
        assert torch.equal(again.snapshot().state, end.state)


def test_dropout_differs_by_replica_step_place_and_row():
    keys = step_keys(np.array([3, 4]), np.array([0, 0]), 2)
    assert torch.equal(keys[1], step_keys(np.array([3, 4]), np.array([1, 1]), 1)[0])
    x = torch.ones(2, 6 * 50, 30)
    drop = Dropout(0.3, keys[0])
    kept = drop(x, 6, 0)
    assert kept.unique().tolist() == [0.0, pytest.approx(1 / 0.7, rel=1e-4)]
    dropped = (kept == 0).float()
    for other in (drop(x, 6, 1), Dropout(0.3, keys[1])(x, 6, 0), kept.flip(0), kept.roll(50, dims=1)):
        agree = (dropped == (other == 0).float()).float().mean()
        assert agree == pytest.approx(0.3**2 + 0.7**2, abs=0.02)  # independent
    assert dropped.mean() == pytest.approx(0.3, abs=0.01)
    assert dropped.mean(dim=(0, 1)).sub(0.3).abs().max() < 0.08
    assert torch.equal(drop.starting_at(2)(x[:, 100:], 4, 0), kept[:, 100:])


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("dropout", [0.0, 0.2])
def test_rows_in_parts_give_the_same_update(make_plan, smoothing, dropout):
    plan = make_plan(kinds=("causal", "mixed", "masked"), rows=6, updates=1)
    whole, parts = (
        _trained(_learner(3, dropout=dropout, optimizer=OptimizerConfig(label_smoothing=smoothing, accumulate=m)), plan)
        for m in (1, 3)
    )
    np.testing.assert_allclose(parts[0].row_losses, whole[0].row_losses, rtol=1e-5)
    np.testing.assert_allclose(parts[0].gradient_norms, whole[0].gradient_norms, rtol=1e-5)
    # The first moment is the gradient times 1 - beta: Adam's first step would hide its size.
    torch.testing.assert_close(parts[1].state[1], whole[1].state[1], rtol=1e-4, atol=1e-8)


def test_parts_that_do_not_divide_the_rows_are_named(make_plan):
    learner = _learner(optimizer=OptimizerConfig(accumulate=3))
    with pytest.raises(ConfigError, match=r"accumulate 3 does not divide the 4 rows"):
        learner.train(make_plan(kinds=KINDS))


def test_smoothed_labels_move_the_optimum(make_plan):
    """A constant target: without smoothing its probability goes to 1, with a share s to 1 - s + s / V."""
    plan = make_plan(updates=150, kinds=("causal",), rates=1e-2)
    plan.batches.targets.fill_(7)
    losses = []
    for smoothing in (0.0, 0.2):
        optimizer = OptimizerConfig(label_smoothing=smoothing, weight_decay=0.0)
        learner = _learner(1, optimizer=optimizer, vocab_size=50)
        losses.append(learner.train(plan).losses[-20:].mean())
    assert losses[0] < 0.01
    assert losses[1] == pytest.approx(-math.log(0.8 + 0.2 / 50), abs=0.03)


def test_bfloat16_products_train_nearly_alike(make_plan):
    plan = make_plan(kinds=KINDS, updates=30, rates=3e-3, rows=8)
    whole, low = _learner(), _learner(execution=Execution(precision="bfloat16"))
    exact, _ = _trained(whole, plan)
    near, state = _trained(low, plan)
    assert state.state.dtype == torch.float32
    assert not np.array_equal(near.losses, exact.losses)
    np.testing.assert_allclose(near.row_losses[0], exact.row_losses[0], rtol=0.02)
    np.testing.assert_allclose(near.gradient_norms[0], exact.gradient_norms[0], rtol=0.02)
    np.testing.assert_allclose(near.losses[-5:].mean(), exact.losses[-5:].mean(), rtol=0.02)
    torch.testing.assert_close(
        low.token_losses(plan.batches[0]).mean(), whole.token_losses(plan.batches[0]).mean(), rtol=0.02, atol=0
    )


def test_auto_is_float32_on_a_cpu():
    assert _learner(1).precision == "float32"


@pytest.mark.parametrize(
    ("execution", "message"),
    [({"precision": "tf32"}, "no tf32"), ({"capture": True}, "CUDA"), ({"precision": "fp16"}, "precision: must be")],
)
def test_what_a_cpu_cannot_do_is_named(execution, message):
    with pytest.raises(ConfigError, match=message):
        _learner(execution=Execution(**execution))


@pytest.mark.parametrize("dropout", [0.0, 0.2])
def test_compiled_layers_give_the_same_update(make_plan, monkeypatch, dropout):
    """Through torch.compile's tracer, but not its slow code generator."""
    monkeypatch.setattr(network, "COMPILER", "aot_eager")
    plan = make_plan(kinds=KINDS)
    compiled, state = _trained(_learner(dropout=dropout, execution=Execution(compile=True)), plan)
    plain, wanted = _trained(_learner(dropout=dropout), plan)
    np.testing.assert_allclose(compiled.row_losses, plain.row_losses, rtol=1e-4)
    torch.testing.assert_close(state.state[1], wanted.state[1], rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize(("wrong", "key"), [({"dropout": 1.0}, "dropout"), ({"dropout": -0.1}, "dropout")])
def test_wrong_options_are_named(wrong, key):
    with pytest.raises(ConfigError, match=key):
        _learner(**wrong)
