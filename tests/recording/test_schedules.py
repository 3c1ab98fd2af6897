"""Schedules: from rows to a file that another training loop can follow."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curriculum_rl.errors import ConfigError
from curriculum_rl.recording.schedules import read_schedule, schedule_of

A, B = [1.0, 0.0], [0.25, 0.75]


def row(tokens, mixture, *, episode=0, replica=0):
    return {"tokens": tokens, "mixture": mixture, "episode": episode, "replica": replica}


def test_equal_neighbours_become_one_piece():
    schedule = schedule_of([row(10, A), row(20, A), row(40, B)], ["x", "y"])
    assert [(p.start_tokens, p.end_tokens) for p in schedule.pieces] == [(0, 20), (20, 40)]
    assert [(p.start_fraction, p.end_fraction) for p in schedule.pieces] == [(0, 0.5), (0.5, 1)]
    assert schedule.mixture_at(0) == {"x": 1.0, "y": 0.0}
    assert schedule.mixture_at(0.5) == schedule.mixture_at(1) == {"x": 0.25, "y": 0.75}
    assert schedule.mean_mixture() == {"x": 0.625, "y": 0.375}


def test_the_last_episode_of_the_first_replica_is_taken():
    rows = [row(10, A), row(10, B, replica=1), row(30, B, episode=1), row(30, A, episode=1, replica=1)]
    (piece,) = schedule_of(rows, ["x", "y"]).pieces
    assert (piece.start_tokens, piece.end_tokens, piece.mixture) == (0, 20, {"x": 0.25, "y": 0.75})


@given(st.lists(st.tuples(st.integers(1, 50), st.sampled_from([A, B, [0.5, 0.5]])), min_size=1, max_size=20))
def test_every_segment_finds_its_own_mixture_again(tmp_path_factory, segments):
    tokens, rows = 0, []
    for size, mixture in segments:
        tokens += size
        rows.append(row(tokens, mixture))
    path = tmp_path_factory.mktemp("schedule") / "schedule.json"
    path.write_text(schedule_of(rows, ["x", "y"]).to_json())
    schedule = read_schedule(path)
    begin = 0
    for each in rows:
        middle = (begin + each["tokens"]) / 2 / tokens
        assert list(schedule.mixture_at(middle).values()) == each["mixture"]
        begin = each["tokens"]


def test_no_rows_no_schedule():
    with pytest.raises(ConfigError, match="at least one segment"):
        schedule_of([], ["x"])


def piece(start, end, **mixture):
    return {"start_fraction": start, "end_fraction": end, "mixture": mixture}


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ([], "at least one piece"),
        ({"a": 1}, "must hold a list"),
        ([piece(0, 1, x=0.5)], "sum to 1"),
        ([piece(0, 1, x=1.5, y=-0.5)], "sum to 1"),
        ([piece(0, 0.5, x=1.0)], "from 0 to 1"),
        ([piece(0.1, 1, x=1.0)], "from 0 to 1"),
        ([piece(0, 0.5, x=1.0), piece(0.6, 1, x=1.0)], "ends at 0.5"),
        ([piece(0, 0.5, x=1.0), piece(0.5, 1, y=1.0)], "different tasks"),
        ([piece(0, 0, x=1.0)], "begins at"),
        ([{"start_fraction": 0}], "mixture"),
    ],
)
def test_a_schedule_that_cannot_be_followed_is_refused(tmp_path, content, word):
    path = tmp_path / "s.json"
    path.write_text(json.dumps(content))
    with pytest.raises(ConfigError, match=word):
        read_schedule(path)


def test_a_schedule_by_hand_may_leave_the_tokens_out(tmp_path):
    (tmp_path / "s.json").write_text(json.dumps([piece(0, 0.3, x=1.0, y=0.0), piece(0.3, 1, x=0.0, y=1.0)]))
    assert read_schedule(tmp_path / "s.json").mixture_at(0.31) == {"x": 0.0, "y": 1.0}


@pytest.mark.parametrize("fraction", [-0.1, 1.1, float("nan")])
def test_a_fraction_outside_the_run_is_refused(fraction):
    with pytest.raises(ConfigError, match="fraction: must be in"):
        schedule_of([row(1, A)], ["x", "y"]).mixture_at(fraction)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.json"):
        read_schedule(tmp_path / "none.json")
