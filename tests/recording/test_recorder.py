"""The recorder: rows and charts of a run, continued runs, replicas, what it costs."""

import json
import re
import time
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from made_rows import TOKENS, made_rows
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from curriculum_rl.errors import ConfigError
from curriculum_rl.recording.charts import TASK_CHARTS
from curriculum_rl.recording.recorder import Recorder, child_runs, deep_link
from curriculum_rl.recording.rows import read_rows

TASKS = ("a/clm", "a/mlm", "b", "c")


def read(directory):
    accumulator = EventAccumulator(str(directory), size_guidance={"scalars": 0, "images": 0, "tensors": 0})
    return accumulator.Reload()


def points(directory, tag):
    return [(event.step, event.value) for event in read(directory).Scalars(tag)]


def record(directory, rows, **options):
    with Recorder(directory, TASKS, **options) as recorder:
        for row in rows:
            recorder.record(row)


def test_rows_and_charts_hold_what_was_recorded(tmp_path):
    rows = made_rows(100)
    record(tmp_path, rows)
    assert read_rows(tmp_path / "segments.jsonl") == rows
    scores = points(tmp_path, "proxy/score")
    assert [step for step, _ in scores] == [row["tokens"] for row in rows]
    np.testing.assert_allclose([value for _, value in scores], [row["score"] for row in rows], rtol=1e-6)
    for index, name in enumerate(("task=a-clm", "task=a-mlm", "task=b", "task=c")):
        assert set(read(tmp_path / name).Tags()["scalars"]) == set(TASK_CHARTS)
        seen = points(tmp_path / name, "task/probability")
        np.testing.assert_allclose([v for _, v in seen], [row["probabilities"][index] for row in rows], rtol=1e-6)
        gains = points(tmp_path / name, "task/gain")
        assert [step for step, _ in gains] == [row["tokens"] for row in rows if row["action"] == index]


def test_heat_maps_are_drawn_every_so_often_and_at_the_end(tmp_path):
    record(tmp_path, made_rows(25), picture_every=10)
    images = read(tmp_path).Images("policy/heat_map")
    assert [image.step for image in images] == [10 * TOKENS, 20 * TOKENS, 25 * TOKENS]
    assert images[0].encoded_image_string.startswith(b"\x89PNG")


def test_a_continued_run_equals_one_that_was_never_interrupted(tmp_path):
    rows = made_rows(40)
    record(tmp_path / "whole", rows)
    # The first part went five segments beyond its checkpoint, and was killed in the middle of a line.
    with Recorder(tmp_path / "parts", TASKS) as recorder:
        for row in rows[:20]:
            recorder.record(row)
        recorder.flush()
        place = recorder.place
        for row in rows[20:25]:
            recorder.record(row)
    with (tmp_path / "parts" / "segments.jsonl").open("a") as file:
        file.write('{"segment": 25, "tok')
    assert (place.rows, place.tokens) == (20, 20 * TOKENS)
    record(tmp_path / "parts", rows[20:], resume_at=place)
    assert read_rows(tmp_path / "parts" / "segments.jsonl") == rows
    assert points(tmp_path / "parts", "proxy/score") == points(tmp_path / "whole", "proxy/score")
    for name in child_runs(TASKS):
        for tag in TASK_CHARTS:
            assert points(tmp_path / "parts" / name, tag) == points(tmp_path / "whole" / name, tag)
    last = [read(tmp_path / name).Images("policy/heat_map")[-1] for name in ("whole", "parts")]
    assert last[0].encoded_image_string == last[1].encoded_image_string


def test_replicas_side_by_side_make_one_point_and_many_rows(tmp_path):
    rows = made_rows(100, replicas=3)
    record(tmp_path, rows)
    assert len(read_rows(tmp_path / "segments.jsonl")) == 300
    rewards = points(tmp_path, "proxy/reward")
    assert [step for step, _ in rewards] == [(s + 1) * TOKENS for s in range(100)]
    np.testing.assert_allclose([v for _, v in rewards], [1 / (s + 1) + 1.0 for s in range(100)], rtol=1e-6)


def test_flush_shows_everything_at_once(tmp_path):
    recorder = Recorder(tmp_path, TASKS)
    recorder.record(made_rows(1)[0])
    assert not (tmp_path / "segments.jsonl").exists()
    recorder.flush()
    assert len(read_rows(tmp_path / "segments.jsonl")) == 1
    assert points(tmp_path, "learner/loss") == [(TOKENS, 5.0)]


def test_a_run_without_a_segment_leaves_an_empty_file(tmp_path):
    record(tmp_path, [])
    assert read_rows(tmp_path / "segments.jsonl") == []


