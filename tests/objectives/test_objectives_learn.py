"""A tiny learner gets better at every objective on real text: Python's own help topics, held-out topics scored."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import TypeAdapter

from curriculum_rl.batch import Batch, SegmentPlan
from curriculum_rl.learners.native.batched import BatchedLearner
from curriculum_rl.learners.native.transformer import TransformerConfig
from curriculum_rl.learners.schedule import learning_rate
from curriculum_rl.objectives import ReadsTags
from curriculum_rl.objectives.build import make_objective
from curriculum_rl.schema import ObjectiveConfig
from curriculum_rl.schema.learners import OptimizerConfig, RateConfig
from curriculum_rl.tasks import Task
from curriculum_rl.text.almanac import AlmanacSource
from curriculum_rl.text.cache import Cache
from curriculum_rl.text.corpora import Corpus, LabelledCorpus, build_corpus, build_labelled
from curriculum_rl.text.documents import Document, MemorySource
from curriculum_rl.text.splits import SplitSource
from curriculum_rl.text.tagged import TaggedCorpus, build_tagged
from curriculum_rl.text.tokenizers import Tokenizer, TrainTexts, cached_bpe

CONTEXT, ROWS = 32, 32


@dataclass(frozen=True)
class Case:
    """An objective, how long it takes, and by how many nats it beats a guess at the frequencies of the targets."""

    kind: str
    margin: float
    updates: int = 100
    options: dict[str, Any] = field(default_factory=dict)


CASES = [
    Case("causal_lm", 0.6),
    Case("prefix_lm", 0.5),
    Case("span_corruption", 0.5),
    Case("masked_lm", 0.15, updates=150),
    Case("whole_word_masking", 0.15, updates=150),
    Case("span_masking", 0.15, updates=150),
    Case("capitalisation", 0.04, updates=150),
    Case("token_document_relation", 0.015, updates=150),
    Case("classification", 0.25),
    Case("tagging", 0.1),
    # Tokens drawn by their frequency take 2,000 updates to be told from the right ones; uniform ones take 100.
    Case("replaced_token_detection", 0.1, options={"rate": 0.3, "generator": "uniform"}),
    Case("added_token_detection", 0.1, options={"rate": 0.3, "generator": "uniform"}),
]


@dataclass(frozen=True)
class Texts:
    tokenizer: Tokenizer
    train: Corpus
    held: Corpus
    labelled_train: LabelledCorpus
    labelled_held: LabelledCorpus
    tagged_train: TaggedCorpus
    tagged_held: TaggedCorpus

    def task(self, kind: str, *, held: bool, context: int = CONTEXT, **options: Any) -> Task:
        section = TypeAdapter(ObjectiveConfig).validate_python({"kind": kind, **options})
        objective = make_objective(section, self.tokenizer, causal=True, context=context)
        if isinstance(objective, ReadsTags):
            return Task(kind, self.tagged_held if held else self.tagged_train, objective)
        if objective.labelled:
            return Task(kind, self.labelled_held if held else self.labelled_train, objective)
        return Task(kind, self.held if held else self.train, objective)


def with_tags(line: Document) -> Document:
    """Runs of words with a capital letter are names."""
    words = line.text.split()
    names = [word[0].isupper() for word in words]
    tags = [f"{'I' if n and names[n - 1] else 'B'}-NAME" if name else "O" for n, name in enumerate(names)]
    return Document(" ".join(words), line.group, " ".join(tags), tagged=True)


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Texts:
    cache = Cache(tmp_path_factory.mktemp("objectives"))
    parts = {"train": 0.8, "heldout": 0.2}
    source = SplitSource(AlmanacSource("pydocs"), parts)
    tokenizer = cached_bpe(
        TrainTexts(
            lambda: (document.text for document in source.documents("train")), [source.fingerprint("train")], cache
        ),
        vocab_size=512,
    )
    lines = [
        Document(line, group=document.group, label=name)
        for name in ("pydocs", "pysource")
        for document in list(AlmanacSource(name, max_characters=400_000).documents())
        for line in document.text.split("\n")
        if len(line) > 40
    ]
    labelled = SplitSource(MemorySource(lines), parts)
    tagged = SplitSource(MemorySource([with_tags(line) for line in lines]), parts)
    return Texts(
        tokenizer,
        *[build_corpus("pydocs", source, part, tokenizer, cache) for part in parts],  # type: ignore[arg-type]
        *[build_labelled("lines", labelled, part, tokenizer, cache) for part in parts],
        *[build_tagged("lines", tagged, part, tokenizer, cache) for part in parts],
    )


def new_learner(texts: Texts) -> BatchedLearner:
    shape = TransformerConfig(vocab_size=texts.tokenizer.vocab_size, layers=1, width=64, heads=2, context=CONTEXT)
    return BatchedLearner(shape, OptimizerConfig(), pad_id=texts.tokenizer.pad_id)


def train(learner: BatchedLearner, batch: Batch, updates: int) -> np.ndarray:
    """Loss of each update; the batch's rows are dealt out in order."""
    rows = len(batch.causal) // updates
    dealt = batch.map(lambda tensor: tensor.view(updates, 1, rows, *tensor.shape[1:]))
    rates = learning_rate((np.arange(updates) + 0.5) / updates, RateConfig(learning_rate=5e-3, warmup=0.05, decay=0.3))
    return learner.train(SegmentPlan(dealt, rates[:, None])).losses[:, 0]


