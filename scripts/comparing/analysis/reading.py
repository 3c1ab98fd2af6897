"""Finished cells as figures: one run's scores and cost, the curves of many, and what a training has cost."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from curriculum_rl.recording.rows import read_rows
from curriculum_rl.recording.runs import RunDirectory
from curriculum_rl.scripts.comparing.running.directory import error_of, is_finished

Floats = npt.NDArray[np.float64]
POINTS = 50  # of a curve, evenly spread over the budget


def run_of(cell: Path, seed: int, *, loss_proxy: bool) -> dict[str, Any]:
    """One cell as `compare.json` has it.

    Args:
        cell: the run directory.
        seed: of the run.
        loss_proxy: whether minus the proxy's score is a loss on the target, so that a gap means something.
    """
    if not is_finished(cell):
        error = error_of(cell)
        return {"seed": seed, "status": "crashed" if error else "missing", "error": error}
    result = RunDirectory(cell).read_result()
    final = result["final"]
    figures = {key: value for key, value in final.items() if isinstance(value, float) and key != "score"}
    seconds = {clock: value for clock, value in result["seconds"].items() if clock != "report"}
    return {
        "seed": seed,
        "status": "finished",
        "error": None,
        **figures,
        "corpus_losses": final.get("corpus_losses", {}),
        "proxy_score": final["score"],
        "gap": final["target_loss"] + final["score"] if loss_proxy else None,
        "tokens": result["tokens"],
        "share": result["share"],
        "flops": {purpose: cost["flops"] for purpose, cost in result["ledger"].items()},
        "seconds": seconds,
    }


def curves(cells: Sequence[Path], *, loss_proxy: bool) -> dict[str, Any] | None:
    """The proxy's curve and the mean executed mixture over the budget, of the cells that finished; None where none."""
    grid = np.arange(1, POINTS + 1) / POINTS
    values, mixtures = [], []
    for cell in cells:
        rows = read_rows(cell / "segments.jsonl") if is_finished(cell) else []
        if not rows:
            continue
        ends = np.array([1 - row["budget_left"] for row in rows])
        ends /= ends[-1]  # the last update may not have fitted into the budget
        score = np.array([row["score"] for row in rows], np.float64)
        values.append(np.interp(grid, ends, -score if loss_proxy else score))
        place = np.minimum(np.searchsorted(ends, grid - 0.5 / POINTS), len(rows) - 1)
        mixtures.append(np.array([row["mixture"] for row in rows], np.float64)[place])
    if not values:
        return None
    stacked = np.stack(values)
    return {
        "spent": _rounded(grid),
        "mean": _rounded(stacked.mean(axis=0)),
        "low": _rounded(stacked.min(axis=0)),
        "high": _rounded(stacked.max(axis=0)),
        "mixture": [_rounded(row) for row in np.mean(mixtures, axis=0)],
    }


def _rounded(values: Floats) -> list[float]:
    return [float(value) for value in np.round(values, 5)]


def training_cost(run: Path) -> dict[str, float]:
    """Runs, tokens, FLOPs and seconds that a pretrained agent's training took, by the rows of its directory."""
    spent: dict[tuple[int, int], dict[str, float]] = {}
    for row in read_rows(run / "segments.jsonl"):
        charged = [cost for purpose, cost in row["ledger"].items() if purpose != "report"]
        # The ledger counts on inside an episode, so its last row stands for all of them.
        spent[row["episode"], row["replica"]] = {key: sum(cost[key] for cost in charged) for key in ("tokens", "flops")}
    result = RunDirectory(run).read_result()
    return {
        "runs": len(spent),
        "tokens": sum(cost["tokens"] for cost in spent.values()),
        "flops": sum(cost["flops"] for cost in spent.values()),
        "seconds": result["wall_seconds"],
    }
