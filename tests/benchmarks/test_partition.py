"""Roles of corpora: all in reach have one, families keep to theirs, and a family that does not is found."""

import gzip
import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from curriculum_rl.errors import ConfigError
from curriculum_rl.schema import load as configs


@pytest.fixture
def partition(benchmark):
    return benchmark("partition")


def test_families_read_text_of_their_own_role(partition):
    kept = partition.read()
    assert partition.mistakes(kept) == []
    assert len(kept.families["report"]) >= 6
    assert not any(entry.shared for entry in kept.entries)


def test_everything_in_reach_has_a_role(partition, real_data):
    assert partition.unassigned(partition.read(), real_data) == []


def moved(partition, file, role):
    kept = partition.read()
    entries = tuple(replace(entry, role=role) if file in entry.files else entry for entry in kept.entries)
    return replace(kept, entries=entries)


def test_a_source_or_target_of_another_role_is_found(partition):
    found = partition.mistakes(moved(partition, "sentiment/product_reviews_14.jsonl.gz", "development"))
    lines = ("ipod reads sentiment/product_reviews_14.jsonl.gz", "target reads sentiment/pros_cons.jsonl.gz")
    for line in lines:
        assert f"benchmarks/families/phrases.yaml: {line}, whose role is development" in found
    found = partition.mistakes(moved(partition, "fdu_mtl/books.jsonl.gz", "pool"))
    assert "examples/environments/reviews.yaml: target reads fdu_mtl/books.jsonl.gz, whose role is pool" in found


def test_what_is_shared_has_a_reason_and_no_target_is(partition):
    kept = partition.read()
    entries = tuple(
        replace(entry, shared="background") if "fdu_mtl/books.jsonl.gz" in entry.files else entry
        for entry in kept.entries
    )
    families = {**kept.families, "report": ("examples/environments/reviews.yaml",)}
    assert partition.mistakes(replace(kept, entries=entries, families=families)) == [
        "examples/environments/reviews.yaml: its target, fdu_mtl/books.jsonl.gz, has been in a development family"
    ]


def test_a_file_without_a_role_and_a_row_without_one(partition, tmp_path):
    file = tmp_path / "roles.yaml"
    halves = [
        {"role": role, "why": "half", "files": ["a.jsonl.gz"], "where": {"kind": role}} for role in ("report", "pool")
    ]
    content = {"families": {"development": [], "report": []}, "no_text": ["*README*"], "corpora": halves}
    file.write_text(yaml.safe_dump(content))
    data = tmp_path / "data"
    (data / "b").mkdir(parents=True)
    for name in ("README.txt", "b/README", "b/text.txt"):
        (data / name).write_text("text")
    with gzip.open(data / "a.jsonl.gz", "wt") as rows:
        rows.write("".join(json.dumps({"text": "one", "kind": kind}) + "\n" for kind in ("report", "pool", "none")))
    assert partition.unassigned(partition.read(file), data) == [
        "b/text.txt",
        "a.jsonl.gz: a row whose kind is ['none']",
    ]
    halves.append({"role": "report", "why": "all", "files": ["a.jsonl.gz", "c.txt"]})
    file.write_text(yaml.safe_dump(content))
    assert partition.unassigned(partition.read(file), data) == ["b/text.txt", "c.txt is not there"]
    assert partition.mistakes(partition.read(file)) == ["a.jsonl.gz has two roles or two reasons"] * 2


@pytest.mark.parametrize(
    ("key", "value", "said"), [("role", "test", "role: must be one of .*'test'"), ("why", "", "why")]
)
def test_an_entry_has_a_role_and_a_reason(partition, tmp_path, key, value, said):
    file = tmp_path / "roles.yaml"
    entry = {"role": "pool", "why": "left", "files": ["a.txt"], key: value}
    file.write_text(yaml.safe_dump({"families": {}, "no_text": [], "corpora": [entry]}))
    with pytest.raises(ConfigError, match=said):
        partition.read(file)


def test_every_family_is_an_environment(partition, monkeypatch):
    """Without the data; `$CURRICULUM_RL_DATA` is looked for when text is read."""
    monkeypatch.setenv("CURRICULUM_RL_DATA", "/data")
    kept = partition.read()
    beside = {f"benchmarks/families/{file.name}" for file in partition.FILE.parent.glob("*.yaml")} - {
        "benchmarks/families/partition.yaml"
    }
    assert beside <= {family for families in kept.families.values() for family in families}
    for family in sorted(beside):
        config = configs.load(partition.ROOT / family, trust=True)
        assert config.name == Path(family).stem
        target = config.target
        assert (target.signal, target.reward, target.selection, target.report) == (0.15, 0.1, 0.1, 0.65)
        assert config.report.sequences == 1024
        arms = sum(len(config.corpora) if task.corpora == "all" else len(task.corpora) for task in config.tasks)
        assert 6 <= arms <= 18, family
        trained = configs.load(partition.ROOT / family, {"target.train": True}, trust=True)
        assert trained.target.train
