"""Weighted updates: hand-formed sums, bits, what dev examples show and leave alone, refusals."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from made_models import BERT, GPT2, Words

from curriculum_rl.batch import Batch, Dev, HeadFit, SegmentPlan
from curriculum_rl.errors import ConfigError
from curriculum_rl.learners.dev_head import cosines, fitted_head
from curriculum_rl.learners.native.batched import BatchedLearner
from curriculum_rl.learners.native.transformer import TransformerConfig
from curriculum_rl.learners.native.update import gradients
from curriculum_rl.learners.native.weighted import require_weighted
from curriculum_rl.learners.optimizer import adamw, clip_by_norm
from curriculum_rl.learners.scoring import outlines, token_weights
from curriculum_rl.learners.transformers.learner import TransformersLearner
from curriculum_rl.schema.learners import ModelOptions, OptimizerConfig

FIT = HeadFit(classes=3, pool="mean", rate=1e-2, decay=0.1, betas=(0.9, 0.98), steps=4, tolerance=0.0)
KINDS = ("causal", "mixed", "masked")


def native(replicas=1, *, optimizer=None, **changes):
    config = TransformerConfig(**({"vocab_size": 50, "layers": 2, "width": 32, "heads": 2, "context": 16} | changes))
    return BatchedLearner(config, optimizer, replicas=replicas, pad_id=0)


def transformers(replicas=1, *, optimizer=None, model=GPT2, head="causal", **options):
    return TransformersLearner(
        model, optimizer, head=head, tokenizer=Words(), context=16, replicas=replicas, options=ModelOptions(**options)
    )


def grouped(plan, m):
    """The plan's batches, m to an update."""
    return replace(plan, learning_rates=plan.learning_rates[::m])


def listening(plan, m, *, examples=6, causal=True, seed=0, fit=FIT):
    """The same with dev examples, each replica's its own."""
    k = len(plan.learning_rates) // m
    N, B = plan.batches.weights.shape[1:3]

    def rows(n, count, stream):
        draw = torch.Generator().manual_seed(100 * seed + 10 * n + stream)
        ids = torch.randint(3, 50, (k, 1, count, 16), generator=draw)
        ids[..., 12:] = 0
        return ids, torch.randint(3, (k, 1, count), generator=draw)

    found: list[tuple[Batch, torch.Tensor]] = []
    for count, stream in ((examples, 0), (B, 1)):
        ids, classes = (torch.cat(parts, 1) for parts in zip(*(rows(n, count, stream) for n in range(N)), strict=True))
        scored = torch.zeros(ids.shape).index_fill(-1, torch.tensor(11), 1.0)
        batch = Batch(ids, ids, scored, torch.full(ids.shape[:-1], causal))
        found.append((batch, classes))
    return replace(grouped(plan, m), dev=Dev(*found[0], *found[1], fit))


def of(plan, n):
    """The part of a replica."""
    dev = plan.dev
    if dev is not None:
        dev = Dev(
            dev.support[:, n : n + 1],
            dev.support_classes[:, n : n + 1],
            dev.query[:, n : n + 1],
            dev.query_classes[:, n : n + 1],
            dev.fit,
        )
    return replace(plan, batches=plan.batches[:, n : n + 1], learning_rates=plan.learning_rates[:, n : n + 1], dev=dev)


@pytest.mark.parametrize("made", [native, transformers])
@pytest.mark.parametrize("accumulate", [1, 2])
def test_one_batch_of_weight_1_is_a_plain_update(made, accumulate, make_plan):
    """Bit for bit, figures too; clipping and dropout are the learner's own."""
    plan = make_plan(kinds=("causal", "causal"))
    options = {"optimizer": OptimizerConfig(clip=0.5, accumulate=accumulate, label_smoothing=0.1)}
    dropout = {"dropout": 0.1} if made is native else {"dropout": True}
    plain, weighted = made(2, **options, **dropout), made(2, **options, **dropout)
    wanted, found = plain.train(plan), weighted.train_weighted(plan, np.ones((2, 1)))
    assert torch.equal(plain.snapshot().state, weighted.snapshot().state)
    for name in ("row_losses", "losses", "gradient_norms", "finite"):
        np.testing.assert_array_equal(getattr(found, name), getattr(wanted, name))
    assert found.alignments is None


