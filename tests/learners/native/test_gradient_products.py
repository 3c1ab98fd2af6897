"""Products of gradients: what any learner reports is what autograd would give, and nothing moves."""

from dataclasses import dataclass

import pytest
import torch

from curriculum_rl.batch import Batch
from curriculum_rl.learners.base import Learner
from curriculum_rl.learners.native.batched import BatchedLearner
from curriculum_rl.learners.native.transformer import TransformerConfig
from curriculum_rl.learners.native.update import gradients
from curriculum_rl.learners.scoring import outlines, token_weights
from curriculum_rl.learners.transformers.learner import TransformersLearner

LLAMA = {
    "model_type": "llama",
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "tie_word_embeddings": True,
}


@dataclass
class Words:
    vocab_size: int = 50
    pad_id: int = 0
    eos_id: int = 1


def native() -> Learner:
    return BatchedLearner(
        TransformerConfig(vocab_size=50, context=16, layers=1, width=16, heads=2), replicas=2, pad_id=0
    )


def huggingface() -> Learner:
    return TransformersLearner(LLAMA, head="causal", tokenizer=Words(), context=16, replicas=2)


@pytest.mark.parametrize("make", [native, huggingface])
def test_products_predict_what_a_small_step_does(make, make_plan):
    """One plain step along g_0 takes off about rate x <g_0, g_1> of the loss on batch 1."""
    learner = make()
    learner.train(make_plan(updates=3, kinds=("causal", "causal")))
    batches = make_plan(updates=2, kinds=("causal", "causal"), seed=7).batches
    before = learner.snapshot()
    found = learner.gradient_products(batches)
    assert torch.equal(before.state, learner.snapshot().state)
    assert found.raw.shape == found.adam.shape == (2, 2, 2)
    assert torch.allclose(found.raw, found.raw.mT) and (found.raw.diagonal(dim1=1, dim2=2) > 0).all()
    loss = learner.token_losses(batches[1]).double().mean(dim=(1, 2))
    rate = 1e-3
    stepped = _plain_step(learner, batches[0], rate)
    slope = (loss - stepped.token_losses(batches[1]).double().mean(dim=(1, 2))) / rate
    assert torch.allclose(slope, found.raw[:, 0, 1], rtol=0.05, atol=2e-3)


def _plain_step(learner, batch, rate):
    """The learner after one step of plain gradient descent."""
    if isinstance(learner, BatchedLearner):
        [outline] = outlines(Batch(*(t[None] for t in batch.tensors())), parts=1, chunk=64)
        trainee = learner._trainee
        slopes, *_ = gradients(trainee.network, trainee.leaves, batch, token_weights(batch.weights), outline)
    else:
        slopes = {name: torch.empty_like(block) for name, block in learner.flat.parameters.items()}
        for n in range(learner.replicas):
            learner._become(n)
            logits = learner.model(input_ids=batch.input_ids[n]).logits
            loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), batch.targets[n].flatten())
            for name, slope in zip(
                learner._leaves, torch.autograd.grad(loss, list(learner._leaves.values())), strict=True
            ):
                slopes[name][n] = slope
    for name, block in learner.flat.parameters.items():
        block.detach().sub_(rate * slopes[name])
    return learner
