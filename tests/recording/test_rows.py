"""Rows: JSON without NaN, reading back, cutting back, atomic writes."""

import hashlib
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curriculum_rl.durable import write_atomically
from curriculum_rl.errors import ConfigError
from curriculum_rl.recording.rows import Place, RowFile, by_tokens, check_place, read_rows, to_json

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)


def same(before, after):
    if isinstance(before, float) and not math.isfinite(before):
        return after is None
    if isinstance(before, list):
        return len(before) == len(after) and all(map(same, before, after))
    if isinstance(before, dict):
        return before.keys() == after.keys() and all(same(before[k], after[k]) for k in before)
    return before == after


@given(st.dictionaries(st.text(max_size=4), values, max_size=4))
def test_a_row_survives_but_for_what_is_not_finite(row):
    line = to_json(row)
    assert "\n" not in line
    assert same(row, json.loads(line, parse_constant=pytest.fail))


def test_numpy_values_become_plain():
    row = {
        "a": np.float32(0.5),
        "b": np.array([1.0, np.nan]),
        "c": np.int64(3),
        "d": np.float64("inf"),
        "e": np.bool_(1),
    }
    assert json.loads(to_json(row)) == {"a": 0.5, "b": [1.0, None], "c": 3, "d": None, "e": True}


def test_what_json_cannot_hold_is_refused():
    with pytest.raises(TypeError, match="set"):
        to_json({"a": {1}})


def write(path, *rows, tail=""):
    path.write_text("".join(f"{to_json(row)}\n" for row in rows) + tail)


def test_a_line_cut_off_by_a_kill_is_left_out(tmp_path):
    write(tmp_path / "s.jsonl", {"tokens": 1}, {"tokens": 2}, tail='{"tokens": 3, "gai')
    assert read_rows(tmp_path / "s.jsonl") == [{"tokens": 1}, {"tokens": 2}]


@pytest.mark.parametrize(
    ("line", "word"), [("{oops\n", "line 2 is not JSON"), ("[1]\n", "line 2 is not a JSON object")]
)
def test_a_damaged_line_is_named(tmp_path, line, word):
    write(tmp_path / "s.jsonl", {"tokens": 1}, tail=line)
    with pytest.raises(ConfigError, match=word):
        read_rows(tmp_path / "s.jsonl")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match="path: no file"):
        read_rows(tmp_path / "s.jsonl")


@pytest.fixture
def grown(tmp_path):
    """A file of five rows, the place after the third, and what stood there then."""
    path = tmp_path / "s.jsonl"
    file = RowFile(path)
    file.append(['{"tokens": 10}', '{"tokens": 20}'])
    file.append(['{"tokens": 30, "name": "ü"}'])
    place, before = file.place(30), path.read_bytes()
    file.append(['{"tokens": 40}', '{"tokens": 50}'])
    return path, place, before


def test_a_place_says_how_far_the_file_goes(grown):
    path, place, before = grown
    assert place == Place(3, len(before), hashlib.sha256(before).hexdigest(), 30)
    check_place(path, place)


def test_what_stands_beyond_a_place_is_cut_off_and_the_file_goes_on(grown):
    path, place, before = grown
    with path.open("a") as file:
        file.write('{"tok')
    again = RowFile(path, place)
    assert path.read_bytes() == before
    again.append(['{"tokens": 40}'])
    assert again.place(40) == Place(4, len(before) + 15, hashlib.sha256(path.read_bytes()).hexdigest(), 40)


@pytest.mark.parametrize("damage", ["shorter", "empty", "missing", "flipped"])
def test_rows_that_are_not_what_they_were_are_refused_and_left(grown, damage):
    path, place, before = grown
    content = {"shorter": before[:-1], "empty": b"", "flipped": before.replace(b"20", b"21") + b"{}\n"}.get(damage)
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"segments|s\.jsonl.*--overwrite") as caught:
        RowFile(path, place)
    assert "\n" not in str(caught.value)
    assert (path.read_bytes() if path.exists() else None) == content


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    write_atomically(tmp_path / "a", "old")
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        write_atomically(tmp_path / "a", "new")
    assert (tmp_path / "a").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_by_tokens_groups_neighbours():
    rows = [{"tokens": 1, "replica": 0}, {"tokens": 1, "replica": 1}, {"tokens": 2, "replica": 0}]
    assert [len(group) for group in by_tokens(rows)] == [2, 1]
