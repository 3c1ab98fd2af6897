"""Every objective keeps the contract; which way each is read, what it draws, and its labels."""

from typing import Any

import numpy as np
import pytest
import torch
from pydantic import TypeAdapter

from curriculum_rl.draws import spread
from curriculum_rl.objectives import Objective, windows_of
from curriculum_rl.objectives.build import make_objective
from curriculum_rl.objectives.layout import MARKED
from curriculum_rl.schema import ObjectiveConfig
from curriculum_rl.tasks import Task
from curriculum_rl.testing.objectives import TOKENIZER, ObjectiveContract, text

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


class TestObjectives(ObjectiveContract):
    @pytest.fixture(params=[*KINDS, "classification"])
    def objective(self, request: pytest.FixtureRequest) -> Objective:
        return made(request.param)


@pytest.mark.parametrize("kind", KINDS)
def test_keys_decide_where_anything_is_drawn(kind: str) -> None:
    objective, keys = made(kind), spread(5, np.arange(40))
    windows = windows_of(objective, text(objective, 1, 3000, 40), np.arange(40), context=64, keys=keys)
    rows, other = objective(windows, keys), objective(windows, spread(6, np.arange(40)))
    same = all(np.array_equal(getattr(rows, part), getattr(other, part)) for part in rows._fields)
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
    objective = made(kind)
    batch = Task("task", text(objective, 2, 3000, 100), objective).batch(seed=4, first=0, rows=3000, context=64)
    assert (batch.weights.sum(dim=1) == 1).all()
    found = torch.bincount(batch.targets[batch.weights == 1] - TOKENIZER.label_ids[0])
    assert len(found) == ROW_LABELS[kind]
    assert (found - 3000 / len(found)).abs().max() < 5 * (3000 / len(found)) ** 0.5


def test_every_labelled_objective_has_a_marker_of_its_own() -> None:
    markers = {}
    for kind in MARKED:
        objective = made(kind)
        batch = Task("task", text(objective, 3, 1000, 30), objective).batch(seed=1, first=0, rows=5, context=64)
        (markers[kind],) = set(batch.input_ids[:, 0].tolist())
        assert markers[kind] in TOKENIZER.label_ids and not (batch.input_ids[:, 1:] == markers[kind]).any()
    assert len(set(markers.values())) == len(MARKED) == 10
    assert set(markers) == set(KINDS) - CAUSAL - {"masked_lm", "whole_word_masking", "span_masking", "tagging"}
