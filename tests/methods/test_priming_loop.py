"""The priming loop on a tiny backbone: what it moves, what it leaves alone, and its gradients by hand."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch

from curriculum_rl.errors import ConfigError
from curriculum_rl.methods.priming import Priming, PrimingRun, Settings, Tagger, adapt, in_turn, prime, tune
from curriculum_rl.methods.priming.ner import Sentence
from curriculum_rl.methods.priming.rows import encoded

BERT = {
    "model_type": "bert",
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "max_position_embeddings": 16,
}
TAGS = ("O", "B-PER")
SMALL = Settings(context=8, batch=4, steps=3, inner_rate=0.5, budget=12, adapter=4, lora_rank=2, epochs=10, look=1)


@dataclass
class Letters:
    vocab_size: int = 40
    pad_id: int = 0
    eos_id: int = 1

    def encode(self, texts):
        return [[2 + ord(letter) % 30 for letter in text.strip()] for text in texts]


def some_rows(seed, count=24):
    """Capital letters are entities."""
    draw = np.random.default_rng(seed)
    words = [[str(word) for word in draw.choice(list("abcXYZ"), size=draw.integers(1, 6))] for _ in range(count)]
    rows = [Sentence(tuple(row), tuple("B-PER" if word.isupper() else "O" for word in row)) for row in words]
    return encoded(rows, TAGS, Letters(), context=8)


def made(pe, settings=SMALL, seed=0):
    if pe == "lora":
        pytest.importorskip("peft", reason="the optional library peft is not installed")
    return Tagger(BERT, Letters(), tags=2, pe=pe, settings=settings, seed=seed)


def started(kind, pe, settings=SMALL):
    return PrimingRun(made(pe, settings), Priming(kind, pe), [some_rows(n) for n in range(3)], settings, seed=0)


def copies(parameters):
    return {name: p.detach().clone() for name, p in parameters.items()}


def same(parameters, others):
    return all(torch.equal(p, others[name]) for name, p in parameters.items())


@pytest.mark.parametrize("pe", ["adapter", "lora", "head"])
def test_what_is_added_changes_nothing_at_first(pe):
    tagger, plain = made(pe), made("head")
    ids = torch.from_numpy(some_rows(0).ids)
    torch.testing.assert_close(tagger(ids), plain(ids))
    assert {name.split(".")[0] for name in tagger.light} == ({"head"} if pe == "head" else {"head", "backbone"})
    assert tagger.state().keys() == plain.state().keys()
    for p in tagger.body.values():
        torch.nn.init.normal_(p)
    plain.load(tagger.state())
    assert all(torch.equal(p, plain.state()[name]) for name, p in tagger.state().items())


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("pe", ["adapter", "lora", "head"])
def test_the_inner_loop_leaves_the_backbone_bit_identical(pe, order):
    settings = replace(SMALL, order=order)
    tagger, rows = made(pe, settings), some_rows(0)
    body, light, read = copies(tagger.body), copies(tagger.light), []
    tagger.backbone.register_forward_pre_hook(
        lambda *_: read.append(same({n: p for n, p in tagger.named_parameters() if n in body}, body))
    )
    with tagger.attention():
        adapted = adapt(tagger, [rows.drawn(0, "x", 4 * n, 4, tagger.device) for n in range(3)], settings)
    assert same(tagger.body, body)
    assert same(tagger.light, light)
    assert adapted.values.keys() == light.keys()
    assert not same(adapted.values, light)
    # While a step runs the backbone is replaced by tensors of the same numbers.
    assert read[:3] == [True] * 3


def test_an_inner_step_is_plain_sgd():
    tagger, batch = made("adapter"), some_rows(0).drawn(0, "x", 0, 4, torch.device("cpu"))
    tagger.loss(batch).backward()
    adapted = adapt(tagger, [batch], SMALL).values
    for name, p in tagger.light.items():
        torch.testing.assert_close(adapted[name], p - 0.5 * p.grad)


def outer_loss(tagger, settings):
    batches = [some_rows(0).drawn(0, "x", 4 * n, 4, tagger.device) for n in range(3)]
    with tagger.attention():
        return tagger.loss(batches[2], adapt(tagger, batches[:2], settings).values)


def test_second_order_is_the_derivative_through_the_inner_loop():
    settings = replace(SMALL, order=2)
    tagger = made("adapter", settings).double()
    name = next(name for name in tagger.body if name.endswith("layer.0.output.dense.inside.weight"))
    weight = tagger.body[name]
    slope = torch.autograd.grad(outer_loss(tagger, settings), weight)[0]
    first = torch.autograd.grad(outer_loss(tagger, SMALL), weight)[0]
    with torch.no_grad():
        direction = torch.randn(weight.shape, dtype=weight.dtype, generator=torch.Generator().manual_seed(0))
    losses = []
    for sign in (1, -1):
        with torch.no_grad():
            weight += sign * 1e-5 * direction
        losses.append(outer_loss(tagger, settings).item())
        with torch.no_grad():
            weight -= sign * 1e-5 * direction
    difference = (losses[0] - losses[1]) / 2e-5
    assert (slope * direction).sum().item() == pytest.approx(difference, rel=1e-6, abs=1e-9)
    assert (first * direction).sum().item() != pytest.approx(difference, rel=1e-3)


def test_first_order_is_the_gradient_at_the_adapted_point():
    tagger = made("adapter")
    outer_loss(tagger, SMALL).backward()
    mine = {name: p.grad.clone() for name, p in (tagger.body | tagger.light).items() if p.grad is not None}
    batches = [some_rows(0).drawn(0, "x", 4 * n, 4, tagger.device) for n in range(3)]
    adapted = copies(adapt(tagger, batches[:2], SMALL).values)
    tagger.zero_grad()
    with torch.no_grad():
        for name, p in tagger.light.items():
            p.copy_(adapted[name])
    tagger.loss(batches[2]).backward()
    for name, slope in mine.items():
        torch.testing.assert_close(slope, tagger.get_parameter(name).grad)


@pytest.mark.parametrize(("kind", "initial"), [("meta", True), ("meta", False), ("maml", True), ("multitask", False)])
def test_what_an_outer_update_moves(kind, initial):
    run = started(kind, "adapter" if kind != "multitask" else "head", replace(SMALL, initial=initial))
    body, light = copies(run.tagger.body), copies(run.tagger.light)
    run.update([0, 1])
    assert not same(run.tagger.body, body)
    # Ordinary fine-tuning has no other values than these.
    assert same(run.tagger.light, light) == (not initial and kind != "multitask")


def test_ways_to_prime_cost_alike_and_inner_loops_learn():
    spent, settings = {}, replace(SMALL, inner_rate=0.05)
    for kind, pe in (("meta", "adapter"), ("meta", "head"), ("maml", "adapter"), ("one-step", "adapter")):
        run = prime(started(kind, pe, settings), in_turn(0, 3, 1))
        spent[kind, pe] = run
        assert 1 <= run.spent / run.budget < 1.6
        assert len(run.looks) == run.updates
        assert np.mean([look.before - look.after for look in run.looks]) > 0
    assert spent["maml", "adapter"].updates < spent["meta", "adapter"].updates < spent["one-step", "adapter"].updates
    # A step of the head alone needs no gradient of anything below it.
    assert spent["meta", "head"].updates > spent["meta", "adapter"].updates
    plain = prime(started("multitask", "head"), in_turn(0, 3, 1))
    assert not plain.looks
    assert plain.read == 4 * plain.updates


def test_languages_take_turns():
    pick = in_turn(0, 4, 2)
    picked = [language for update in range(6) for language in pick(update)]
    assert [picked.count(n) for n in range(4)] == [3] * 4
    assert in_turn(0, 2, 5)(0) in ([0, 1], [1, 0])


@pytest.mark.parametrize("full", [False, True])
def test_tuning_moves_the_light_parameters_and_the_backbone_only_if_asked(full):
    tagger, rows = made("head" if full else "adapter"), some_rows(0)
    body, light = copies(tagger.body), copies(tagger.light)
    batch = rows.batch(np.arange(len(rows)), tagger.device)
    before = tagger.loss(batch).item()
    assert tune(tagger, rows, SMALL, full=full, seed=0) > 0
    assert same(tagger.body, body) == (not full)
    assert not same(tagger.light, light)
    assert tagger.loss(batch).item() < before
    assert all(p.requires_grad for p in tagger.parameters())


@pytest.mark.parametrize(
    ("changes", "key"),
    [({"steps": 0}, "steps"), ({"order": 3}, "order"), ({"inner_rate": 0}, "inner_rate"), ({"warmup": 1}, "warmup")],
)
def test_settings_that_are_none(changes, key):
    with pytest.raises(ConfigError, match=key):
        Settings(**changes)


def test_modules_that_are_none():
    with pytest.raises(ConfigError, match="adapted"):
        made("adapter", replace(SMALL, adapted="nowhere"))
    with pytest.raises(ConfigError, match="pe"):
        made("lora", replace(SMALL, lora_modules="nowhere"))
