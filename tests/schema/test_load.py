"""Environment files: presets are valid, and every mistake gets one line with its key and value."""

from pathlib import Path
from typing import Any

import pytest

from curriculum_rl.errors import ConfigError
from curriculum_rl.experiment import build
from curriculum_rl.learners.build import make_learner
from curriculum_rl.schema import load as configs


@pytest.mark.parametrize("name", ["almanac", "almanac-small", "almanac-traps"])
def test_presets_are_valid_and_survive_a_round_trip(name: str) -> None:
    config = configs.load(name)
    assert config.name == name
    assert configs.load(config.model_dump(mode="json")) == config
    assert name in configs.preset_names()


def test_an_override_reaches_its_key() -> None:
    config = configs.load("almanac", {"budget.tokens": 5000, "learner.width": 64, "corpora.kjv.heldout": 0.2})
    assert config.budget.model_dump() == {"updates": None, "tokens": 5000, "flops": None}
    assert config.learner.width == 64  # type: ignore[union-attr]
    assert config.corpora["kjv"].heldout == 0.2  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("oops", 1, ["oops", "unknown key", "1"]),
        ("corpora.kjv.colour", "red", ["corpora.kjv.colour", "unknown key", "'red'"]),
        ("corpora.kjv.kind", "almanack", ["corpora.kjv.kind", "almanack", "files"]),
        ("budget.updates", 0, ["budget.updates", "greater than 0", "0"]),
        ("budget", {}, ["budget", "exactly one"]),
        ("learner.width", "wide", ["learner.width", "integer", "'wide'"]),
        ("target.corpus", "nowhere", ["target.corpus", "'nowhere'", "kjv"]),
        ("tasks", [{"corpora": ["psalms"]}], ["tasks.0.corpora", "'psalms'"]),
        ("tasks", [{"objective": "guess"}], ["tasks.0.objective.kind", "guess", "masked_lm"]),
        ("corpora.copy", {"kind": "copy", "of": "nothing"}, ["corpora.copy.of", "'nothing'"]),
        ("action.emphasis", 1.5, ["action.emphasis", "1.5"]),
        ("target.report", 0.9, ["target", "must be 1"]),
        ("optimizer.warmup", 0.9, ["optimizer.warmup: must be at most 1 - decay", "0.9"]),
        ("target.corpus", {"kind": "almanac", "text": "kjv", "heldout": 0.5}, ["target.corpus.heldout"]),
        ("proxy.kind", "guess", ["proxy.kind", "guess", "heldout_loss"]),
    ],
)
def test_mistakes_name_the_key_and_the_value(key: str, value: Any, said: list[str]) -> None:
    with pytest.raises(ConfigError) as error:
        configs.load("almanac", {key: value})
    for word in said:
        assert word in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_reads_paths_relative_to_itself(corpora: Path, tmp_path: Path) -> None:
    file = corpora / "env.yaml"
    file.write_text(
        "corpora: {sea: {paths: sea.txt}, land: {paths: [land.txt]}}\ntarget: {corpus: {paths: star.jsonl}}\n"
        "budget: {updates: 3}\ncontext: 8\ntokenizer: {vocab_size: 330}\n"
    )
    config = configs.load(file)
    assert config.corpora["sea"].paths == str(corpora / "sea.txt")  # type: ignore[union-attr]
    assert config.target.corpus.paths == str(corpora / "star.jsonl")  # type: ignore[union-attr]
    assert [task.name for task in build(config).problem.tasks] == ["sea.causal_lm", "land.causal_lm"]
    assert configs.load(config.model_dump(mode="json")) == config


@pytest.mark.parametrize("content", ["- a\n- b\n", "a: [", "\x00"])
def test_files_that_are_no_environment(tmp_path: Path, content: str) -> None:
    (tmp_path / "env.yaml").write_text(content)
    with pytest.raises(ConfigError, match="env"):
        configs.load(tmp_path / "env.yaml")


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ({"corpora.sea.paths": "/nowhere/sea.txt"}, ["sea", "/nowhere/sea.txt"]),
        ({"corpora.star.label_field": "mood"}, ["star", "mood", "label"]),
        ({"context": 100_000}, ["100000"]),
        ({"tasks": [{"corpora": ["sea"], "objective": "classification"}]}, ["corpora.sea", "label_field"]),
        ({"tasks": [{"corpora": ["sea", "sea"]}]}, ["sea.causal_lm", "2 times"]),
        ({"device": "quantum"}, ["device", "'quantum'"]),
        ({"learner.heads": 3}, ["width", "heads", "3"]),
        ({"tasks": [{"objective": {"kind": "nomodule:Thing"}}]}, ["nomodule:Thing"]),
        ({"tasks": [{"objective": {"kind": "collections:Nothing"}}]}, ["collections:Nothing"]),
    ],
)
def test_what_only_the_data_can_show(tiny: dict[str, Any], overrides: dict[str, Any], said: list[str]) -> None:
    with pytest.raises(ConfigError) as error:
        made = build(configs.load(tiny, overrides))
        make_learner(made.config, made.problem)
    for word in said:
        assert word in str(error.value)
    assert "\n" not in str(error.value)


def test_an_empty_corpus_is_named(tiny: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_text("\n\n")
    with pytest.raises(ConfigError, match="sea"):
        build(configs.load(tiny, {"corpora.sea.paths": str(tmp_path / "empty.txt")}))


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [("a.b=1", "a.b", 1), ("x=1e-3", "x", 0.001), ("x=[1, 2]", "x", [1, 2]), ("x=true", "x", True), ("x=", "x", None)],
)
def test_overrides_are_yaml(text: str, key: str, value: Any) -> None:
    assert configs.parse_override(text) == (key, value)


@pytest.mark.parametrize("text", ["abc", "=3", "x=[1"])
def test_bad_overrides(text: str) -> None:
    with pytest.raises(ConfigError, match="--set"):
        configs.parse_override(text)


def test_a_pattern_that_is_typed_stands_in_quotes() -> None:
    assert configs.parse_override('x="*.txt"') == ("x", "*.txt")
    with pytest.raises(ConfigError, match=r"^--set 'x=\*.txt': .*; text that begins with \* stands in quotes$"):
        configs.parse_override("x=*.txt")
