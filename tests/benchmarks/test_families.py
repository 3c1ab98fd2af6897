"""Families: what reading one counts, what the page says of it, and slices that are disjoint parts of a corpus."""

import gzip
import json
from dataclasses import replace

import pytest
import yaml

from curriculum_rl.errors import ConfigError
from curriculum_rl.schema import load as configs


@pytest.fixture
def slices(benchmark, monkeypatch):
    monkeypatch.syspath_prepend(str(benchmark("partition").FILE.parent))
    return benchmark("slices")


@pytest.fixture
def family(benchmark, tiny, tmp_path):
    file = tmp_path / "tiny.yaml"
    tasks = [{"corpora": ["sea", "land", "star"], "objective": kind} for kind in ("causal_lm", "masked_lm")]
    content = {**tiny, "name": "tiny", "tasks": tasks, "batch": 6, "budget": {"updates": 20}}
    head = "# Three corpora. CURRICULUM_RL_DATA is not needed.\n# Small ones, and a target.\n"
    file.write_text(head + yaml.safe_dump(content))
    return benchmark("family").family_of(file, "report")


def test_a_family_is_counted(family):
    assert family.about == "Three corpora. Small ones, and a target."
    assert (family.tasks, family.objectives) == (6, ("causal_lm", "masked_lm"))
    assert (family.updates, family.rows) == (20, 120)
    assert [source.name for source in family.sources] == ["sea", "land", "star"]
    for source in family.sources:
        windows = (source.tokens - 1) // 16
        assert source.passes == pytest.approx(2 * 20 / windows)
    assert sum(source.share for source in family.sources) == pytest.approx(1)
    assert family.nearest.bits == min(source.bits for source in family.sources)
    assert 1 < family.effective < 3
    assert 0 < family.apart < 1
    even = tuple(replace(source, share=1 / 3) for source in family.sources)
    assert replace(family, sources=even).effective == pytest.approx(3)


def test_the_page_says_whether_stratified_ends_below_the_line(benchmark, family):
    page = benchmark("families").page
    run = {"print": family.print, "target_loss": 5.0, "bigram": 5.5, "smoothed": 5.25, "single": 5.75, "corpus": "sea"}
    run |= {"seconds": 12.4, "downstream_accuracy": 0.5}
    rows = "| tiny | 20 | 120 | 5.000 | 5.500 | yes, 0.500 | 5.250 | 5.750 (sea) | 0.500 accuracy | 12 |"
    assert rows in page([family], {"tiny": run})
    assert "| 5.600 | 5.500 | **no** |" in page([family], {"tiny": {**run, "target_loss": 5.6}})
    assert "| 0.250 entity F1 |" in page([family], {"tiny": {**run, "downstream_entity_f1": 0.25}})


def test_a_run_of_other_text_or_settings_is_not_taken(benchmark, family):
    page = benchmark("families").page
    assert "| tiny | 20 | 120 | not run |" in page([family], {})
    assert "| tiny | 20 | 120 | not run |" in page([replace(family, print="other")], {"tiny": {"print": family.print}})


def test_a_run_is_kept_of_every_report_family_and_ends_below_its_line(benchmark):
    partition = benchmark("partition")
    kept = json.loads(benchmark("families").KEPT.read_text(encoding="utf-8"))
    for name in partition.read().families["report"]:
        config = configs.load(partition.ROOT / name, trust=True)
        run = kept[config.name]
        assert config.budget.updates is not None
        assert run["rows"] == config.budget.updates * config.batch, name
        assert run["target_loss"] < run["bigram"], name


def test_slices_are_disjoint_and_leave_nothing_out(slices, tmp_path, monkeypatch):
    texts = [f"text {number}" for number in range(300)]
    with gzip.open(tmp_path / "a.jsonl.gz", "wt") as rows:
        rows.write("".join(json.dumps({"text": text}) + "\n" for text in texts))
    monkeypatch.setenv("FOLDER", str(tmp_path))
    parts = [slices.Slice(paths="$FOLDER/a.jsonl.gz", part=part, parts=3) for part in range(3)]
    found = [[row.text for row in part.documents()] for part in parts]
    assert sorted(text for part in found for text in part) == sorted(texts)
    assert all(70 < len(part) < 130 for part in found)
    assert len({part.fingerprint() for part in parts}) == 3
    assert parts[0].fingerprint() == slices.Slice(paths="$FOLDER/a.jsonl.gz", part=0, parts=3).fingerprint()
    with pytest.raises(ConfigError, match="part: must be at least 0 and below parts, which is 3"):
        slices.Slice(paths="$FOLDER/a.jsonl.gz", part=3, parts=3)
