"""Any transformers model as a learner."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from made_models import BERT, GPT2, LLAMA, OPT, Words

from curriculum_rl.errors import ConfigError
from curriculum_rl.learners.transformers.learner import TransformersLearner
from curriculum_rl.schema.learners import ModelOptions, OptimizerConfig

MODELS = [(LLAMA, "causal"), (GPT2, "causal"), (BERT, "masked")]


def _learner(model, head, **changes):
    options: dict[str, Any] = {"tokenizer": Words(), "context": 16}
    return TransformersLearner(model, head=head, **(options | changes))


def test_a_pretrained_embedding_takes_the_size_of_the_tokenizer(tmp_path):
    _learner(LLAMA, "causal").save(tmp_path)
    larger = TransformersLearner(str(tmp_path), tokenizer=Words(vocab_size=60), context=16)
    assert larger.flat.parameters["model.embed_tokens.weight"].shape == (1, 60, 32)


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


@pytest.mark.parametrize(("model", "head"), MODELS)
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_rows_in_parts_give_the_same_update(model, head, smoothing, make_plan):
    plan = make_plan(kinds=("causal" if head == "causal" else "masked",), updates=1)
    found = []
    for accumulate in (1, 2):
        learner = _learner(model, head, optimizer=OptimizerConfig(label_smoothing=smoothing, accumulate=accumulate))
        found.append((learner.train(plan), learner.snapshot()))
    np.testing.assert_allclose(found[1][0].row_losses, found[0][0].row_losses, rtol=1e-5)
    torch.testing.assert_close(found[1][1].state[1], found[0][1].state[1], rtol=1e-4, atol=1e-7)


def test_smoothed_gradients_equal_those_of_torch(make_plan):
    plan = make_plan(updates=1)
    learner = _learner(GPT2, "causal", optimizer=OptimizerConfig(label_smoothing=0.3, clip=math.inf))
    batch = plan.batches[0, 0]
    logits = learner.network.logits(batch.input_ids).flatten(0, 1)
    loss = torch.nn.functional.cross_entropy(logits, batch.targets.flatten(), label_smoothing=0.3)
    wanted = torch.autograd.grad(loss, list(learner.model.parameters()))
    norm = math.sqrt(sum(float(slope.square().sum()) for slope in wanted))
    plain = torch.nn.functional.cross_entropy(logits, batch.targets.flatten())
    report = learner.train(plan)
    assert report.gradient_norms[0, 0] == pytest.approx(norm, rel=1e-4)
    assert report.losses[0, 0] == pytest.approx(float(plain.detach()), rel=1e-5)  # reported without smoothing


def test_dropout_is_off_unless_asked_for(make_plan):
    plan = make_plan(updates=2)
    off, on, again = (_learner(GPT2, "causal", options=ModelOptions(dropout=d)) for d in (False, True, True))
    for learner in (off, on, again):
        learner.reset([5])
    batch = plan.batches[0]
    assert torch.equal(off.token_losses(batch), on.token_losses(batch))
    torch.manual_seed(1)
    first = on.train(plan)
    state = torch.random.get_rng_state()
    torch.manual_seed(2)
    np.testing.assert_array_equal(first.row_losses, again.train(plan).row_losses)  # no generator but its own
    torch.manual_seed(1)
    assert torch.equal(state, torch.random.get_rng_state())
    assert (np.abs(first.row_losses - off.train(plan).row_losses) > 1e-3).all()
    assert on.model.config.attn_pdrop == 0.1 == off.model.config.attn_pdrop


@pytest.mark.parametrize(("model", "head"), [*MODELS, (OPT, "causal")])
def test_checkpointed_layers_are_computed_twice_and_give_the_same_update(model, head, make_plan):
    plan = make_plan(kinds=("causal" if head == "causal" else "masked",), updates=1)
    found = []
    for checkpointing in (False, True):
        learner = _learner(model, head, options=ModelOptions(gradient_checkpointing=checkpointing))
        products: list[Any] = []
        layer = next(m for m in learner.model.modules() if isinstance(m, torch.nn.Linear) or "Conv1D" in str(type(m)))
        layer.register_forward_hook(lambda *_, seen=products: seen.append(1))
        report = learner.train(plan)
        found.append((len(products), report, learner.snapshot()))
    assert [count for count, _, _ in found] == [1, 2]
    np.testing.assert_allclose(found[1][1].row_losses, found[0][1].row_losses, rtol=1e-6)
    torch.testing.assert_close(found[1][2].state[1], found[0][2].state[1], rtol=1e-5, atol=1e-9)


def test_attention_is_fused_unless_asked_otherwise(make_plan):
    batch = make_plan(updates=1).batches[0]
    losses = []
    for attention in ("sdpa", "eager"):
        learner = _learner(LLAMA, "causal", options=ModelOptions(attention=attention))
        assert learner.model.config._attn_implementation == attention
        losses.append(learner.token_losses(batch))
    torch.testing.assert_close(losses[0], losses[1])
    with pytest.raises(ConfigError, match="attention: must be"):
        ModelOptions(attention="flash")
    bloom = {"model_type": "bloom", "hidden_size": 16, "n_layer": 1, "n_head": 2}
    with pytest.raises(ConfigError, match=r"BloomForCausalLM has no sdpa: set learner\.attention to eager"):
        _learner(bloom, "causal")


def test_bfloat16_trains_nearly_alike(make_plan):
    plan = make_plan(updates=20, rates=3e-3)
    exact, near = (_learner(GPT2, "causal", options=ModelOptions(precision=p)) for p in ("float32", "bfloat16"))
    losses = [learner.train(plan).losses for learner in (exact, near)]
    assert near.flat.state.dtype == torch.float32 == near.token_losses(plan.batches[0]).dtype
    assert not np.array_equal(losses[0], losses[1])
    np.testing.assert_allclose(losses[1], losses[0], rtol=0.02)


def test_no_replica_is_an_error():
    with pytest.raises(ConfigError, match="replicas"):
        _learner(GPT2, "causal", replicas=0)
