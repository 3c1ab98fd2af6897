"""Updates through inner steps: hand-worked gradients, finite differences, bits, price, refusals."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from made_models import GPT2, Words
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from curriculum_rl.batch import Batch, Inner, SegmentPlan
from curriculum_rl.errors import ConfigError
from curriculum_rl.learners.native import inner as inners
from curriculum_rl.learners.native.batched import BatchedLearner
from curriculum_rl.learners.native.inner import InnerUpdate, Read, require_inner
from curriculum_rl.learners.native.network import Network
from curriculum_rl.learners.native.transformer import TransformerConfig, forward_flops, initialise, shapes
from curriculum_rl.learners.native.update import Gradients, gradients
from curriculum_rl.learners.optimizer import adamw, clip_by_norm
from curriculum_rl.learners.scoring import outlines, token_weights
from curriculum_rl.learners.transformers.learner import TransformersLearner
from curriculum_rl.methods import MetaTrain
from curriculum_rl.schema.learners import OptimizerConfig

KINDS = ("causal", "mixed", "masked")


def _learner(replicas=1, *, optimizer=None, **changes):
    config = TransformerConfig(**({"vocab_size": 50, "layers": 2, "width": 32, "heads": 2, "context": 16} | changes))
    return BatchedLearner(config, optimizer, replicas=replicas, pad_id=0)


def _inner(*depths, batches=None, rate=0.1, order=1):
    return Inner(np.array(depths), max(depths) + 1 if batches is None else batches, rate, order)


def _grouped(plan, batches):
    """The plan's batches, several to an update."""
    return SegmentPlan(plan.batches, plan.learning_rates[::batches])


def _of(plan, n):
    return SegmentPlan(plan.batches[:, n : n + 1], plan.learning_rates[:, n : n + 1])


def _reads(batches, chunk=128):
    todo, shares = outlines(batches, parts=1, chunk=chunk), token_weights(batches.weights)
    return [Read(batches[i], shares[i], one, torch.zeros(0)) for i, one in enumerate(todo)]


class Bowl:
    """L(theta; c) = (theta - c)^2 / 2, one number for each replica; `shares` carries c."""

    @staticmethod
    def gradients(network, leaves, batch, shares, outline, *, sources=None, **others):
        (theta,) = leaves.values()
        loss = ((theta - shares) ** 2).sum() / 2
        slopes = torch.autograd.grad(loss, list((sources or leaves).values()))
        return Gradients(dict(zip(leaves, slopes, strict=True)), torch.zeros(len(theta), 1), None)

    @staticmethod
    def differentiable(network, leaves, batch, shares, outline, **others):
        (theta,) = leaves.values()
        (slope,) = torch.autograd.grad(((theta - shares) ** 2).sum() / 2, [theta], create_graph=True)
        return {"theta": slope}, torch.zeros(len(theta), 1)


@pytest.fixture
def bowl(monkeypatch):
    monkeypatch.setattr(inners, "gradients", Bowl.gradients)
    monkeypatch.setattr(inners, "differentiable_gradients", Bowl.differentiable)

    def gradient(inner, theta, *centres):
        leaves = {"theta": torch.tensor(theta).requires_grad_()}
        nothing: Any = None
        reads = [Read(nothing, torch.tensor(c), nothing, nothing) for c in centres]
        slopes, _ = InnerUpdate(nothing, inner)(leaves, reads)
        assert leaves["theta"].tolist() == theta
        return slopes["theta"].tolist()

    return gradient


def test_hand_worked_gradients(bowl):
    """From 2 an inner step of 1/4 towards 0 leads to 1.5, a second one to 1.125; the last centre is 1."""
    assert bowl(_inner(0), [2.0], [1.0]) == [1.0]
    assert bowl(_inner(1, rate=0.25), [2.0], [0.0], [1.0]) == [0.5]
    assert bowl(_inner(2, rate=0.25), [2.0], [0.0], [0.0], [1.0]) == [0.125]
    assert bowl(_inner(1, rate=0.25, order=2), [2.0], [0.0], [1.0]) == [0.75 * 0.5]
    assert bowl(_inner(2, rate=0.25, order=2), [2.0], [0.0], [0.0], [1.0]) == [0.75**2 * 0.125]