def test_what_is_not_finite_is_null_in_the_file_and_absent_in_the_charts(tmp_path):
    row = {**made_rows(1)[0], "gain": float("nan"), "loss": float("inf"), "failed": True, "inner_drop": 0.25}
    record(tmp_path, [row])
    line = json.loads((tmp_path / "segments.jsonl").read_text(), parse_constant=pytest.fail)
    assert line["gain"] is None
    assert line["loss"] is None
    tags = read(tmp_path).Tags()["scalars"]
    assert "learner/loss" not in tags
    assert points(tmp_path, "learner/failed") == [(TOKENS, 1.0)]
    assert points(tmp_path, "learner/inner_drop") == [(TOKENS, 0.25)]


def test_texts_and_hyperparameters_are_in_the_same_run(tmp_path):
    with Recorder(tmp_path, TASKS) as recorder:
        for row in made_rows(3):
            recorder.record(row)
        recorder.text("config", "| a | b |")
        config = {"agent": "exp3s", "seed": 0, "memory": None, "rate": 0.1, "path": tmp_path, "on": True}
        recorder.hparams(config, {"result/target_loss": 3.5, "result/nothing": float("nan")})
    seen = read(tmp_path)
    assert seen.Tensors("config/text_summary")[0].tensor_proto.string_val[0] == b"| a | b |"
    assert points(tmp_path, "result/target_loss") == [(3 * TOKENS, 3.5)]
    content = seen.summary_metadata["_hparams_/session_start_info"].plugin_data.content
    assert b"exp3s" in content
    assert b"memory" not in content
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == sorted(child_runs(TASKS))


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"tokens": 0}, "tokens=0"),
        ({"probabilities": [1.0]}, "1 entries for 4"),
        ({"share": [0.2] * 5}, "5 entries for 4"),
    ],
)
def test_a_row_that_does_not_fit_is_refused(tmp_path, change, word):
    first, second = made_rows(2)
    recorder = Recorder(tmp_path, TASKS)
    recorder.record(first)
    with pytest.raises(ValueError, match=word):
        recorder.record({**second, **change})


def test_a_second_recording_in_one_directory_is_refused(tmp_path):
    record(tmp_path, made_rows(1))
    with pytest.raises(ConfigError, match="holds a recording already"):
        Recorder(tmp_path, TASKS)


@pytest.mark.parametrize(("tasks", "every"), [(("a", "a"), 50), ((), 50), (("a",), 0)])
def test_wrong_arguments_are_named(tmp_path, tasks, every):
    with pytest.raises(ConfigError, match=r"tasks: must be|picture_every: must be at least 1 \(got 0\)"):
        Recorder(tmp_path, tasks, picture_every=every)


def test_names_of_child_runs_are_safe_and_unique():
    names = child_runs(["a/b", "a b", "x=1", "../..", "ü"])
    assert len(set(names)) == 5
    assert names[0] == "task=a-b"
    assert not any("/" in name for name in names)


def test_long_names_of_tasks_make_folders_that_a_file_system_takes(tmp_path):
    tasks = ["ü" * 300, "ü" * 300 + "x", "y" * 5000]
    names = child_runs(tasks)
    assert len(set(names)) == 3
    for name in names:
        (tmp_path / name).mkdir()


def test_the_deep_link_pins_the_policy():
    link = deep_link(7007)
    assert link.startswith("http://localhost:7007/?pinnedCards=")
    assert link.endswith("#timeseries")
    assert "task%2Fprobability" in link


def test_the_deep_link_to_one_of_several_runs_filters_the_others_tasks():
    query = parse_qs(urlsplit(deep_link(run="d-ts")).query)
    assert json.loads(query["pinnedCards"][0])[0]["runId"] == "defaultExperimentId/d-ts"
    shown = re.compile(query["runFilter"][0])
    runs = ["d-ts", "d-ts/task=a", "stratified", "stratified/task=a", "d-ts-2/task=a"]
    assert [run for run in runs if shown.search(run)] == ["d-ts", "d-ts/task=a", "stratified"]


def test_a_segment_of_twelve_tasks_costs_little(tmp_path):
    rows = made_rows(400, tasks=12)
    spent = []
    for repeat in range(3):
        recorder = Recorder(tmp_path / str(repeat), [f"task {i}" for i in range(12)])
        before = time.process_time()
        for row in rows:
            recorder.record(row)
        recorder.close()
        spent.append((time.process_time() - before) / len(rows))
    # Measured: 0.25 to 0.4 ms, and 0.6 to 1.2 ms on a slow day; the bound catches a change of kind alone.
    assert min(spent) < 5e-3
