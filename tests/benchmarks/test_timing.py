"""The shared timing of the benchmarks: what is interleaved, what is divided by what, and what is written."""

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import pytest

FILE = Path(__file__).resolve().parents[2] / "benchmarks" / "timing.py"


@pytest.fixture
def timing(monkeypatch):
    spec: Any = importlib.util.spec_from_file_location("benchmark_timing", FILE)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "benchmark_timing", module)
    spec.loader.exec_module(module)
    return module


def test_sides_take_turns_and_ratios_are_paired(timing, tmp_path, capsys):
    """Fake clocks: ours takes 1, 2, 4 units a call, theirs 10, 30, 40; who was last in a round is first in the next."""
    order = []
    shown = {"ours": iter([9, 1, 2, 4]), "theirs": iter([9, 10, 30, 40])}  # the first is the warm-up

    def side(name, goal=None):
        def run(calls):
            order.append((name, calls))
            value = next(shown[name]) * calls
            return timing.Span(wall=value, cpu=100 * value)

        return timing.Side(name, run, calls=5, goal=goal)

    file = tmp_path / "out.json"
    report = timing.Report(timing.parser("").parse_args(["--rounds", "3", "--json", str(file)]))
    times = report.compare("a group", [side("ours"), side("theirs", goal=11.0)], unit="s")
    report.fact("share", 0.4, goal=0.3, at_most=True)
    report.finish()
    assert [name for name, _ in order] == ["ours", "theirs", *["ours", "theirs", "theirs", "ours", "ours", "theirs"]]
    assert {calls for _, calls in order[:2]} == {1} and {calls for _, calls in order[2:]} == {5}
    assert times == {"ours": [1, 2, 4], "theirs": [10, 30, 40]}
    written = json.loads(file.read_text())
    row = written["rows"][1]
    assert (row["median"], row["min"], row["max"], row["ratios"], row["ratio"]) == (30, 10, 40, [10, 15, 10], 10)
    assert written["machine"]["threads"] == 1 and written["machine"]["rounds"] == 3
    assert "goal >= 11: MISSED" in capsys.readouterr().out and written["facts"]["share"]["value"] == 0.4


def test_a_side_without_a_clock_is_timed(timing):
    calls = []
    report = timing.Report(timing.parser("").parse_args(["--rounds", "2", "--clock", "cpu"]))
    side = timing.Side("one", timing.each(lambda: calls.append(sum(range(2000)))), calls=50)
    times = report.compare("a group", [side])
    assert len(calls) == 1 + 2 * 50
    assert len(times["one"]) == 2 and min(times["one"]) > 0