def test_replicas_of_less_depth_take_the_mean_of_more_batches(bowl):
    """Three batches with centres 0, 0.5, 1: at depth 0 the mean of 2, 1.5, 1; at depth 1 of 1 and 0.5, from 1.5."""
    centres = ([0.0] * 3, [0.5] * 3, [1.0] * 3)
    found = bowl(_inner(0, 1, 2, rate=0.25), [2.0, 2.0, 2.0], *centres)
    assert found == pytest.approx([1.5, 0.75, 0.25])


@pytest.mark.parametrize("activation", ["relu2", "gelu"])
@pytest.mark.parametrize("depth", [1, 2])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_second_order_equals_finite_differences(make_plan, activation, depth, smoothing):
    """In float64, along a random direction; first order does not equal them."""
    config = TransformerConfig(vocab_size=20, layers=2, width=16, heads=2, context=8, activation=activation)
    leaves = {name: torch.zeros(3, *shape, dtype=torch.float64) for name, shape in shapes(config).items()}
    initialise(leaves, config, [1, 2, 3])
    batches = make_plan(kinds=KINDS, updates=depth + 1, rows=3, length=8, vocab=20).batches
    reads = [read._replace(shares=read.shares.double()) for read in _reads(batches)]
    network = Network(config, 0, torch.float64)

    def slopes(order, at):
        update = InnerUpdate(network, _inner(*[depth] * 3, rate=0.5, order=order), smoothing)
        return update({name: leaf.clone().requires_grad_() for name, leaf in at.items()}, reads)[0]

    def value(at):
        """(3,) the last loss where plain first-order steps lead."""
        moved = {name: leaf.clone().requires_grad_() for name, leaf in at.items()}
        for read in reads[:-1]:
            found = gradients(network, moved, read.batch, read.shares, read.outline, smoothing=smoothing)
            moved = {
                name: (moved[name] - 0.5 * slope).detach().requires_grad_() for name, slope in found.slopes.items()
            }
        last = reads[-1]
        with torch.no_grad():
            hidden = network.hidden(moved, last.batch, causal=last.outline.causal)
            likelihoods = (hidden @ moved["embedding"].transpose(1, 2)).log_softmax(-1)
        nll = -likelihoods.gather(2, last.batch.targets.reshape(3, -1, 1))[..., 0]
        return (torch.lerp(nll, -likelihoods.mean(-1), smoothing) * last.shares.reshape(3, -1)).sum(1)

    draw = torch.Generator().manual_seed(0)
    way = {name: torch.randn(leaf.shape, generator=draw, dtype=torch.float64) for name, leaf in leaves.items()}
    h = 1e-6
    ends = [value({name: leaf + sign * h * way[name] for name, leaf in leaves.items()}) for sign in (1, -1)]
    wanted = (ends[0] - ends[1]) / (2 * h)

    def along(order):
        return sum((slope * way[name]).flatten(1).sum(1) for name, slope in slopes(order, leaves).items())

    torch.testing.assert_close(along(2), wanted, rtol=1e-6, atol=1e-7)
    assert ((along(1) - wanted).abs() > 1e-3 * wanted.abs()).all()


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("dropout", [0.0, 0.2])
def test_depth_0_is_a_plain_update_bit_for_bit(make_plan, order, dropout):
    plan = make_plan(kinds=KINDS, updates=4)
    plain, through = (_learner(3, dropout=dropout) for _ in range(2))
    wanted = plain.train(plan)
    found = through.train_inner(plan, _inner(0, 0, 0, order=order))
    assert torch.equal(plain.flat.state, through.flat.state)
    for name in ("row_losses", "losses", "gradient_norms", "finite"):
        assert np.array_equal(getattr(wanted, name), getattr(found, name))


