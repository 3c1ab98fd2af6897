"""Data sets of the `datasets` library: class labels by name, settings without effect, what is damaged."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from made_sources import dataset, files

from curriculum_rl.errors import ConfigError
from curriculum_rl.text import loading
from curriculum_rl.text.documents import Document, Tally, read

datasets = pytest.importorskip("datasets")


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


def _saved(folder: Path, rows: dict[str, Any], **features: Any) -> Path:
    datasets.Dataset.from_dict(rows, features=datasets.Features(features)).save_to_disk(str(folder))
    return folder


def test_parquet_and_datasets_of_words_and_tags(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    names = ["O", "B-LOC", "I-LOC"]
    features = {
        "tokens": datasets.Sequence(datasets.Value("string")),
        "tags": datasets.Sequence(datasets.ClassLabel(names=names)),
        "text_tags": datasets.Sequence(datasets.Value("string")),
    }
    rows: dict[str, Any] = {
        "tokens": [["New", "York"], ["rain"]],
        "tags": [[1, 2], [0]],
        "text_tags": [["B-LOC", "I-LOC"], ["O"]],
    }
    table = datasets.Dataset.from_dict(rows, features=datasets.Features(features))
    table.save_to_disk(str(tmp_path / "set"))
    table.to_parquet(str(tmp_path / "a.parquet"))
    expected = [Document("New York", "", "B-LOC I-LOC", tagged=True), Document("rain", "", "O", tagged=True)]
    for label in ("tags", "text_tags"):
        assert list(dataset(tmp_path / "set", text_field="tokens", label_field=label).documents()) == expected
    parquet = files(tmp_path / "a.parquet", text_field="tokens", label_field="text_tags")
    assert list(parquet.documents()) == expected
    parquet = files(tmp_path / "a.parquet", text_field="tokens", label_field="tags")
    assert list(parquet.documents()) == expected


@pytest.mark.parametrize("shown", ["numpy", "torch", "pandas", "arrow"])
@pytest.mark.parametrize("columns", [None, ["label"]])
@pytest.mark.parametrize("splits", [False, True])
def test_the_format_that_a_data_set_was_saved_with_does_not_matter(
    tmp_path: Path, shown: str, columns: list[str] | None, splits: bool
) -> None:
    table = datasets.Dataset.from_dict({"text": ["a", "b"], "label": [3, 4], "words": [["x", "y"], ["z"]]})
    table.set_format(shown, columns=columns)
    (datasets.DatasetDict({"train": table}) if splits else table).save_to_disk(str(tmp_path / "set"))
    found = dataset(tmp_path / "set", label_field="label", group_field="label")
    assert list(found.documents()) == [Document("a", "3", "3"), Document("b", "4", "4")]
    assert [row.text for row in dataset(tmp_path / "set", text_field="words").documents()] == ["x\ny", "z"]


def test_datasets_directories(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    datasets = pytest.importorskip("datasets")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    features = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["no", "yes"])})
    table = datasets.Dataset.from_dict({"text": ["a", "b", "c"], "label": [1, 0, -1]}, features=features)
    table.save_to_disk(str(tmp_path / "one"))
    datasets.DatasetDict({"train": table, "test": table.select([1])}).save_to_disk(str(tmp_path / "two"))
    expected = [Document("a", "", "yes"), Document("b", "", "no"), Document("c", "", None)]
    assert list(dataset(tmp_path / "one", label_field="label").documents()) == expected
    test = dataset(tmp_path / "two", split="test", label_field="label")
    assert list(test.documents()) == expected[1:2]
    moved = Path(shutil.move(tmp_path / "one", tmp_path / "moved"))
    assert dataset(moved).fingerprint() == dataset(moved).fingerprint() != test.fingerprint()
    for source, message in (
        (dataset(tmp_path / "two", split="dev"), "split: .*two has no split 'dev'"),
        (
            dataset(tmp_path / "two", text_field="body"),
            "text_field: no field 'body' in .*two .train.; its fields",
        ),
        (dataset(tmp_path / "none"), "path: cannot load '.*none', split 'train'"),
    ):
        with pytest.raises(ConfigError, match=message) as caught:
            list(source.documents())
        assert "\n" not in str(caught.value)


CLASS = datasets.ClassLabel(names=["no", "yes"])
TEXT = datasets.Value("string")


def test_class_labels_are_names_in_every_field(tmp_path: Path) -> None:
    rows: dict[str, Any] = {"text": ["a", "b", "c", None], "label": [1, 0, -1, 1]}
    folder = _saved(tmp_path / "set", rows, text=TEXT, label=CLASS)
    tally = Tally()
    found = list(read(dataset(folder, label_field="label", group_field="label"), tally))
    assert found == [Document("a", "yes", "yes"), Document("b", "no", "no"), Document("c")]
    assert tally == Tally(without_text=1)
    for wanted in ("yes", 1, "1"):
        assert [row.text for row in dataset(folder, where={"label": wanted}).documents()] == ["a"]
    assert [row.text for row in dataset(folder, where={"label": ""}).documents()] == ["c"]


def test_class_labels_in_parquet_keep_their_numbers_and_have_none_for_none(tmp_path: Path) -> None:
    features = datasets.Features({"text": TEXT, "label": CLASS})
    rows = datasets.Dataset.from_dict({"text": ["a", "b", "c"], "label": [1, 0, -1]}, features=features)
    rows.to_parquet(str(tmp_path / "a.parquet"))
    found = list(files(tmp_path / "a.parquet", label_field="label").documents())
    assert found == [Document("a", "", "1"), Document("b", "", "0"), Document("c")]


def test_tags_without_a_class(tmp_path: Path) -> None:
    tags = datasets.Sequence(datasets.ClassLabel(names=["O", "B-LOC"]))
    rows: dict[str, Any] = {"words": [["in", "Rome"], ["so", "what"]], "tags": [[0, 1], [-1, -1]]}
    options: dict[str, Any] = {"text_field": "words", "label_field": "tags"}
    folder = _saved(tmp_path / "set", rows, words=datasets.Sequence(TEXT), tags=tags)
    found = list(dataset(folder, **options).documents())
    assert found == [Document("in Rome", "", "O B-LOC", tagged=True), Document("so\nwhat")]
    folder = _saved(tmp_path / "some", rows | {"tags": [[0, -1], [0, 0]]}, words=datasets.Sequence(TEXT), tags=tags)
    with pytest.raises(
        ConfigError, match=r"label_field: some words have a tag and others have none, 'tags' in .* row 1"
    ):
        list(dataset(folder, **options).documents())


def test_several_labels_are_refused(tmp_path: Path) -> None:
    rows: dict[str, Any] = {"text": ["a"], "label": [[0, 1]]}
    folder = _saved(tmp_path / "set", rows, text=TEXT, label=datasets.Sequence(CLASS))
    with pytest.raises(ConfigError, match=r"label_field: must name a field of single values .a list in .* row 1"):
        list(dataset(folder, label_field="label").documents())


def test_a_column_of_floats_is_spelled_as_whole_numbers(tmp_path: Path) -> None:
    folder = _saved(
        tmp_path / "set", {"text": ["a", "b"], "x": [1.0, float("nan")]}, text=TEXT, x=datasets.Value("float64")
    )
    assert list(dataset(folder, label_field="x", group_field="x").documents()) == [
        Document("a", "1", "1"),
        Document("b"),
    ]


def test_settings_without_effect_are_refused(tmp_path: Path) -> None:
    one = _saved(tmp_path / "one", {"text": ["a"]}, text=TEXT)
    two = tmp_path / "two"
    datasets.DatasetDict({"train": datasets.load_from_disk(str(one))}).save_to_disk(str(two))
    assert [row.text for row in dataset(one).documents()] == ["a"]
    for source, said in (
        (dataset(one, split="test"), "split: .*one has no splits; leave it away .got 'test'"),
        (dataset(one, split="train"), "split: .*one has no splits"),
        (dataset(one, config_name="x"), "config_name: .*one is a directory of save_to_disk, which has none .got 'x'"),
        (dataset(two, config_name="x"), "config_name: .*two is a directory"),
        (dataset(two, split="dev"), "split: .*two has no split 'dev'; there are train"),
    ):
        with pytest.raises(ConfigError, match=said):
            list(source.documents())


@pytest.mark.parametrize("name", ["state.json", "dataset_info.json", "data-00000-of-00001.arrow"])
@pytest.mark.parametrize("content", [None, b"", b"{}", b"[1]", b"null", b"\xff" * 50])
def test_damaged_directories_are_one_line(tmp_path: Path, name: str, content: bytes | None) -> None:
    folder = _saved(tmp_path / "set", {"text": [f"text {n}" for n in range(50)]}, text=TEXT)
    if content is None:
        whole = (folder / name).read_bytes()
        content = whole[: len(whole) // 2]
    (folder / name).write_bytes(content)
    try:
        found = [row.text for row in dataset(folder).documents()]
    except ConfigError as error:
        assert str(folder) in str(error) and "\n" not in str(error)
    else:  # what was lost says nothing of the rows
        assert found == [f"text {n}" for n in range(50)] and name == "dataset_info.json"


def test_a_folder_of_rows_that_do_not_fit(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "train.jsonl").write_text(json.dumps({"text": "a"}) + "\nnot json\n")
    with pytest.raises(ConfigError, match=r"path: cannot load .*set', split 'train'") as caught:
        list(dataset(tmp_path / "set").documents())
    assert "\n" not in str(caught.value)


def test_a_file_that_is_replaced_under_its_time_stamp_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "train.jsonl"
    path.parent.mkdir()
    path.write_text("".join(json.dumps({"text": f"hill {n}"}) + "\n" for n in range(5)))
    stamp = path.stat()
    before = loading.load(str(path.parent), None, None)
    path.write_text(path.read_text().replace("hill", "reef"))
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    after = loading.load(str(path.parent), None, None)
    assert (before[0]["text"], after[0]["text"]) == ("hill 0", "reef 0")
    assert loading.arrow_sha256(before, "it") != loading.arrow_sha256(after, "it")
