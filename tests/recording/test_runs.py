"""Run directories: never overwritten by accident, and readable afterwards."""

import json

import numpy as np
import pytest
from made_rows import made_rows

from curriculum_rl.errors import ConfigError
from curriculum_rl.recording import contents
from curriculum_rl.recording.runs import RunDirectory, read_schedule


@pytest.fixture
def run(tmp_path):
    directory = RunDirectory.create(tmp_path / "deep" / "run")
    directory.write_config({"b": 1, "a": {"names": ["ü", "x"]}, "none": None})
    return directory


def test_a_configuration_survives_in_its_order(run):
    assert list(run.read_config()) == ["b", "a", "none"]
    assert run.read_config() == {"b": 1, "a": {"names": ["ü", "x"]}, "none": None}
    assert RunDirectory.open(run.path) == run


def test_an_existing_run_is_refused_with_both_options_named(run):
    with pytest.raises(ConfigError, match=r"--resume.*--overwrite"):
        RunDirectory.create(run.path)


def test_resume_keeps_and_overwrite_deletes(run):
    (run.path / "segments.jsonl").write_text("{}\n")
    assert not RunDirectory.create(run.path, resume=True).is_new
    assert (run.path / "segments.jsonl").exists()
    RunDirectory.create(run.path, overwrite=True, check_only=True)
    assert (run.path / "segments.jsonl").exists()
    assert RunDirectory.create(run.path, overwrite=True).is_new
    assert list(run.path.iterdir()) == []


def test_check_only_makes_nothing(tmp_path):
    RunDirectory.create(tmp_path / "new", check_only=True)
    assert not (tmp_path / "new").exists()


def test_an_empty_directory_and_a_missing_one_are_free(tmp_path):
    (tmp_path / "empty").mkdir()
    for name in ("empty", "missing"):
        assert RunDirectory.create(tmp_path / name, resume=name == "missing").is_new


@pytest.mark.parametrize("option", ["resume", "overwrite"])
@pytest.mark.parametrize("content", [{"thesis.txt": "years of work"}, {"config.yaml": "somebody: else\n"}])
def test_what_is_no_run_is_never_touched(tmp_path, option, content):
    for name, text in content.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(ConfigError, match=f"{option} refused"):
        RunDirectory.create(tmp_path, **{option: True})
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == content


def test_both_options_and_a_file_are_refused(run, tmp_path):
    with pytest.raises(ConfigError, match="choose one"):
        RunDirectory.create(run.path, resume=True, overwrite=True)
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="is a file"):
        RunDirectory.create(tmp_path / "file", overwrite=True)


def test_opening_what_is_no_run_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="no run directory"):
        RunDirectory.open(tmp_path)


def test_versions_name_what_the_run_ran_on(run):
    run.write_versions()
    versions = json.loads((run.path / "versions.json").read_text())
    assert {"python", "torch", "numpy", "gymnasium", "stable-baselines3", "platform", "threads"} <= versions.keys()
    assert versions["curriculum-rl"]
    assert versions["threads"] >= 1


def test_a_result_is_plain_json(run):
    run.write_result({"score": np.float64(1.5), "bad": float("nan"), "share": np.array([0.5, 0.5])})
    assert run.read_result() == {"score": 1.5, "bad": None, "share": [0.5, 0.5]}


def test_a_digit_that_changes_in_a_result_is_damage(run):
    run.write_result({"final": {"target_loss": 2.5}, "files": {}})
    assert run.damage() is None
    path = run.path / "result.json"
    path.write_text(path.read_text().replace("2.5", "2.4"))
    assert run.damage() == "result.json is not what was written (its sha256 differs)"


def test_a_run_without_a_result_says_so(run):
    with pytest.raises(ConfigError, match="has the run come to its end"):
        run.read_result()


def test_a_damaged_configuration_is_named(run):
    (run.path / "config.yaml").write_text("a: [1\n")
    with pytest.raises(ConfigError, match=r"config\.yaml, line \d: is not YAML") as caught:
        run.read_config()
    assert "\n" not in str(caught.value)
    (run.path / "config.yaml").write_text("- 1\n")
    with pytest.raises(ConfigError, match=r"must hold a mapping \(got list"):
        run.read_config()


def test_a_schedule_is_written_and_read(run):
    rows = made_rows(10)
    written = run.write_schedule(rows, ["a", "b", "c", "d"])
    assert read_schedule(run.path / "schedule.json") == written
    assert written.pieces[-1].end_tokens == rows[-1]["tokens"]


def test_no_temporary_file_is_left(run):
    run.write_versions()
    run.write_result({})
    assert sorted(path.name for path in run.path.iterdir()) == ["config.yaml", "result.json", "versions.json"]


def test_a_home_is_no_place_for_a_run_even_where_one_stands_in_it(run, monkeypatch):
    monkeypatch.setenv("HOME", str(run.path))
    with pytest.raises(ConfigError, match="no place for a run, overwrite refused"):
        RunDirectory.create(run.path, overwrite=True)
    assert (run.path / "config.yaml").exists()


def test_what_is_no_json_stands_in_the_way_of_nothing(run):
    deep = "[" * 100_000
    run.write_config({"seed": 1})
    (run.path / "learner").mkdir()
    for name in ("learner/learner.json", "segments.jsonl", "learner/mine.txt"):
        (run.path / name).write_text(deep + "\n")
    with pytest.raises(ConfigError, match="line 1 is not JSON"):
        run.read_rows()
    contents.delete(run.path)
    assert sorted(path.name for path in run.path.rglob("*")) == ["config.yaml", "learner", "mine.txt"]