def test_depth_0_in_parts_is_a_plain_update_in_parts(make_plan):
    plan = make_plan(kinds=KINDS, updates=3)
    plain, through = (_learner(3, optimizer=OptimizerConfig(accumulate=2)) for _ in range(2))
    plain.train(plan)
    through.train_inner(plan, _inner(0, 0, 0))
    assert torch.equal(plain.flat.state, through.flat.state)


def test_an_update_by_hand(make_plan):
    """SGD on a copy of everything, then AdamW with the gradient there; every parameter takes the inner step."""
    plan = _grouped(make_plan(updates=2), 2)
    learner, other = _learner(), _learner()
    report = learner.train_inner(plan, _inner(1, rate=0.3))
    first, last = _reads(plan.batches)
    trainee = other._trainee
    slopes = gradients(trainee.network, trainee.leaves, first.batch, first.shares, first.outline).slopes
    before = {name: leaf.detach().clone() for name, leaf in trainee.leaves.items()}
    moved = {name: (leaf - 0.3 * slopes[name]).requires_grad_() for name, leaf in before.items()}
    assert all((moved[name] != before[name]).any() for name in moved)
    there, nats, _ = gradients(trainee.network, moved, last.batch, last.shares, last.outline)
    norm = clip_by_norm(there, other.optimizer.clip)
    adamw(other.flat, there, plan.learning_rates[0], other.optimizer)
    assert torch.equal(learner.flat.state, other.flat.state)
    assert report.row_losses.shape == (2, 1, 4)
    assert np.array_equal(report.row_losses[1], nats.double().numpy())
    assert report.losses[0, 0] == report.row_losses[1].mean()
    assert report.gradient_norms[0, 0] == norm.item()


@pytest.mark.parametrize(("order", "depths"), [(1, (0, 2, 1)), (2, (2, 2, 2))])
def test_a_replica_does_not_depend_on_its_neighbours(make_plan, order, depths):
    plan = _grouped(make_plan(kinds=KINDS, updates=6), 3)
    together = _learner(3, dropout=0.1)
    report = together.train_inner(plan, _inner(*depths, batches=3, order=order))
    for n, depth in enumerate(depths):
        alone = _learner(dropout=0.1)
        alone.reset([n])
        single = alone.train_inner(_of(plan, n), _inner(depth, batches=3, order=order))
        for name, block in alone.flat.parameters.items():
            assert torch.equal(block[0], together.flat.parameters[name][n])
        assert np.array_equal(single.row_losses[:, 0], report.row_losses[:, n])
        assert np.array_equal(single.losses[:, 0], report.losses[:, n])


def test_what_an_inner_step_drops_is_its_own(make_plan):
    """The same rows twice, the step between them as good as none."""
    plan = make_plan(updates=1)
    twice = Batch(*(torch.cat([t, t]) for t in plan.batches.tensors()))
    learner = _learner(dropout=0.5)
    report = learner.train_inner(SegmentPlan(twice, plan.learning_rates), _inner(1, rate=1e-9))
    assert np.abs(report.row_losses[0] - report.row_losses[1]).min() > 1e-4


def test_an_inner_step_takes_off_its_own_loss(make_plan):
    plan = make_plan(updates=1)
    twice = Batch(*(torch.cat([t, t]) for t in plan.batches.tensors()))
    report = _learner().train_inner(SegmentPlan(twice, plan.learning_rates), _inner(1, rate=0.1))
    assert report.losses[0, 0] < report.row_losses[0].mean() - 0.01


def test_an_inner_explosion_is_seen(make_plan):
    plan = _grouped(make_plan(kinds=("causal", "causal"), updates=3), 3)
    report = _learner(2).train_inner(plan, _inner(2, 0, rate=1e6))
    assert report.finite.tolist() == [False, True]


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("depth", [0, 1, 3])
def test_the_price_is_what_is_computed(make_plan, order, depth):
    learner = _learner(width=64, context=8, vocab_size=20)
    plan = _grouped(make_plan(updates=depth + 1, rows=8, length=8, vocab=20), depth + 1)
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        learner.train_inner(plan, _inner(depth, order=order))
    price = MetaTrain((depth,), 0.1, order, same_task=False).flops(learner, 64)
    assert counter.get_total_flops() == pytest.approx(price, rel=0.03)
    assert price == 3 * forward_flops(learner.config, 64) * (1 + depth * (1 if order == 1 else 3))