def test_the_sum_by_hand(make_plan):
    """Two batches at .3 and .7: clip and AdamW of .3 g_1 + .7 g_2, two updates of it; the loss is weighted too."""
    plan = grouped(make_plan(updates=4, kinds=("mixed",)), 2)
    learner, by_hand = native(), native()
    found = learner.train_weighted(plan, np.array([[0.3, 0.7]]))
    todo = outlines(plan.batches, parts=1, chunk=128)
    shares = token_weights(plan.batches.weights)
    trainee = by_hand._trainee
    for i in range(2):
        first, second = (
            gradients(trainee.network, trainee.leaves, plan.batches[j], shares[j], todo[j]) for j in (2 * i, 2 * i + 1)
        )
        total = {name: 0.3 * slope + 0.7 * second.slopes[name] for name, slope in first.slopes.items()}
        assert found.losses[i, 0] == pytest.approx(
            0.3 * float(first.row_losses.mean()) + 0.7 * float(second.row_losses.mean())
        )
        norm = clip_by_norm(total, by_hand.optimizer.clip)
        assert found.gradient_norms[i, 0] == pytest.approx(float(norm[0]))
        adamw(by_hand.flat, total, plan.learning_rates[i], by_hand.optimizer)
    assert torch.allclose(learner.snapshot().state, by_hand.snapshot().state, atol=1e-7)
    assert found.row_losses.shape == (4, 1, 4)


def test_transformers_sum_by_hand(make_plan):
    """Adam's first moment after one unclipped update is .1 of the gradient: those of two alone, weighted, make it."""
    optimizer = OptimizerConfig(clip=float("inf"), betas=(0.9, 0.95))
    plan = make_plan(updates=2)
    firsts = []
    for j in range(2):
        alone = transformers(optimizer=optimizer)
        alone.train(SegmentPlan(plan.batches[j : j + 1], plan.learning_rates[:1]))
        firsts.append(alone.snapshot().state[1])
    both = transformers(optimizer=optimizer)
    both.train_weighted(grouped(plan, 2), np.array([[0.25, 0.75]]))
    assert torch.allclose(both.snapshot().state[1], 0.25 * firsts[0] + 0.75 * firsts[1], atol=1e-8)


@pytest.mark.parametrize("made", [native, transformers])
@pytest.mark.parametrize("accumulate", [1, 2])
def test_listening_changes_no_bit(made, accumulate, make_plan):
    plan = make_plan(updates=4, kinds=("causal", "causal"))
    weights = np.array([[0.3, 0.7], [0.5, 0.5]])
    options = {"optimizer": OptimizerConfig(accumulate=accumulate)}
    dropout = {"dropout": 0.1} if made is native else {"dropout": True}
    deaf, hearing = made(2, **options, **dropout), made(2, **options, **dropout)
    wanted = deaf.train_weighted(grouped(plan, 2), weights)
    found = hearing.train_weighted(listening(plan, 2), weights)
    assert torch.equal(deaf.snapshot().state, hearing.snapshot().state)
    np.testing.assert_array_equal(found.row_losses, wanted.row_losses)
    assert found.alignments.shape == (2, 2, 2)
    assert (np.abs(found.alignments) > 1e-3).all() and (np.abs(found.alignments) < 1).all()


