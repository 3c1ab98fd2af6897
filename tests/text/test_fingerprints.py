"""What is kept is kept under all that it depends on: another value of any field of the schema is another key.

A new field fails here until it has a row: another value that must change the key, or a reason why it need not.
"""

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from curriculum_rl.experiment import Experiment, build
from curriculum_rl.learners.build import weights_sha256
from curriculum_rl.pretraining import reference
from curriculum_rl.pretraining.counting import counting_losses
from curriculum_rl.schema import EnvConfig
from curriculum_rl.schema import load as configs
from curriculum_rl.schema.base import Section
from curriculum_rl.schema.corpora import (
    CORPORA,
    TOKENIZERS,
    CorpusSection,
    DatasetCorpus,
    DerivedCorpus,
    ReadCorpus,
    TokenizerSection,
)
from curriculum_rl.schema.learners import LEARNERS
from curriculum_rl.schema.methods import METHODS
from curriculum_rl.schema.objectives import OBJECTIVES
from curriculum_rl.schema.proxies import PROXIES, FineTuneSettings
from curriculum_rl.schema.targets import ReportConfig
from curriculum_rl.schema.tasks import TaskConfig
from curriculum_rl.testing.problems import LAND, SEA, STAR, sentences
from curriculum_rl.text.cache import Cache
from curriculum_rl.text.library import Library, source_of
from curriculum_rl.text.tokenizers import train_bpe

CONTENT = "its content counts, wherever it lies: test_content_counts"

