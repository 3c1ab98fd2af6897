"""More than 65,535 tokens: stored as uint32, read back unharmed, trained on."""

import numpy as np
import pytest
import tokenizers
import torch

from curriculum_rl.batch import Batch, SegmentPlan
from curriculum_rl.learners import BatchedLearner, TransformerConfig
from curriculum_rl.objectives import CausalLM
from curriculum_rl.tasks import Task
from curriculum_rl.text.cache import Cache
from curriculum_rl.text.corpora import build_corpus, noise_corpus
from curriculum_rl.text.documents import Document, MemorySource
from curriculum_rl.text.splits import SplitSource
from curriculum_rl.text.tokenizers import Tokenizer

WORDS = 70_000


@pytest.fixture(scope="module")
def tokenizer():
    vocabulary = {name: i for i, name in enumerate(["pad", "eos", "mask", "cls"])}
    vocabulary |= {f"w{i}": i for i in range(4, WORDS)}
    backend = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, unk_token="pad"))
    backend.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    return Tokenizer(backend, pad_id=0, eos_id=1, mask_id=2, cls_id=3, label_ids=[])


def test_a_large_vocabulary_from_text_to_an_update(tokenizer, tmp_path):
    numbers = np.random.default_rng(0).integers(65_536, WORDS, (200, 12))
    rows = [Document(" ".join(f"w{number}" for number in line)) for line in numbers]
    source = SplitSource(MemorySource(rows), {"train": 0.9, "heldout": 0.1})
    corpus = build_corpus("large", source, "train", tokenizer, Cache(tmp_path))
    assert tokenizer.vocab_size == WORDS
    assert corpus.tokens.dtype == np.uint32
    words = [token for token in np.asarray(corpus.tokens).tolist() if token != tokenizer.eos_id]
    assert words == [int(word[1:]) for row in source.documents("train") for word in row.text.split()]
    assert noise_corpus("noise", tokenizer, tokens=2000, seed=0).tokens.max() > 65_535
    part = Task("large", corpus, CausalLM(tokenizer)).batch(seed=0, first=0, rows=4, context=16)
    assert int(part.targets.max()) > 65_535
    learner = BatchedLearner(TransformerConfig(vocab_size=WORDS, layers=1, width=16, heads=1, context=16), pad_id=0)
    before = learner.flat.parameters["embedding"].clone()
    batches = Batch(*(tensor[None, None] for tensor in (part.input_ids, part.targets, part.weights, part.causal)))
    report = learner.train(SegmentPlan(batches, np.full((1, 1), 1e-2)))
    assert report.losses[0, 0] == pytest.approx(np.log(WORDS), abs=0.1)
    moved = (learner.flat.parameters["embedding"] - before)[0].abs().mean(dim=1)
    read = batches.input_ids.unique()
    assert moved[read].min() > 5e-3  # the rows that were read, far above 65,535 too, by about the rate
    assert learner.token_losses(part).sum() < report.losses[0, 0] * part.weights.sum()
    logits = learner.label_logits(part, torch.tensor([65_536, WORDS - 1]))
    assert logits.shape == (1, 4, 2)
