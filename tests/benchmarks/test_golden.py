"""Golden rows: what counts as a difference between two runs' folders."""

import json
import sys
from pathlib import Path

import pytest

ROWS = [
    {"segment": 0, "loss": 2.5, "share": [0.5, 0.5], "seconds": {"train": 0.1}},
    {"segment": 1, "loss": 0.1, "ledger": {"train": {"flops": 3.0}}, "order": None},
]


@pytest.fixture
def found(benchmark, tmp_path):
    """The differences between `ROWS` and the given rows, each as its file, row, key and both values."""
    golden = benchmark("golden")

    def compare(rows, ignore=golden.IGNORED):
        sides = []
        for side, content in (("old", ROWS), ("new", rows)):
            folder = tmp_path / side / "run"
            folder.mkdir(parents=True)
            (folder / "segments.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in content))
            (folder / "notes.json").write_text(json.dumps(side))  # of no kind that is compared
            sides.append(golden.read(folder.parent, ignore))
        return [(d.file, d.row, d.key, d.old, d.new) for d in golden.differences(*sides)]

    return compare


def changed(row, **values):
    """`ROWS` with other values in a row."""
    return [{**one, **(values if n == row else {})} for n, one in enumerate(ROWS)]


def test_equal_rows_but_for_seconds_and_null(found):
    rows = changed(0, seconds={"train": 9.0, "agent": 1.0}, order=None)
    del rows[1]["order"]
    assert found(rows) == []


@pytest.mark.parametrize(
    ("row", "values", "said"),
    [
        (1, {"loss": 0.1 + 2**-56}, ("loss", "0.1", "0.10000000000000002")),
        (1, {"ledger": {"train": {"flops": 3}}}, ("ledger.train.flops", "3.0", "3")),
        (0, {"share": [0.5, 0.4]}, ("share[1]", "0.5", "0.4")),
        (0, {"share": [0.5]}, ("share[1]", "0.5", None)),
        (0, {"extra": 0}, ("extra", None, "0")),
        (0, {"extra": []}, ("extra", None, "[]")),
    ],
)
def test_a_changed_or_missing_key(found, row, values, said):
    assert found(changed(row, **values)) == [("run/segments.jsonl", row, *said)]


def test_a_missing_row(found):
    assert found(ROWS[:1]) == [("run/segments.jsonl", 1, "row", "a row of 3", None)]


def test_an_ignored_key(found):
    assert found(changed(1, loss=7.0), ignore=("seconds", "loss")) == []


def test_a_missing_file_and_other_weights(benchmark, tmp_path):
    golden = benchmark("golden")
    for side in ("old", "new"):
        (tmp_path / side).mkdir()
        (tmp_path / side / "learner.safetensors").write_bytes(side.encode())
    (tmp_path / "old" / "result.json").write_text('{"final": {"score": -1.5}}')
    old, new = (golden.read(tmp_path / side) for side in ("old", "new"))
    assert [(d.file, d.key, d.new is None) for d in golden.differences(old, new)] == [
        ("result.json", "row", True),
        ("learner.safetensors", "sha256", False),
    ]


@pytest.mark.parametrize(
    ("old", "new", "verdict", "said"),
    [
        ("sys.exit('no')", "sys.exit('no')", "BROKEN", "OLD exit 1: no; NEW exit 1: no"),
        ("write(1)", "sys.exit('no')", "FAILS", "NEW exit 1: no"),
        # A module of the editable install that this checkout does not have.
        ("write(1)", "import curriculum_rl.draws", "FAILS", "No module named 'curriculum_rl.draws'"),
        ("write(1)", "pass", "FAILS", "NEW exit 0: wrote nothing"),
        ("write(1)", "write(2)", "DIFFERS", "segments.jsonl row 0 loss: 1 != 2 (1 differences)"),
        ("write(1)", "write(1)", "equal", "1 rows of 1 files"),
    ],
)
def test_a_verdict(benchmark, monkeypatch, tmp_path, old, new, verdict, said):
    """Checkouts whose whole command line is one statement; `pass` succeeds and writes nothing."""
    golden = benchmark("golden")
    for name in [name for name in sys.modules if name.partition(".")[0] == "curriculum_rl"]:
        monkeypatch.delitem(sys.modules, name)
    sides = {"OLD": tmp_path / "a", "NEW": tmp_path / "b"}
    for (label, checkout), statement in zip(sides.items(), (old, new), strict=True):
        package = checkout / "curriculum_rl" / "scripts"
        package.mkdir(parents=True)
        for folder in (package, package.parent):
            (folder / "__init__.py").touch()
        (package / "main.py").write_text(
            "import json, pathlib, sys\n"
            "folder = pathlib.Path(sys.argv[sys.argv.index('--out') + 1])\n"
            "def write(loss):\n"
            "    folder.mkdir(parents=True)\n"
            "    (folder / 'segments.jsonl').write_text(json.dumps({'loss': loss}) + '\\n')\n" + statement
        )
        golden.prepare(tmp_path / "work" / label)
    found = golden.judge("replicas", sides, tmp_path / "work", golden.IGNORED)
    assert found[0] == verdict
    assert said in found[1]


def test_all_runs_have_commands_and_write_where_they_are_read(benchmark):
    runs = benchmark("golden_runs")
    for name, run in runs.RUNS.items():
        assert run.commands, name
        assert all(isinstance(command, runs.Play) or "{out}" in command for command in run.commands), name
        environment = json.loads(runs.environment(run, Path("/texts")))
        assert "{texts}" not in json.dumps(environment), name
