"""A whole run under all wrappers: what it plays, what it is charged, and what it says of the tasks it left out."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

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
@pytest.mark.parametrize("measure", ["js", "kl"])
def test_auto_plays_the_divergence_that_the_file_names_and_pays_for_nothing(
    tiny: dict[str, Any], tmp_path: Path, measure: str, permute: bool
) -> None:
    file = {**tiny, "action": {"kind": "task", "permute": permute}, "target": {**tiny["target"], "divergence": measure}}
    request = Request(file, "auto", seed=3, out=tmp_path / "run", quiet=True, picture=False)
    assert request.config().action.kind == "mixture"
    assert train(request)
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    rows = read_rows(tmp_path / "run" / "segments.jsonl")
    divergence = build(request.config()).problem.divergence
    expected = np.exp(-divergence / 0.1) / np.exp(-divergence / 0.1).sum()
    assert len(rows) == 10 and rows[-1]["updates"] == 20 and np.ptp(expected) > 0.2
    assert list(result["share"].values()) == pytest.approx(expected, abs=0.02)  # 100 rows
    assert set(result["ledger"]) == {"train", "report"}
