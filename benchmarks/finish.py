"""How should a run end that may train on the target's signal split? Schedules side by side on development families.

    python benchmarks/finish.py RESULTS.jsonl [--families reviews chemistry] [--seeds 2] [--first-seed 920000]
    python benchmarks/finish.py RESULTS.jsonl --table

Each family is played with `target.train` by all schedules at once, from the same weights and on the same windows:
stratified with the last fifth on the signal split (`stratified-finetune`), the prior alone, and the prior with its
last 10, 15 or 20 % on the signal split, alone or half of every batch. A result is one row of RESULTS.jsonl, and rows
that are there are not run again. These families chose the default (docs/log.md), so nothing here is evidence for it.
"""

import argparse
import json
import os
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numpy as np
import numpy.typing as npt
import torch
from order import DATA, ENVIRONMENTS, Schedule, read, side_by_side

from curriculum_rl.problem import Problem

Floats = npt.NDArray[np.float64]

FAMILIES = ("reviews", "chemistry", "citations")
UPDATES = 1200
BASELINE = "stratified-finetune"
LAST = (0.1, 0.15, 0.2)
SHARES = {"alone": 1.0, "half": 0.5}


def names() -> list[str]:
    """All schedules."""
    return [BASELINE, "prior", *(f"{how}-{last:g}" for how in SHARES for last in LAST)]


def mixture(name: str, problem: Problem, spent: float) -> Floats:
    """(K,) shares of one of `names` where so much of the budget is spent."""
    signal = problem.task_info["target_signal"]
    prior = problem.prior
    assert prior is not None  # target.prior is em
    if name == BASELINE:
        return signal if spent + 1e-9 >= 1 - 0.2 else (1 - signal) / (1 - signal).sum()
    if name == "prior":
        return prior
    how, last = name.split("-")
    share = SHARES[how] if spent + 1e-9 >= 1 - float(last) else 0.0
    return share * signal + (1 - share) * prior


def play(family: str, seed: int, schedules: Sequence[str]) -> list[dict[str, Any]]:
    """Train a learner under each schedule, side by side: a row for each, with passes over the signal split."""

    def named(problem: Problem, _: int) -> list[Schedule]:
        return [partial(mixture, name, problem) for name in schedules]

    overrides = {"target.train": True, "budget": {"updates": UPDATES}}
    infos = side_by_side(ENVIRONMENTS / f"{family}.yaml", overrides, seed, len(schedules), named)
    return [
        {
            "family": family,
            "seed": seed,
            "schedule": name,
            "loss": round(info["final"]["target_loss"], 5),
            "passes": round(float(info["epochs"][-1]), 2),
        }
        for name, info in zip(schedules, infos, strict=True)
    ]


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Mean loss less that of stratified-finetune of the same seed, and passes over the signal split."""
    families = [name for name in FAMILIES if any(row["family"] == name for row in rows)]
    lines = ["| schedule | " + " | ".join(families) + " | mean |", "| --- |" + " --- |" * (len(families) + 1)]
    for schedule in names():
        cells, differences = [], []
        for family in families:
            mine = {r["seed"]: r for r in rows if r["family"] == family and r["schedule"] == schedule}
            base = {r["seed"]: r for r in rows if r["family"] == family and r["schedule"] == BASELINE}
            less = [row["loss"] - base[seed]["loss"] for seed, row in mine.items()]
            differences.append(float(np.mean(less)))
            passes = np.mean([row["passes"] for row in mine.values()])
            cells.append(f"{', '.join(f'{one:+.3f}' for one in less)} ({passes:.1f})")
        lines.append(f"| {schedule} | {' | '.join(cells)} | {np.mean(differences):+.4f} |")
    return "\n".join(lines)


def main() -> None:
    """Play what is missing, or show what there is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path)
    parser.add_argument("--families", nargs="+", choices=FAMILIES, default=list(FAMILIES))
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--first-seed", type=int, default=920_000)
    parser.add_argument("--table", action="store_true", help="run nothing")
    given = parser.parse_args()
    os.environ.setdefault("CURRICULUM_RL_DATA", str(DATA))
    torch.set_num_threads(1)
    rows = read(given.results)
    if not given.table:
        there = {(row["family"], row["seed"], row["schedule"]) for row in rows}
        for seed in range(given.first_seed, given.first_seed + given.seeds):
            for family in given.families:
                wanted = [name for name in names() if (family, seed, name) not in there]
                made = play(family, seed, wanted) if wanted else []
                with given.results.open("a", encoding="utf-8") as file:
                    file.writelines(json.dumps(row) + "\n" for row in made)
                rows += made
    print(table(rows))


if __name__ == "__main__":
    main()