def test_listening_in_parts(make_plan):
    """`accumulate` changes rounding alone."""
    plan = listening(make_plan(updates=2), 2)
    found = [
        native(optimizer=OptimizerConfig(accumulate=parts)).train_weighted(plan, np.array([[0.5, 0.5]])).alignments
        for parts in (1, 2, 4)
    ]
    assert found[1] == pytest.approx(found[0], abs=1e-5)
    assert found[2] == pytest.approx(found[0], abs=1e-5)


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize(("causal", "pool"), [(True, "mean"), (False, "mean"), (False, "cls")])
def test_native_cosines_by_hand(tied, causal, pool, make_plan):
    """Through the mean and a head fitted on `features`, or the state at place 11; the output table is left out."""
    fit = replace(FIT, pool=pool)
    plan = listening(make_plan(updates=2, kinds=("mixed",)), 2, causal=causal, fit=fit)
    learner, dev = native(tied=tied), plan.dev
    trainee = native(tied=tied)._trainee
    part = slice(0, 12) if pool == "mean" else slice(11, 12)

    def read(leaves, batch):
        return trainee.network.hidden(leaves, batch, causal=causal).view(-1, 16, 32)[:, part].mean(dim=1)

    found = read(trainee.leaves, dev.support[0]).detach()
    if pool == "mean":
        assert torch.allclose(found, learner.features(dev.support[0])[0], atol=1e-6)
    weights, biases = fitted_head(found, dev.support_classes[0, 0], fit)
    leaves = {name: leaf.detach().clone().requires_grad_() for name, leaf in trainee.leaves.items()}
    F.cross_entropy(read(leaves, dev.query[0]) @ weights + biases, dev.query_classes[0, 0]).backward()
    shared = [name for name in leaves if name != ("embedding" if tied else "head")]
    wanted = []
    for j, outline in enumerate(outlines(plan.batches, parts=1, chunk=128)):
        slopes, *_ = gradients(
            trainee.network, trainee.leaves, plan.batches[j], token_weights(plan.batches.weights)[j], outline
        )
        ours, theirs = (
            torch.cat([values[name].flatten() for name in shared])
            for values in (slopes, {name: leaf.grad for name, leaf in leaves.items() if name in shared})
        )
        wanted.append(float(F.cosine_similarity(ours, theirs, dim=0)))
    assert learner.train_weighted(plan, np.array([[0.9, 0.1]])).alignments[0, 0] == pytest.approx(wanted, abs=1e-5)


@pytest.mark.parametrize("pool", ["mean", "cls"])
@pytest.mark.parametrize(("model", "head"), [(GPT2, "causal"), (BERT, "masked")])
def test_transformers_cosines_by_hand(model, head, pool, make_plan):
    """Over the body without the embedding that is tied to the head."""
    causal = head == "causal"
    fit = replace(FIT, pool=pool)
    plan = listening(make_plan(updates=1, kinds=(head,)), 1, causal=causal, fit=fit)
    learner, dev = transformers(model=model, head=head), plan.dev

    def read(batch):
        ids = batch.input_ids[0]
        mask = learner.network._mask(ids)
        states = learner.model(input_ids=ids, attention_mask=mask, output_hidden_states=True).hidden_states[-1]
        return states[:, :12].mean(dim=1) if pool == "mean" else states[:, 11]

    weights, biases = fitted_head(read(dev.support[0]).detach(), dev.support_classes[0, 0], fit)
    leaves = dict(learner.model.base_model.named_parameters())
    table = id(learner.model.get_output_embeddings().weight)
    shared = [p for p in leaves.values() if id(p) != table]
    assert len(shared) == len(leaves) - 1
    loss = F.cross_entropy(read(dev.query[0]) @ weights + biases, dev.query_classes[0, 0])
    theirs = torch.autograd.grad(loss, shared, allow_unused=True)
    batch, share = plan.batches[0, 0], token_weights(plan.batches.weights)[0, 0]
    (outline,) = outlines(plan.batches, parts=1, chunk=64)
    named = {str(place): p for place, p in enumerate(shared)}
    slopes, _ = learner.network.gradients(named, batch, share, outline.limits)
    dev_flat, own_flat = (
        torch.cat([(torch.zeros_like(p) if g is None else g).flatten() for p, g in zip(shared, some, strict=True)])
        for some in (theirs, list(slopes.values()))
    )
    wanted = float(F.cosine_similarity(own_flat, dev_flat, dim=0))
    found = learner.train_weighted(plan, np.ones((1, 1))).alignments
    assert found[0, 0, 0] == pytest.approx(wanted, abs=1e-5)
    assert abs(wanted) > 1e-3


