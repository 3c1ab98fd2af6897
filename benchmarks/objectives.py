"""What is a task worth whose objective is not the target's own? A part of every batch goes to it, on the same text.

    python benchmarks/objectives.py RESULTS.jsonl [--families chemistry] [--seeds 2] [--objectives masked_lm]
    python benchmarks/objectives.py RESULTS.jsonl --table

Every corpus of a development family is there under the target's objective and another; both have the shares of the EM
prior, the other one a part of the whole. From the difference to no part comes the discount that priors give an
objective (`curriculum_rl.priors.tasks`).
"""

import argparse
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import torch
from order import DATA, FAMILIES, Mixtures, Schedule, constant, read, side_by_side

from curriculum_rl.problem import Problem

OBJECTIVES = ("masked_lm", "span_corruption", "prefix_lm", "replaced_token_detection", "sentence_order")
PARTS = (0.0, 0.05, 0.15, 0.3)


def _parts(problem: Problem, rows: int) -> list[Schedule]:
    own = np.array([task.objective.name == problem.target_objective for task in problem.tasks])
    # The same text twice has its weight twice by half, which is the weight of its text here.
    weights = Mixtures(problem, rows).powered(1.0)
    shares = [weights / weights[own].sum() * np.where(own, 1 - part, part) for part in PARTS]
    return [constant(one) for one in shares]


def play(family: str, objective: str, seed: int) -> list[dict[str, Any]]:
    """Train a learner for each part, side by side: a row for each."""
    chosen = FAMILIES[family]
    tasks = [{"corpora": "all", "objective": "causal_lm"}, {"corpora": "all", "objective": objective}]
    overrides = {**chosen.changes, "tasks": tasks, "budget": {"updates": chosen.updates}}
    infos = side_by_side(chosen.env, overrides, seed, len(PARTS), _parts)
    same = {"family": family, "objective": objective, "seed": seed}
    return [
        {**same, "part": part, "loss": round(info["final"]["target_loss"], 5)}
        for part, info in zip(PARTS, infos, strict=True)
    ]


def table(rows: list[dict[str, Any]]) -> str:
    """Mean loss less that without any part, over families and seeds."""
    found = {(row["family"], row["objective"], row["seed"], row["part"]): row["loss"] for row in rows}
    lines = [f"{'family':>14} {'objective':>26} " + " ".join(f"{part:>8}" for part in PARTS[1:])]
    for family, objective in dict.fromkeys((row["family"], row["objective"]) for row in rows):
        seeds = sorted({key[2] for key in found if key[:2] == (family, objective)})
        cells = [
            np.mean([found[family, objective, seed, part] - found[family, objective, seed, 0.0] for seed in seeds])
            for part in PARTS[1:]
        ]
        lines.append(f"{family:>14} {objective:>26} " + " ".join(f"{cell:+8.4f}" for cell in cells))
    return "\n".join(lines)


def main() -> None:
    """Play what is missing, or show what there is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path)
    parser.add_argument("--families", nargs="+", choices=FAMILIES, default=["chemistry", "reviews", "almanac-small"])
    parser.add_argument("--objectives", nargs="+", default=list(OBJECTIVES))
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--first-seed", type=int, default=920_000)
    parser.add_argument("--table", action="store_true", help="run nothing")
    given = parser.parse_args()
    os.environ.setdefault("CURRICULUM_RL_DATA", str(DATA))
    torch.set_num_threads(1)
    rows = read(given.results)
    there = {(row["family"], row["objective"], row["seed"]) for row in rows}
    for seed in () if given.table else range(given.first_seed, given.first_seed + given.seeds):
        for family in given.families:
            for objective in given.objectives:
                if (family, objective, seed) in there:
                    continue
                made = play(family, objective, seed)
                with given.results.open("a", encoding="utf-8") as file:
                    file.writelines(json.dumps(row) + "\n" for row in made)
                rows += made
    print(table(rows))


if __name__ == "__main__":
    main()
