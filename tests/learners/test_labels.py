"""Updates whose targets are chosen among a few tokens: both kinds of learner."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from curriculum_rl.batch import Probe
from curriculum_rl.learners.native.batched import BatchedLearner
from curriculum_rl.learners.native.transformer import TransformerConfig
from curriculum_rl.learners.scoring import among
from curriculum_rl.learners.transformers.learner import TransformersLearner
from curriculum_rl.schema.learners import OptimizerConfig

LABELS = torch.tensor([40, 7, 23])
AT = 5


class Words:
    vocab_size, pad_id, eos_id = 50, 0, 1


def native(accumulate):
    return BatchedLearner(
        TransformerConfig(vocab_size=50, width=32, heads=2, context=16),
        OptimizerConfig(accumulate=accumulate),
        pad_id=0,
    )


def transformers(accumulate):
    gpt2 = {"model_type": "gpt2", "n_embd": 32, "n_layer": 2, "n_head": 2}
    return TransformersLearner(
        gpt2, OptimizerConfig(accumulate=accumulate), head="causal", tokenizer=Words(), context=16
    )


def asked(make_plan, updates=1):
    """Every row has one of the labels at one position, the first token says which."""
    plan = make_plan(updates=updates, rows=12, rates=3e-3)
    batches = plan.batches
    places = batches.input_ids[..., 0] % 3
    batches.weights.zero_()
    batches.weights[..., AT] = 1
    batches.targets[..., AT] = LABELS[places]
    return replace(plan, label_ids=LABELS), places


@pytest.mark.parametrize("learner", [native, transformers])
def test_the_softmax_is_over_the_labels(learner, make_plan):
    plan, places = asked(make_plan)
    one, parted = learner(1), learner(3)
    logits = one.label_logits(plan.batches[0], LABELS)[0]
    expected = F.cross_entropy(logits, places[0, 0], reduction="none")
    report = one.train(plan)
    np.testing.assert_allclose(report.row_losses[0, 0], expected.numpy(), rtol=1e-5)
    np.testing.assert_allclose(parted.train(plan).gradient_norms, report.gradient_norms, rtol=1e-4)
    assert report.gradient_norms[0, 0] != learner(1).train(replace(plan, label_ids=None)).gradient_norms[0, 0]


@pytest.mark.parametrize("learner", [native, transformers])
def test_tokens_that_are_no_labels_are_left_alone(learner, make_plan):
    """No logit of the others is in the loss: where a token is not read either, its row has no gradient."""
    plan, _ = asked(make_plan)
    plan.batches.input_ids.clamp_(max=45)
    trained = learner(1)
    table = next(name for name, block in trained.flat.parameters.items() if block.shape[1:] == (50, 32))
    trained.train(plan)
    first = trained.flat.blocks(trained.snapshot().state[1])[table][0]
    assert first[46:].abs().max() == 0
    assert first[LABELS].abs().min(dim=1).values.max() > 0


@pytest.mark.parametrize("learner", [native, transformers])
def test_labels_are_learned(learner, make_plan):
    plan, places = asked(make_plan, updates=1)
    plan = replace(plan, batches=plan.batches[[0] * 60], learning_rates=np.full((60, 1), 3e-3))
    trained = learner(1)
    report = trained.train(plan)
    assert report.losses[0, 0] > 0.8
    assert report.losses[-1, 0] < 0.1
    assert torch.equal(trained.label_logits(plan.batches[0], LABELS)[0].argmax(dim=1), places[0, 0])


def test_places_among_labels(make_plan):
    plan, places = asked(make_plan)
    assert torch.equal(among(plan.batches, LABELS).targets[..., AT], places)
    assert among(plan.batches, None) is plan.batches


def test_plans_that_cannot_be(make_plan):
    plan, _ = asked(make_plan)
    with pytest.raises(ValueError, match="every scored target"):
        native(1).train(replace(plan, label_ids=LABELS[:2]))
    with pytest.raises(ValueError, match="probes do not know them"):
        native(1).train(replace(plan, probe=Probe({}, np.ones(1, bool))))
