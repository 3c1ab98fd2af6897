"""Rows: JSON without NaN, reading back, cutting back, atomic writes."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curriculum_rl.errors import ConfigError
from curriculum_rl.recording.rows import by_tokens, keep_rows, read_rows, to_json, write_atomically

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


def test_keep_rows_cuts_back(tmp_path):
    path = tmp_path / "s.jsonl"
    write(path, *({"tokens": t} for t in (10, 20, 30)), tail='{"tok')
    assert keep_rows(path, 20) == [{"tokens": 10}, {"tokens": 20}]
    assert path.read_text() == '{"tokens": 10}\n{"tokens": 20}\n'
    assert keep_rows(tmp_path / "none.jsonl", 20) == []


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
