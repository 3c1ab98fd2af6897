"""Objectives of an environment file: settings, mistakes, learners that cannot do them, the list."""

from typing import Any

import pytest
from pydantic import TypeAdapter

from curriculum_rl.errors import ConfigError
from curriculum_rl.experiment import build
from curriculum_rl.learners.build import make_learner
from curriculum_rl.objectives.build import make_objective
from curriculum_rl.schema import ObjectiveConfig
from curriculum_rl.schema import load as configs
from curriculum_rl.scripts import listing
from curriculum_rl.testing.objectives import known_tokenizer

LLAMA = {
    "model_type": "llama",
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "max_position_embeddings": 32,
}
BERT = {**LLAMA, "model_type": "bert"}
CAUSAL = ["causal_lm", "prefix_lm", "span_corruption"]
BOTH_WAYS = [
    *("masked_lm", "whole_word_masking", "span_masking", "replaced_token_detection", "added_token_detection"),
    *("deleted_token_detection", "capitalisation", "token_document_relation"),
]
ROW_LABELS = ["sentence_order", "next_sentence", "sentence_reordering", "sentence_distance", "random_label"]


@pytest.fixture(scope="module")
def roomy(tiny: dict[str, Any]) -> dict[str, Any]:
    """The tiny environment with label tokens for everything, and text with capital letters."""
    return {**tiny, "tokenizer": {"kind": "bpe", "vocab_size": 420, "labels": 20}}


@pytest.mark.parametrize("kind", [*CAUSAL, *BOTH_WAYS, *ROW_LABELS])
def test_every_kind_is_a_task_that_runs(roomy: dict[str, Any], kind: str) -> None:
    experiment = build(configs.load(roomy, {"tasks": [{"corpora": ["sea", "noise"], "objective": kind}]}))
    assert [task.name for task in experiment.problem.tasks] == [f"sea.{kind}", f"noise.{kind}"]
    for task in experiment.problem.tasks:
        assert task.batch(seed=0, first=0, rows=4, context=16).weights.sum(dim=1).min() >= 1
    make_learner(experiment.config, experiment.problem)


@pytest.mark.parametrize("kind", [*CAUSAL, *BOTH_WAYS, *ROW_LABELS])
def test_learners_that_read_one_way(roomy: dict[str, Any], kind: str) -> None:
    for head, model in (("causal", LLAMA), ("masked", BERT)):
        changes = {
            "learner": {"kind": "transformers", "model": model, "head": head},
            "tasks": [{"corpora": ["sea"], "objective": kind}],
        }
        experiment = build(configs.load(roomy, changes))
        if kind in (BOTH_WAYS if head == "causal" else CAUSAL):
            way = "in both directions" if head == "causal" else "left to right"
            with pytest.raises(ConfigError, match=rf"^tasks: sea\.{kind} needs a learner that reads {way}; .*$"):
                make_learner(experiment.config, experiment.problem)
        else:
            assert make_learner(experiment.config, experiment.problem).replicas == 1


def test_a_label_of_the_row_read_the_wrong_way(roomy: dict[str, Any]) -> None:
    changes = {
        "learner": {"kind": "transformers", "model": LLAMA, "head": "causal"},
        "tasks": [{"corpora": ["sea"], "objective": {"kind": "sentence_order", "causal": False}}],
    }
    made = build(configs.load(roomy, changes))
    with pytest.raises(ConfigError, match=r"sea\.sentence_order needs a learner that reads in both directions"):
        make_learner(made.config, made.problem)


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({"kind": "span_masking", "colour": 1}, ["tasks.0.objective.colour", "unknown key"]),
        ({"kind": "capitalisation", "rate": 0.1}, ["tasks.0.objective.rate", "unknown key"]),
        ({"kind": "whole_word_masking", "rate": 0}, ["tasks.0.objective.rate", "greater than 0"]),
        ({"kind": "span_masking", "stop": 1}, ["tasks.0.objective.stop", "less than 1"]),
        ({"kind": "span_masking", "longest": 0}, ["tasks.0.objective.longest", "0"]),
        ({"kind": "prefix_lm", "shortest": 0.5, "longest": 0.5}, ["tasks.0.objective", "shortest", "0.5"]),
        ({"kind": "span_corruption", "mean_length": 0.5}, ["tasks.0.objective.mean_length", "0.5"]),
        (
            {"kind": "replaced_token_detection", "generator": "bigram"},
            ["tasks.0.objective.generator", "bigram", "unigram"],
        ),
        ({"kind": "token_document_relation", "shown": 1}, ["tasks.0.objective.shown", "1"]),
        ({"kind": "sentence_order", "causal": "often"}, ["tasks.0.objective.causal", "often"]),
        ({"kind": "sentence_orders"}, ["tasks.0.objective.kind", "sentence_orders", "sentence_order"]),
    ],
)
def test_mistakes_name_the_key_and_the_value(section: dict[str, Any], said: list[str]) -> None:
    with pytest.raises(ConfigError) as error:
        configs.load("almanac", {"tasks": [{"objective": section}]})
    assert "\n" not in str(error.value)
    for word in said:
        assert word in str(error.value)


@pytest.mark.parametrize(
    ("kind", "needs"),
    [
        ("sentence_reordering", "7 label tokens (6 classes and a marker)"),
        ("sentence_distance", "5 label tokens (3 classes and a marker)"),
        ("sentence_order", "5 label tokens (2 classes and a marker)"),
        ("next_sentence", "6 label tokens (2 classes and a marker)"),
        ("replaced_token_detection", "7 label tokens (2 classes and a marker)"),
        ("added_token_detection", "8 label tokens (2 classes and a marker)"),
        ("deleted_token_detection", "9 label tokens (2 classes and a marker)"),
        ("capitalisation", "10 label tokens (2 classes and a marker)"),
        ("token_document_relation", "11 label tokens (2 classes and a marker)"),
        ("random_label", "12 label tokens (2 classes and a marker)"),
        ("span_corruption", "3 label tokens at context 64"),
    ],
)
def test_too_few_label_tokens(kind: str, needs: str) -> None:
    number = int(needs.partition(" ")[0])
    section = TypeAdapter(ObjectiveConfig).validate_python({"kind": kind})
    make_objective(section, known_tokenizer(number), causal=True, context=64)
    with pytest.raises(ConfigError) as error:
        make_objective(section, known_tokenizer(number - 1), causal=True, context=64)
    assert str(error.value) == f"tokenizer.labels: {kind} needs {needs}, the tokenizer has {number - 1}"


def test_a_context_too_short_shows_before_anything_runs(roomy: dict[str, Any]) -> None:
    changes = {"context": 4, "tasks": [{"corpora": ["sea"], "objective": "sentence_order"}]}
    with pytest.raises(ConfigError, match="context: 4 is too short for sentence_order, which needs 5"):
        build(configs.load(roomy, changes))


def test_the_list_shows_every_kind_with_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    listing.show("objectives", "almanac")
    shown = capsys.readouterr().out
    for kind in [*CAUSAL, *BOTH_WAYS, *ROW_LABELS, "classification", "tagging", "module:Class"]:
        assert f" {kind} " in shown
    assert "rate=0.15" in shown and "generator=unigram" in shown
    assert shown.count("Say ") == 10