SOURCES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "files": (
        {"paths": "{folder}/rows.jsonl"},
        {
            "heldout": 0.3,
            "max_characters": 400,
            "text_field": "body",
            "label_field": "label",
            "group_field": "genre",
            "where": {"genre": "email"},
            "format": "lines",
        },
    ),
    "dataset": (
        {"path": "{folder}/set"},
        {
            "heldout": 0.3,
            "max_characters": 400,
            "text_field": "body",
            "label_field": "label",
            "group_field": "genre",
            "where": {"genre": "email"},
            "split": "test",
        },
    ),
    "almanac": (
        {"text": "pydocs", "max_characters": 9000},
        {"heldout": 0.3, "max_characters": 8000, "text": "pysource"},
    ),
    "noise": ({"tokens": 400}, {"tokens": 500}),
    "shuffled": ({"of": "one"}, {"of": "other"}),
    "copy": ({"of": "one"}, {"of": "other"}),
    "small": ({"of": "one", "characters": 300}, {"of": "other", "characters": 200}),
}
"""Of every kind of corpus its settings, and another value of each field."""
UNCHANGED = {
    ("files", "paths"): CONTENT,
    ("dataset", "path"): CONTENT,
    ("dataset", "config_name"): "the rows that it chooses are hashed, as those of `split` and of a selection are",
    ("transformers", "path"): CONTENT,
}
"""Fields of which another value is the same key, with the reason."""
TOKENIZER_SETTINGS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "bpe": ({"vocab_size": 330, "labels": 4}, {"vocab_size": 340, "labels": 5}),
    "transformers": ({"path": "{folder}/tokenizer", "labels": 4}, {"labels": 5}),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One text as files, a data set of two splits, and a tokenizer saved by transformers."""
    import datasets
    import transformers

    path = tmp_path_factory.mktemp("content")
    texts, bodies = sentences(SEA, 60, 1), sentences(LAND, 60, 1)
    rows = [
        {"text": texts[n], "body": bodies[n], "label": "xy"[n % 2], "genre": "blog" if n % 3 else "email"}
        for n in range(60)
    ]
    for name, part in (("rows", rows), ("others", rows[:50])):
        (path / f"{name}.jsonl").write_text("\n".join(json.dumps(row) for row in part))
    table = datasets.Dataset.from_list(rows)
    datasets.DatasetDict({"train": table, "test": table.select(range(50))}).save_to_disk(str(path / "set"))
    backend = train_bpe((row["text"] for row in rows), vocab_size=300, labels=2)._backend
    transformers.PreTrainedTokenizerFast(tokenizer_object=backend).save_pretrained(path / "tokenizer")
    return path


def library(folder: Path, corpus: Mapping[str, Any], tokenizer: Mapping[str, Any] | None = None) -> Library:
    rows = {"paths": f"{folder}/rows.jsonl"}
    content = {
        "corpora": {"x": dict(corpus), "one": rows, "other": {**rows, "text_field": "body"}},
        "target": {"corpus": {"paths": f"{folder}/rows.jsonl", "text_field": "genre"}},
        "tokenizer": dict(tokenizer or {"vocab_size": 320, "labels": 2}),
        "budget": {"updates": 1},
    }
    text = json.dumps(content).replace("{folder}", str(folder))
    return Library(configs.load(json.loads(text)), Cache(folder / "cache"))


def key_of(made: Library) -> str:
    """Of what tasks on the corpus x train on, before anything is taken out."""
    section = made._config.corpora["x"]
    if isinstance(section, ReadCorpus):
        return made._read["x"].fingerprint("train")
    return made._source_of("x").fingerprint("train") if isinstance(section, DerivedCorpus) else made.corpus("x").sha256


@pytest.mark.parametrize("section", CORPORA, ids=lambda section: section.name())
def test_every_field_of_a_source_is_in_its_fingerprint(folder: Path, section: type[CorpusSection]) -> None:
    kind = section.name()
    given, others = SOURCES[kind]
    fields = {field for field in section.model_fields if (kind, field) not in UNCHANGED} - {"kind"}
    assert fields == {*others}, f"a new field of {kind}: give another value of it, or the reason why it need not count"
    first = key_of(library(folder, {"kind": kind, **given}))
    assert first == key_of(library(folder, {"kind": kind, **given}))
    keys = {field: key_of(library(folder, {"kind": kind, **given, field: value})) for field, value in others.items()}
    assert [field for field, key in keys.items() if key == first] == []


@pytest.mark.parametrize("section", TOKENIZERS, ids=lambda section: section.name())
def test_every_field_of_a_tokenizer_is_in_its_fingerprint(folder: Path, section: type[TokenizerSection]) -> None:
    kind = section.name()
    given, others = TOKENIZER_SETTINGS[kind]
    fields = {field for field in section.model_fields if (kind, field) not in UNCHANGED} - {"kind"}
    assert fields == {*others}
    rows = {"paths": "{folder}/rows.jsonl"}

    def key(**changes: Any) -> str:
        return library(folder, rows, {"kind": kind, **given, **changes}).tokenizer.fingerprint

    first = key()
    assert first == key()
    assert all(key(**{field: value}) != first for field, value in others.items())


def test_content_counts(folder: Path, tmp_path: Path) -> None:
    """Another place is the same key, another content another one: of files, data sets and tokenizers."""
    shutil.copytree(folder, tmp_path / "moved", ignore=shutil.ignore_patterns("cache"))
    moved = tmp_path / "moved"
    corpus: dict[str, Any]
    for corpus in ({"paths": "{folder}/rows.jsonl"}, {"kind": "dataset", "path": "{folder}/set"}):
        assert key_of(library(folder, corpus)) == key_of(library(moved, corpus))
    others: list[dict[str, Any]] = [
        {"paths": "{folder}/others.jsonl"},
        {"paths": ["{folder}/rows.jsonl", "{folder}/others.jsonl"]},
        {"kind": "dataset", "path": "{folder}/set", "split": "test"},
        {"kind": "dataset", "path": "{folder}/set"},
        {"paths": "{folder}/rows.jsonl"},
    ]
    assert len({key_of(library(folder, corpus)) for corpus in others}) == len(others)
    rows, tokenizer = {"paths": "{folder}/rows.jsonl"}, {"kind": "transformers", "path": "{folder}/tokenizer"}
    before = library(folder, rows, tokenizer).tokenizer.fingerprint
    assert library(moved, rows, tokenizer).tokenizer.fingerprint == before
    file = moved / "tokenizer" / "tokenizer.json"
    content = json.loads(file.read_text())
    content["model"]["merges"].pop()
    file.write_text(json.dumps(content))
    assert library(moved, rows, tokenizer).tokenizer.fingerprint != before


numbers = st.lists(st.integers(0, 11), min_size=1, max_size=4)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(numbers, numbers, st.booleans())
def test_selections_of_a_data_set_share_a_key_where_their_rows_are_equal(
    tmp_path: Path, one: list[int], other: list[int], flattened: bool
) -> None:
    """Whatever selected them: Arrow's files are the same ones, and only the numbers of the rows differ."""
    import datasets

    features = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["a", "b"])})
    rows = {"text": [f"row {n // 2}" for n in range(12)], "label": [None if n % 5 == 0 else n % 2 for n in range(12)]}
    table = datasets.Dataset.from_dict(rows, features=features)
    found = []
    for chosen in (one, other):
        selected = table.select(chosen)
        place = tmp_path / f"{uuid4()}"
        (selected.flatten_indices() if flattened and chosen is one else selected).save_to_disk(str(place))
        source = source_of(DatasetCorpus(kind="dataset", path=str(place), label_field="label"))
        found.append((list(source.documents()), source.fingerprint()))
    assert (found[0][0] == found[1][0]) == (found[0][1] == found[1][1])


def test_names_of_classes_are_content(tmp_path: Path) -> None:
    import datasets

    keys = []
    for names in (["no", "yes"], ["bad", "good"]):
        features = {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=names)}
        table = datasets.Dataset.from_dict({"text": ["a", "b"], "label": [0, 1]}, features=datasets.Features(features))
        table.save_to_disk(str(tmp_path / names[0]))
        keys += [
            source_of(DatasetCorpus(kind="dataset", path=str(tmp_path / names[0]), label_field=field)).fingerprint()
            for field in (None, "label")
        ]
    assert len({*keys}) == 3 and keys[0] == keys[2]


