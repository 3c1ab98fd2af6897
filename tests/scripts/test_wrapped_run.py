"""A whole run under all wrappers: what it plays, what it is charged, and what it says of the tasks it left out."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from curriculum_rl.agents.auto import evidence
from curriculum_rl.experiment import build
from curriculum_rl.recording.rows import read_rows
from curriculum_rl.scripts.running.request import Request
from curriculum_rl.scripts.train import train

ALL = {"prior": 0.5, "prune": 0.4, "minimum_share": 0.04, "maximum_epochs": 40, "guard": 0.05}


@pytest.mark.parametrize("kind", ["task", "mixture"])
def test_a_run_says_what_pruning_left_out(tiny: dict[str, Any], tmp_path: Path, kind: str) -> None:
    overrides = {f"agent.{name}": value for name, value in ALL.items()} | {"action.kind": kind}
    request = Request(tiny, "d-ts", seed=0, out=tmp_path / "run", overrides=overrides, quiet=True, picture=False)
    assert train(request)
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    names, rows = list(result["share"]), read_rows(tmp_path / "run" / "segments.jsonl")
    left = [names.index(name) for name in result["pruned"]]
    assert len(names) == 5 and len(left) == 2
    played = np.array([row["probabilities"] for row in rows])
    assert (played[:, left] == 0).all() and np.delete(played, left, axis=1).min() >= 0.04 - 1e-9
    shares = np.array([result["share"][name] for name in result["pruned"]])
    assert (shares == 0).all() if kind == "mixture" else (shares > 0).all()  # a pick is an emphasis
    assert result["ledger"]["lookahead"]["flops"] > 0


@pytest.mark.parametrize("permute", [False, True])
@pytest.mark.parametrize("prior", ["em", "js"])
def test_auto_plays_the_prior_that_the_file_names_and_pays_for_nothing(
    tiny: dict[str, Any], tmp_path: Path, prior: str, permute: bool
) -> None:
    tasks = [{"corpora": "all", "objective": "causal_lm"}]
    action = {"kind": "task", "permute": permute}
    file = {**tiny, "tasks": tasks, "action": action, "target": {**tiny["target"], "prior": prior}}
    request = Request(file, "auto", seed=3, out=tmp_path / "run", quiet=True, picture=False)
    assert request.config().action.kind == "mixture"
    assert train(request)
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    rows = read_rows(tmp_path / "run" / "segments.jsonl")
    expected = build(request.config()).problem.prior
    assert expected is not None and np.ptp(expected) > 0.2
    assert len(rows) == 10 and rows[-1]["updates"] == 20
    assert list(result["share"].values()) == pytest.approx(expected, abs=0.02)  # 100 rows
    assert set(result["ledger"]) == {"train", "report"} and result["remarks"] == []


def test_auto_without_a_prior_says_so_and_ends_on_the_signal_split(tiny: dict[str, Any], tmp_path: Path) -> None:
    target = {**tiny["target"], "prior": "none", "train": True}
    request = Request({**tiny, "target": target}, "auto", seed=0, out=tmp_path / "run", quiet=True, picture=False)
    assert train(request)
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    rows = read_rows(tmp_path / "run" / "segments.jsonl")
    told = build(request.config()).problem.task_info
    even = told["target_objective"] * (1 - told["target_signal"])
    played = np.array([row["probabilities"] for row in rows])
    assert np.allclose(played[:8], even / even.sum()) and np.allclose(played[8:], told["target_signal"])
    alike = f"no prior is said (target.prior): {even.sum():.0f} tasks alike"
    assert result["remarks"] == [alike, "the last 20.0% of the budget on the target's signal split"]


@pytest.mark.parametrize(("spread", "times"), [(evidence.SPREAD, 0), (1e3, 2)])
def test_auto_measures_where_that_pays_and_says_how_often(
    tiny: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spread: float, times: int
) -> None:
    """Gradients of a run this short cost more than they may bring, unless tasks are taken to differ beyond reason."""
    monkeypatch.setattr(evidence, "SPREAD", spread)
    overrides = {"agent.measure": True, "signals.every": 1, "budget.updates": 80, "segment.updates": 8}
    request = Request(tiny, "auto", seed=0, out=tmp_path / "run", overrides=overrides, quiet=True, picture=False)
    assert train(request)
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    assert result["remarks"] == [f"measured {times} times"]
    assert ("signal" in result["ledger"]) == (times > 0)