def loss(learner: BatchedLearner, batch: Batch) -> float:
    nats = learner.token_losses(batch.map(lambda tensor: tensor[None]))[0].sum(dim=1)
    return float((nats / batch.weights.sum(dim=1)).mean())


def guess(seen: Batch, asked: Batch, vocab_size: int) -> float:
    """Nats per asked target of a guess that knows how often each target was seen, with add-one smoothing."""
    counts = torch.bincount(seen.targets[seen.weights > 0], minlength=vocab_size).double()
    counts = torch.where(counts > 0, counts + 1, 1e-3)
    return float(-(counts / counts.sum()).log()[asked.targets[asked.weights > 0]].mean())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.kind)
def test_a_tiny_learner_gets_better(texts: Texts, case: Case) -> None:
    task = texts.task(case.kind, held=False, **case.options)
    test = texts.task(case.kind, held=True, **case.options)
    held = test.batch(seed=1, first=0, rows=min(512, test.corpus.size(CONTEXT)), context=CONTEXT)
    seen = task.batch(seed=0, first=0, rows=case.updates * ROWS, context=CONTEXT)
    learner = new_learner(texts)
    start = loss(learner, held)
    train(learner, seen, case.updates)
    end, least = loss(learner, held), guess(seen, held, texts.tokenizer.vocab_size)
    import sys

    print(f"{case.kind} start {start:.3f} end {end:.3f} guess {least:.3f}", file=sys.stderr)
    assert end < start - 1
    assert end < least - case.margin


@pytest.mark.parametrize(
    "kind",
    ["deleted_token_detection", "sentence_order", "sentence_reordering", "next_sentence", "sentence_distance"],
)
def test_a_tiny_learner_gets_better_at_a_few_rows(texts: Texts, kind: str) -> None:
    """What only the meaning of several tokens tells takes thousands of updates on new rows; the same ones take 100."""
    few = texts.task(kind, held=False).batch(seed=0, first=0, rows=ROWS, context=CONTEXT)
    learner = new_learner(texts)
    start = loss(learner, few)
    again = Batch(*(t.repeat(100, *[1] * (t.dim() - 1)) for t in (few.input_ids, few.targets, few.weights, few.causal)))
    train(learner, again, 100)
    end = loss(learner, few)
    assert end < start - 1
    assert end < 0.5 * guess(few, few, texts.tokenizer.vocab_size)


@pytest.mark.parametrize(("kind", "strange"), [("next_sentence", 1), ("sentence_distance", 2)])
def test_segments_of_one_document_share_more_rare_tokens(texts: Texts, kind: str, strange: int) -> None:
    """The partner really is from elsewhere: the tokens that two segments share tell it, their length does not."""
    tokenizer = texts.tokenizer
    batch = texts.task(kind, held=False, context=128).batch(seed=0, first=0, rows=400, context=128)
    counts = np.bincount(texts.train.tokens, minlength=tokenizer.vocab_size) + 1
    information = np.log(counts.sum() / counts)
    rows, asked = batch.weights.nonzero(as_tuple=True)
    classes = (batch.targets[rows, asked] - tokenizer.label_ids[0]).numpy()
    shared = np.empty(400)
    for row, (ids, end) in enumerate(zip(batch.input_ids.numpy(), asked.tolist(), strict=True)):
        middle = int(np.flatnonzero(ids == tokenizer.eos_id)[0])
        second = set(ids[middle + 1 : end].tolist())
        shared[row] = sum(information[token] for token in second & set(ids[1:middle].tolist())) / len(second)
    own, other = shared[classes < strange], shared[classes == strange]
    assert (own[:, None] > other).mean() > 0.65
    lengths = asked.numpy()
    assert abs(lengths[classes < strange].mean() - lengths[classes == strange].mean()) < 0.05 * 128
