"""Light parameters of a transformers learner: what they change, what trains apart, and inner steps of theirs."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
import torch

from curriculum_rl.batch import Batch, Inner, SegmentPlan
from curriculum_rl.errors import ConfigError
from curriculum_rl.learners import BatchedLearner, TransformerConfig, load_learner
from curriculum_rl.learners.scoring import token_weights
from curriculum_rl.learners.transformers.inner import InnerGradient, Read
from curriculum_rl.learners.transformers.learner import TransformersLearner
from curriculum_rl.learners.transformers.light import Light, LightLearner, fresh, require_light
from curriculum_rl.schema.learners import OptimizerConfig

BERT = {
    "model_type": "bert",
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "max_position_embeddings": 16,
}
LABELS = (47, 48, 49)
KINDS = ("adapter", "lora", "head")


@dataclass
class Words:
    vocab_size: int = 50
    pad_id: int = 0
    eos_id: int = 1


def light_of(kind, **changes):
    if kind == "lora":
        pytest.importorskip("peft", reason="the optional library peft is not installed")
    sizes = {"adapter": {"size": 4}, "lora": {"rank": 2}}
    return Light(labels=LABELS, kind=kind, **sizes.get(kind, {}), **changes)


def made(kind="adapter", *, replicas=1, model=BERT, **changes):
    settings = OptimizerConfig(learning_rate=1e-2, weight_decay=0.0)
    learner = TransformersLearner(
        model, settings, head="masked", tokenizer=Words(), context=12, replicas=replicas,
        light=None if kind is None else light_of(kind, **changes),
    )  # fmt: skip
    learner.reset(list(range(3, 3 + replicas)))
    return learner


def tagged(batches=1, *, replicas=1, rows=4, seed=0):
    """Rows of 8 words whose label is their remainder by 3, then padding."""
    draw = np.random.default_rng(seed)
    ids = torch.zeros(batches, replicas, rows, 12, dtype=torch.int64)
    ids[..., :8] = torch.from_numpy(draw.integers(2, 47, (batches, replicas, rows, 8)))
    weights = (ids != 0).float()
    return Batch(ids, 47 + ids % 3, weights, torch.zeros(batches, replicas, rows, dtype=torch.bool))


def planned(updates, *, batches=1, moves="all", rate=1e-2, replicas=1):
    rates = np.full((updates, replicas), rate)
    return SegmentPlan(tagged(updates * batches, replicas=replicas), rates, label_ids=torch.tensor(LABELS), moves=moves)


def values(learner, which, replica=0):
    names = learner._part(which)
    return {name: learner.flat.parameters[name][replica].clone() for name in names}


def same(first, second):
    return all(torch.equal(value, second[name]) for name, value in first.items())


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_added_changes_nothing_at_first(kind):
    learner: Any = made(kind)
    plain: Any = made(None)
    offers_all = isinstance(learner, LightLearner)
    assert offers_all and learner.has_light
    assert not plain.has_light
    batch = tagged()[0]
    assert torch.equal(learner.features(batch), plain.features(batch))
    assert learner.size > plain.size
    # The head answers for the label tokens, the model itself for all others.
    others = torch.tensor([5, 6])
    torch.testing.assert_close(learner.label_logits(batch, others), plain.label_logits(batch, others))
    assert not torch.allclose(
        learner.label_logits(batch, torch.tensor(LABELS)), plain.label_logits(batch, torch.tensor(LABELS))
    )


def test_both_ways_to_the_head_agree():
    learner, batch = made(), tagged()[0]
    alone = learner.label_logits(batch, torch.tensor(LABELS[::-1]))
    torch.testing.assert_close(alone, learner.label_logits(batch, torch.tensor([5, *LABELS[::-1]]))[..., 1:])
    tags = learner.tag_logits(batch, torch.tensor(LABELS))
    assert tags.shape == (1, 4, 12, 3)
    losses = -tags.log_softmax(dim=-1).gather(-1, (batch.input_ids % 3)[..., None]).squeeze(-1) * batch.weights
    report = learner.train(planned(1))
    np.testing.assert_allclose(report.row_losses[0], (losses.sum(dim=2) / 8).numpy(), rtol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_resets(kind):
    learner = made(kind, replicas=2)
    body, light = values(learner, "body", 1), values(learner, "light", 1)
    learner.reset_light([8, 4])
    assert same(values(learner, "light", 1), light), "the seed of its reset"
    assert not same(values(learner, "light", 0), values(learner, "light", 1))
    learner.reset_light([8, 9])
    assert same(values(learner, "body", 1), body)
    assert not same(values(learner, "light", 1), light)
    assert fresh({"a.up.weight": (2, 3), "b.lora_B.x": (2, 3), "c.bias": (2,)}, 0).keys() == {
        "a.up.weight", "b.lora_B.x", "c.bias"
    }  # fmt: skip
    assert not any(value.any() for value in fresh({"a.up.weight": (2, 3), "b.lora_B.x": (2, 3)}, 0).values())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("moves", ["all", "body", "light"])
def test_an_update_moves_what_it_is_told(kind, moves):
    learner = made(kind)
    body, light = values(learner, "body"), values(learner, "light")
    before = learner.train(planned(40, moves=moves)).losses
    assert same(values(learner, "body"), body) == (moves == "light")
    assert same(values(learner, "light"), light) == (moves == "body")
    assert before[-5:].mean() < before[:5].mean()


def test_light_parameters_learn_at_a_rate_of_their_own():
    slow, fast = made(rate=1.0), made(rate=3.0)
    start = values(slow, "light")
    for learner in (slow, fast):
        learner.train(planned(1, rate=1e-3))
    name = "label_head.bias"
    moved = [values(learner, "light")[name] - start[name] for learner in (slow, fast)]
    torch.testing.assert_close(moved[1], 3 * moved[0], rtol=1e-4, atol=1e-9)
    assert same(values(slow, "body"), values(fast, "body"))


def test_replicas_have_no_neighbours():
    both, one = made(replicas=2), made()
    plan = planned(2, replicas=2, batches=3)
    inner = Inner(np.full(2, 2), 3, 0.1, moves="light")
    both.train_inner(plan, inner)
    mine = SegmentPlan(plan.batches[:, :1], plan.learning_rates[:, :1], label_ids=plan.label_ids)
    one.train_inner(mine, replace(inner, depths=inner.depths[:1]))
    assert same(values(one, "all"), values(both, "all", 0))


def test_saved_learners_are_plain_models_and_come_back_whole(tmp_path):
    from transformers import AutoModelForMaskedLM

    learner = made("adapter")
    learner.train(planned(3))
    learner.save(tmp_path)
    plain, told = AutoModelForMaskedLM.from_pretrained(tmp_path, output_loading_info=True)
    assert not told["missing_keys"]
    assert not told["unexpected_keys"]
    theirs = dict(plain.named_parameters())
    assert all(torch.equal(value, theirs[learner._plain[name]]) for name, value in values(learner, "body").items())
    loaded = load_learner(tmp_path)
    assert same(values(learner, "all"), values(loaded, "all"))
    again = made("lora", model=str(tmp_path))
    body = values(again, "body")
    assert all(torch.equal(theirs[again._plain[name]], value) for name, value in body.items())


def gradient(learner, moved, order, batches=3, depth=2, rate=0.3):
    """Of the body and the light parameters, where two inner steps lead, and the loss there."""
    leaves = learner._leaves
    read = tagged(batches, rows=3)
    reads = [
        Read(replace(read[j, 0], targets=read.input_ids[j, 0] % 3), token_weights(read.weights[j, 0]), (None,))
        for j in range(batches)
    ]
    start = {name: leaf.data for name, leaf in leaves.items()}
    inner = Inner(np.array([depth]), batches, rate, order)
    update = InnerGradient(learner.network, leaves, moved, inner, label_ids=torch.tensor(LABELS))
    found, nats = update(reads, depth, (0, 0))
    for name, leaf in leaves.items():
        leaf.data = start[name]
    return found, float(nats[-1].mean())


@pytest.mark.parametrize("which", ["light", "all"])
def test_second_order_is_the_derivative_through_the_inner_steps(which):
    learner = made()
    learner.model.double()
    moved = learner._part(which)
    exact, _ = gradient(learner, moved, 2)
    first, _ = gradient(learner, moved, 1)
    name = "bert.encoder.layer.0.output.dense.inside.weight"
    leaf = learner._leaves[name]
    way = torch.randn(leaf.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    losses = []
    for sign in (1, -1):
        leaf.data = leaf.data + sign * 1e-5 * way
        losses.append(gradient(learner, moved, 2)[1])
        leaf.data = leaf.data - sign * 1e-5 * way
    difference = (losses[0] - losses[1]) / 2e-5
    assert (exact[name] * way).sum().item() == pytest.approx(difference, rel=1e-6, abs=1e-9)
    assert (first[name] * way).sum().item() != pytest.approx(difference, rel=1e-3)


def test_an_inner_step_is_plain_sgd_and_first_order_the_gradient_where_it_led():
    learner = made()
    light = learner._part("light")
    start = {name: leaf.data for name, leaf in learner._leaves.items()}
    found, _ = gradient(learner, light, 1, batches=2, depth=1)
    steps, _ = gradient(learner, light, 1, batches=1, depth=0)
    for name, leaf in light.items():
        leaf.data = start[name] - 0.3 * steps[name]
    read = tagged(2, rows=3)
    there, _ = learner.network.gradients(
        learner._leaves, replace(read[1, 0], targets=read.input_ids[1, 0] % 3), token_weights(read.weights[1, 0]),
        (None,), label_ids=torch.tensor(LABELS),
    )  # fmt: skip
    for name, slope in found.items():
        torch.testing.assert_close(slope, there[name])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("order", [1, 2])
def test_the_inner_loop_leaves_the_body_bit_identical(kind, order):
    learner = made(kind)
    body, seen = values(learner, "body"), []
    learner.model.base_model.register_forward_pre_hook(
        lambda *_: seen.append(
            all(torch.equal(p.detach(), body[n]) for n, p in learner.model.named_parameters() if n in body)
        )
    )
    light = values(learner, "light")
    plan = planned(1, batches=4, moves="body")
    learner.train_inner(plan, Inner(np.array([3]), 4, 0.3, order, moves="light"))
    assert seen == [True] * 4, "inner steps and the outer batch read the body as it was"
    assert same(values(learner, "light"), light)
    assert not same(values(learner, "body"), body)


def test_costs():
    adapter, head = made("adapter"), made("head")
    for learner in (adapter, head):
        assert learner.label_flops(24, "light") == pytest.approx(2 * learner.label_flops(12, "light"))
        assert learner.label_flops(12, "light") < learner.label_flops(12, "body") <= learner.label_flops(12, "all")
    # A step of the head alone needs no gradient of anything below it.
    assert head.label_flops(12, "light") < 0.6 * adapter.label_flops(12, "light")


def test_what_cannot_be():
    with pytest.raises(ConfigError, match=r"light.adapted: no linear module"):
        made("adapter", adapted="nowhere")
    with pytest.raises(ConfigError, match=r"light.targets"):
        made("lora", targets=("nowhere",))
    with pytest.raises(ConfigError, match="kind: must be"):
        light_of("prefix")
    with pytest.raises(ConfigError, match=r"no label tokens"):
        Light(labels=())
    with pytest.raises(ConfigError, match=r"moves: needs a transformers learner with learner.light"):
        made(None).train(planned(1, moves="light"))
    native = BatchedLearner(TransformerConfig(vocab_size=50, layers=1, width=16, heads=2, context=12), pad_id=0)
    with pytest.raises(ConfigError, match=r"x: needs"):
        require_light(native, "x")
    checkpointing = made()
    assert checkpointing.refuses_inner(2) == ""
    checkpointing.optimizer = OptimizerConfig(accumulate=2)
    assert "accumulate" in checkpointing.refuses_inner(2)