UNREAD = {
    "EnvConfig.name": "what a table shows",
    "EnvConfig.action": "stratified batches are played whatever an agent may choose",
    "EnvConfig.observation": "nobody looks",
    "EnvConfig.reward": "nobody is paid; gains are the proxy's",
    "ReportConfig.sequences": "of the target's report split, which nothing else reads",
    "ReportConfig.finetune": "not made",
}
"""Fields that a recorded reference does not depend on, with the reason."""
SECTIONS: dict[str, tuple[type[Section], ...]] = {"learner": LEARNERS, "method": METHODS, "proxy": PROXIES}


def changes(section: BaseModel) -> Iterator[tuple[str, BaseModel]]:
    """The section with another value in each of its fields, and in each field of the sections in it."""
    for name in type(section).model_fields:
        value = getattr(section, name, None)
        yield f"{type(section).__name__}.{name}", section.model_copy(update={name: "changed"})
        inside: list[Any] = [(None, value)] if isinstance(value, BaseModel) else []
        inside += enumerate(value) if isinstance(value, list) else []
        inside += value.items() if isinstance(value, dict) else []
        for key, one in inside:
            for place, other in changes(one) if isinstance(one, BaseModel) else ():
                many = dict(inside) | {key: other}
                filled = other if key is None else list(many.values()) if isinstance(value, list) else many
                yield place, section.model_copy(update={name: filled})


@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")
def test_every_field_of_an_environment_is_in_the_key_of_a_reference(experiment: Experiment) -> None:
    """Of every kind of objective, learner, method and proxy, and whatever else an environment file may say."""
    config = experiment.config
    tasks = [TaskConfig.model_construct(objective=kind.model_construct(kind=kind.name())) for kind in OBJECTIVES]
    bases = [config.model_copy(update={"tasks": tasks, "report": ReportConfig(finetune=FineTuneSettings())})]
    bases += [
        config.model_copy(update={key: kind.model_construct()}) for key, kinds in SECTIONS.items() for kind in kinds
    ]
    below = {"ActionConfig", "RewardConfig", "FineTuneSettings"}  # of fields that need not count as a whole
    seen, same = set(), set()
    for base in bases:
        first = reference.fingerprint(replace(experiment, config=base))
        for place, changed in changes(base):
            seen.add(place)
            assert isinstance(changed, EnvConfig)
            if reference.fingerprint(replace(experiment, config=changed)) == first:
                same.add(place)
    assert {place for place in same if place.partition(".")[0] not in below} == {*UNREAD}
    assert {f"{kind.__name__}.{name}" for kind in OBJECTIVES for name in kind.model_fields} <= seen
    assert len(seen) > 150


def test_texts_and_weights_are_in_the_key_of_a_reference(tiny: dict[str, Any], corpora: Path, tmp_path: Path) -> None:
    """The target's own file, at the same path, with another text; and the files of a model."""
    for name in ("sea.txt", "land.txt", "star.jsonl"):
        shutil.copy(corpora / name, tmp_path / name)
    content = json.loads(json.dumps(tiny).replace(str(corpora), str(tmp_path)))
    content["target"] = {"corpus": {"paths": str(tmp_path / "own.jsonl"), "label_field": "label"}}
    keys = []
    rows = [{"text": text, "label": "xy"[n % 2]} for n, text in enumerate(sentences(STAR, 300, 7))]
    for change in ({}, {"text": "another"}, {"label": "y"}):
        (tmp_path / "own.jsonl").write_text("\n".join(map(json.dumps, [{**rows[0], **change}, *rows[1:]])))
        keys.append(reference.fingerprint(build(configs.load(content))))
    assert len({*keys}) == 3
    learner = {"kind": "transformers", "model": str(tmp_path / "model")}
    (tmp_path / "model").mkdir()
    found = []
    for weights in (b"a", b"b", b"a"):
        (tmp_path / "model" / "model.safetensors").write_bytes(weights)
        found.append(weights_sha256(configs.load(tiny, {"learner": learner, "tasks": [{"objective": "causal_lm"}]})))
    assert found[0] == found[2] != found[1]
    assert weights_sha256(configs.load(tiny)) is None


def test_what_a_task_reads_is_in_the_key_of_a_counted_line(tiny: dict[str, Any], corpora: Path, tmp_path: Path) -> None:
    """Classification reads the labelled rows alone: another field of labels is other rows, of the same corpus."""
    rows = [json.loads(line) for line in (corpora / "star.jsonl").read_text().splitlines()]
    for n, row in enumerate(rows):
        row["some"] = row["label"] if n % 2 else None
    (tmp_path / "star.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    found = []
    for field in ("label", "some"):
        star = {**tiny["corpora"]["star"], "paths": str(tmp_path / "star.jsonl"), "label_field": field}
        task = {"corpora": ["star"], "objective": "classification"}
        made = build(configs.load({**tiny, "corpora": {**tiny["corpora"], "star": star}, "tasks": [task]}))
        found.append(counting_losses(made, {"star.classification": 50}, Cache(tmp_path / "cache")))
    assert len(list((tmp_path / "cache").glob("*/counting.json"))) == 2
    assert found[0] != found[1]