@pytest.mark.parametrize("depths", [(0, 0), (1, 0), (2, 2)])
def test_a_transformers_model_by_hand(make_plan, depths):
    def made():
        return TransformersLearner(GPT2, head="causal", tokenizer=Words(), context=16, replicas=2)

    learner, other = made(), made()
    plan = _grouped(make_plan(kinds=("causal", "causal"), updates=3), 3)
    report = learner.train_inner(plan, _inner(*depths, batches=3, rate=0.2))
    for n, depth in enumerate(depths):
        start = other.snapshot()
        reads = _reads(plan.batches[:, n : n + 1], chunk=64)
        slopes, losses = [], []
        for j, read in enumerate(reads):
            other._become(n)
            slope, nats = other.network.gradients(other._leaves, read.batch[0], read.shares[0], read.outline.limits)
            losses.append(nats)
            if j < depth:
                for name, value in slope.items():
                    other.flat.parameters[name][n] -= 0.2 * value
            else:
                slopes.append(slope)
        other.restore(start)
        mean = {name: torch.stack([slope[name] for slope in slopes]).mean(0)[None] for name in slopes[0]}
        norm = clip_by_norm(mean, learner.optimizer.clip)
        assert report.gradient_norms[0, n] == pytest.approx(norm.item(), rel=1e-5)
        np.testing.assert_allclose(report.row_losses[:, n], torch.stack(losses), rtol=1e-5)
    assert learner.flat.steps.tolist() == [1, 1]


def test_a_transformers_model_at_depth_0_makes_plain_updates(make_plan):
    plan = make_plan(kinds=("causal", "causal"), updates=3)
    plain, through = (
        TransformersLearner(GPT2, head="causal", tokenizer=Words(), context=16, replicas=2) for _ in range(2)
    )
    plain.train(plan)
    through.train_inner(plan, _inner(0, 0))
    assert torch.equal(plain.flat.state, through.flat.state)


def test_learners_that_cannot_say_what_to_change(monkeypatch):
    with pytest.raises(ConfigError, match="SimpleNamespace has no train_inner"):
        require_inner(SimpleNamespace(), 1)
    parts = _learner(optimizer=OptimizerConfig(accumulate=2))
    require_inner(parts, 1)
    with pytest.raises(ConfigError, match=r"order 2 cannot train BatchedLearner: optimizer.accumulate must be 1"):
        require_inner(parts, 2)
    model = TransformersLearner(GPT2, head="causal", tokenizer=Words(), context=16)
    require_inner(model, 1)
    require_inner(model, 2)
    model.optimizer = OptimizerConfig(accumulate=2)
    with pytest.raises(ConfigError, match=r"order 2 cannot train TransformersLearner: optimizer.accumulate must be 1"):
        require_inner(model, 2)
    monkeypatch.setattr(BatchedLearner, "captured", True)
    with pytest.raises(ConfigError, match=r"learner.capture records plain updates: switch it off"):
        require_inner(_learner(), 1)


@pytest.mark.parametrize(
    ("inner", "message"),
    [
        (_inner(1, 1, batches=2), r"learning_rates must be \(k, N\)"),
        (_inner(3, 3, batches=3), r"inner.depths must be \(2,\) in \[0, 2\]"),
        (_inner(1, batches=3), r"inner.depths must be \(2,\)"),
        (_inner(1, 2, batches=3, order=2), r"must all be 2 at order 2"),
    ],
)
def test_plans_that_do_not_fit(make_plan, inner, message):
    plan = _grouped(make_plan(kinds=("causal", "causal"), updates=3), 3)
    with pytest.raises(ValueError, match=message):
        _learner(2).train_inner(plan, inner)