def test_cosines_by_hand():
    """3-4-5; opposite; and 0 where a gradient vanishes."""
    slopes = {"a": torch.tensor([[3.0], [-1.0], [0.0]]), "b": torch.tensor([[4.0], [-1.0], [0.0]])}
    dev = {"a": torch.tensor([[1.0], [2.0], [1.0]]), "b": torch.tensor([[0.0], [2.0], [1.0]])}
    assert cosines(slopes, dev, 3).tolist() == pytest.approx([0.6, -1.0, 0.0])
    assert cosines({**slopes, "head": torch.ones(3, 9)}, dev, 3).tolist() == pytest.approx([0.6, -1.0, 0.0])


def test_the_fit_of_a_head():
    """AdamW's first step is the rate along each sign; a fit ends when its loss stands still."""
    features, classes = torch.tensor([[2.0, 0.0], [0.0, 1.0]]), torch.tensor([0, 1])
    one = replace(FIT, classes=2, steps=1, decay=0.0)
    weights, biases = fitted_head(features, classes, one)
    assert weights.tolist() == [
        [pytest.approx(0.01), pytest.approx(-0.01)],
        [pytest.approx(-0.01), pytest.approx(0.01)],
    ]
    assert biases.abs().max() < 1e-2
    patient, hasty = (fitted_head(features, classes, replace(one, steps=50, tolerance=t))[0] for t in (0.0, 1.0))
    assert F.cross_entropy(features @ patient, classes) < 0.4
    assert hasty.abs().max() < 0.03


@pytest.mark.parametrize("made", [native, transformers])
def test_replicas_do_not_depend_on_neighbours(made, make_plan):
    """Three side by side are what each is alone, bit for bit, in what they hear too."""
    kinds = KINDS if made is native else ("causal",) * 3
    plan = listening(make_plan(updates=6, kinds=kinds), 3)
    weights = np.array([[0.2, 0.3, 0.5], [1.0, 0.0, 0.0], [1 / 3, 1 / 3, 1 / 3]])
    together = made(3)
    together.reset([5, 6, 7])
    found = together.train_weighted(plan, weights)
    for n in range(3):
        alone = made(1)
        alone.reset([5 + n])
        own = alone.train_weighted(of(plan, n), weights[n : n + 1])
        for name, block in alone.flat.parameters.items():
            assert torch.equal(together.flat.parameters[name][n], block[0]), name
        np.testing.assert_array_equal(found.alignments[:, n], own.alignments[:, 0])
        np.testing.assert_array_equal(found.gradient_norms[:, n], own.gradient_norms[:, 0])


def test_a_batch_that_explodes_marks_its_replica(make_plan):
    plan = grouped(make_plan(updates=2, kinds=("causal", "causal")), 2)
    learner = native(2)
    learner.flat.parameters["up.0"][1] = float("nan")
    assert learner.train_weighted(plan, np.full((2, 2), 0.5)).finite.tolist() == [True, False]


def test_refusals(make_plan):
    plan = grouped(make_plan(updates=2), 2)
    for weights in (np.ones((2, 2)), np.array([[1.0, -0.1]]), np.array([[1.0, np.nan]]), np.ones(2)):
        with pytest.raises(ValueError, match="weights must be"):
            native().train_weighted(plan, weights)
    with pytest.raises(ValueError, match="learning_rates"):
        native().train_weighted(plan, np.ones((1, 1)))
    with pytest.raises(ValueError, match="know neither"):
        native().train_weighted(replace(plan, label_ids=torch.tensor([3])), np.ones((1, 2)))
    with pytest.raises(ValueError, match="only weighted updates"):
        native().train(listening(make_plan(), 1))
    short = listening(make_plan(updates=2), 2)
    with pytest.raises(ValueError, match=r"plan\.dev must have"):
        native().train_weighted(
            replace(short, dev=replace(short.dev, query_classes=torch.zeros(1, 1, 3))), np.ones((1, 2))
        )
    with pytest.raises(ConfigError, match="has no train_weighted"):
        require_weighted(object())  # type: ignore[arg-type]
    learner = native()
    learner._captured = object()
    with pytest.raises(ConfigError, match=r"learner\.capture"):
        require_weighted(learner)
