"""What holds for every objective: shapes, ranges, and a row that is a function of its window, corpus and key alone."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from known_words import known_tokenizer
from pydantic import TypeAdapter

from curriculum_rl.draws import spread
from curriculum_rl.objectives import Objective, windows_of
from curriculum_rl.objectives.build import make_objective
from curriculum_rl.objectives.layout import MARKED
from curriculum_rl.schema import ObjectiveConfig
from curriculum_rl.tasks import Task, Windows
from curriculum_rl.text.corpora import Corpus
from curriculum_rl.text.tagged import TaggedCorpus

TOKENIZER = known_tokenizer()
KINDS = [
    *("causal_lm", "prefix_lm", "span_corruption", "masked_lm", "whole_word_masking", "span_masking"),
    *("replaced_token_detection", "added_token_detection", "deleted_token_detection"),
    *("capitalisation", "token_document_relation"),
    *("sentence_order", "next_sentence", "sentence_reordering", "sentence_distance", "random_label"),
    "tagging",
]
ROW_LABELS = {
    **{"sentence_order": 2, "next_sentence": 2, "sentence_reordering": 6, "sentence_distance": 3},
    "random_label": 2,
}
CAUSAL = {"causal_lm", "prefix_lm", "span_corruption"}


def made(kind: str, context: int = 64, *, learner_causal: bool = True, **options: Any) -> Objective:
    section = TypeAdapter(ObjectiveConfig).validate_python({"kind": kind, **options})
    return make_objective(section, TOKENIZER, causal=learner_causal, context=context)


def text(seed: int, tokens: int, often: int) -> Corpus:
    """Random words; one token in `often` ends a document."""
    draw = np.random.default_rng(seed)
    words = draw.choice(TOKENIZER.ordinary_ids, tokens)
    return Corpus("made", np.where(draw.random(tokens) < 1 / often, TOKENIZER.eos_id, words).astype(np.uint16), "")


def asked(kind: str, seed: int, tokens: int, often: int) -> Windows:
    """Text, or what the objective needs instead: one token in `often` ends a sentence, one in two begins a word."""
    if kind != "tagging":
        return text(seed, tokens, often)
    draw = np.random.default_rng(seed)
    ends = np.flatnonzero(draw.random(tokens) < 1 / often)
    offsets = np.unique([0, *ends, tokens])
    marks = draw.integers(1, 6, tokens) * (draw.random(tokens) < 0.5)
    marks[offsets[:-1]] = 1
    return TaggedCorpus(
        name="made",
        tokens=draw.choice(TOKENIZER.ordinary_ids, tokens).astype(np.uint16),
        offsets=offsets,
        marks=marks.astype(np.uint16),
        classes=("O", "B-A", "I-A", "B-B", "I-B"),
        eos_id=TOKENIZER.eos_id,
        pad_id=TOKENIZER.pad_id,
        label_ids=TOKENIZER.label_ids[:5],
        sha256="",
    )


@pytest.mark.parametrize("kind", KINDS)
@given(st.integers(0, 1000), st.integers(7, 40), st.sampled_from([1, 2, 5, 30, 1000]))
@settings(max_examples=25, deadline=None)
def test_rows_are_well_formed_and_depend_on_nothing_else(kind: str, seed: int, T: int, often: int) -> None:
    task = Task("task", asked(kind, seed, 20 * T + 5, often), made(kind, T))
    together = task.batch(seed=seed, first=3, rows=12, context=T)
    assert together.input_ids.shape == together.targets.shape == together.weights.shape == (12, T)
    assert together.input_ids.dtype == together.targets.dtype == torch.int64
    for ids in (together.input_ids, together.targets):
        assert int(ids.min()) >= 0 and int(ids.max()) < TOKENIZER.vocab_size
    assert set(together.weights.unique().tolist()) <= {0.0, 1.0}
    assert (together.weights.sum(dim=1) >= 1).all()
    assert not (together.targets == TOKENIZER.pad_id)[together.weights == 1].any()
    assert (together.causal == task.objective.causal).all()
    alone = [task.batch(seed=seed, first=3 + row, rows=1, context=T) for row in range(12)]
    for name in ("input_ids", "targets", "weights"):
        assert torch.equal(torch.cat([getattr(part, name) for part in alone]), getattr(together, name))


@pytest.mark.parametrize("kind", KINDS)
def test_windows_are_left_alone_and_keys_decide(kind: str) -> None:
    corpus, objective = asked(kind, 1, 3000, 40), made(kind)
    index, keys = np.arange(40), spread(5, np.arange(40))
    windows = windows_of(objective, corpus, index, context=64, keys=keys)
    before = windows.copy()
    rows, again = objective(windows, keys), objective(windows, keys)
    assert (windows == before).all()
    assert all((a == b).all() for a, b in zip(rows, again, strict=True))
    other = objective(windows, spread(6, np.arange(40)))
    same = all((a == b).all() for a, b in zip(rows, other, strict=True))
    assert same == (kind in ("causal_lm", "capitalisation", "token_document_relation", "tagging"))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("causal", [True, False])
def test_which_way_rows_are_read(kind: str, causal: bool) -> None:
    objective = made(kind, learner_causal=causal)
    either = kind in {*ROW_LABELS, "tagging"}
    assert objective.causal == (causal if either else kind in CAUSAL)
    assert objective.name == kind and objective.labelled == (kind == "tagging")
    if either:
        assert made(kind, learner_causal=causal, causal=None).causal is causal
        assert made(kind, learner_causal=causal, causal=not causal).causal is not causal


@pytest.mark.parametrize("kind", ROW_LABELS)
def test_classes_are_equally_likely(kind: str) -> None:
    batch = Task("task", text(2, 3000, 100), made(kind)).batch(seed=4, first=0, rows=3000, context=64)
    assert (batch.weights.sum(dim=1) == 1).all()
    found = torch.bincount(batch.targets[batch.weights == 1] - TOKENIZER.label_ids[0])
    assert len(found) == ROW_LABELS[kind]
    assert (found - 3000 / len(found)).abs().max() < 5 * (3000 / len(found)) ** 0.5


def test_every_labelled_objective_has_a_marker_of_its_own() -> None:
    markers = {}
    for kind in MARKED:
        batch = Task("task", text(3, 1000, 30), made(kind)).batch(seed=1, first=0, rows=5, context=64)
        (markers[kind],) = set(batch.input_ids[:, 0].tolist())
        assert markers[kind] in TOKENIZER.label_ids and not (batch.input_ids[:, 1:] == markers[kind]).any()
    assert len(set(markers.values())) == len(MARKED) == 10
    assert set(markers) == set(KINDS) - CAUSAL - {"masked_lm", "whole_word_masking", "span_masking", "tagging"}
