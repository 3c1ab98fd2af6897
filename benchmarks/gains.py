"""How much of what counting gains does training gain? The factor between them, on development families.

    python benchmarks/gains.py                   the table, from the figures that are kept; also in docs/mixture.md
    python benchmarks/gains.py RESULTS.jsonl     count anew, take gains from rows of `order.py`, and keep both

A family's measured gain is the loss of stratified batches less that of the static prior, mean over seeds, under the
rate `wsd`; what RESULTS.jsonl lacks is played. `curriculum_rl.priors.calibration` has the factor of `em`, and a test
compares them. `js`, the other prior, has no part in the factor: it shows whether that carries over.
"""

import argparse
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numpy as np
import order
from scipy.stats import spearmanr

from curriculum_rl.experiment import build
from curriculum_rl.pretraining.audit import audited
from curriculum_rl.priors.calibration import Fit, fitted
from curriculum_rl.priors.tasks import PriorName
from curriculum_rl.schema import load as configs
from curriculum_rl.text.cache import Cache

KEPT = Path(__file__).parent / "families" / "gains.json"
PAGE = Path(__file__).parents[1] / "docs" / "mixture.md"
MARK, END = "<!-- made by benchmarks/gains.py -->\n", "\n<!-- end -->"
RATE, STRATIFIED = "wsd", "stratified"
EM, JS = "em-1", "js-1"
PRIORS: Mapping[str, PriorName] = {EM: "em", JS: "js"}
SEEDS = 2
FIRST = 910_000
Figures = dict[str, dict[str, dict[str, Any]]]
"""By family and prior: what counting gains, its standard error, what every seed gained."""


def counted(family: str) -> dict[str, dict[str, Any]]:
    """What counting says of a family, by prior."""
    chosen = order.FAMILIES[family]
    experiment = build(configs.load(chosen.env, {**chosen.changes, "budget": {"updates": chosen.updates}}))
    gains = {name: audited(experiment, prior, Cache()).gain.counted for name, prior in PRIORS.items()}
    return {name: {"counted": round(gain.nats, 5), "error": round(gain.error, 5)} for name, gain in gains.items()}


def measured(rows: Sequence[Mapping[str, Any]], family: str, schedule: str) -> list[float]:
    """What every seed gained over stratified batches."""
    losses = {
        (row["seed"], row["schedule"]): row["loss"] for row in rows if row["family"] == family and row["rate"] == RATE
    }
    seeds = sorted(seed for seed, name in losses if name == schedule and (seed, STRATIFIED) in losses)
    return [round(losses[seed, STRATIFIED] - losses[seed, schedule], 5) for seed in seeds]


def fit(figures: Figures, prior: str = EM) -> Fit:
    """One factor for all families."""
    return fitted(
        {family: found[prior]["counted"] for family, found in figures.items()},
        {family: float(np.mean(found[prior]["measured"])) for family, found in figures.items()},
    )


def table(figures: Figures) -> str:
    """A row for each family, and what follows from them, as Markdown."""
    found, counted, measured = fit(figures), [], []
    columns = ["family", "counted, `em`", "measured, each seed", "measured / counted", "predicted, left out"]
    columns += ["counted, `js`", "predicted, `js`", "measured, `js`"]
    lines = [f"| {' | '.join(columns)} |", f"| --- |{' ---: |' * (len(columns) - 1)}"]
    for family, one in figures.items():
        gained, lost = float(np.mean(one[EM]["measured"])), float(np.mean(one[JS]["measured"]))
        counted.append(one[EM]["counted"])
        measured.append(gained)
        cells = (
            family,
            f"{one[EM]['counted']:.3f} ± {one[EM]['error']:.3f}",
            ", ".join(f"{seed:.3f}" for seed in one[EM]["measured"]),
            f"{gained / one[EM]['counted']:.2f}",
            f"{gained / found.left_out[family]:.3f}",
            f"{one[JS]['counted']:.3f}",
            f"{found.factor * one[JS]['counted']:.3f}",
            f"{lost:.3f}",
        )
        lines.append(f"| {' | '.join(cells)} |")
    order_of_both = float(spearmanr(counted, measured).statistic)
    said = (
        f"Factor {found.factor:.2f}, the geometric mean of {len(figures)} families. A family by the factor of the "
        f"others is missed by up to {found.error:.2f}, either way; `js`, which has no part in it, by up to "
        f"{worst(figures):.2f}. Spearman of counted and measured: {order_of_both:.2f}."
    )
    return "\n".join([*lines, "", said])


def written(page: str, figures: Figures) -> str:
    """A page with its table made anew."""
    before, mark, rest = page.partition(MARK)
    return f"{before}{mark}\n{table(figures)}\n{rest[rest.index(END) :]}"


def worst(figures: Figures) -> float:
    """How far the factor of the one prior misses the gains of the other, at worst, >= 1."""
    factor = fit(figures).factor
    ratios = [factor * found[JS]["counted"] / float(np.mean(found[JS]["measured"])) for found in figures.values()]
    return max(max(ratio, 1 / ratio) for ratio in ratios)


def main() -> None:
    """Count and play what was asked for, keep it, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path, nargs="?")
    given = parser.parse_args()
    if given.results is not None:
        os.environ.setdefault("CURRICULUM_RL_DATA", str(order.DATA))
        rows = order.read(given.results)
        counted_now: Figures = {}
        for family in order.FAMILIES:
            there = {(row["seed"], row["schedule"]) for row in rows if row["family"] == family and row["rate"] == RATE}
            for seed in range(FIRST, FIRST + SEEDS):
                wanted = [name for name in (STRATIFIED, *PRIORS) if (seed, name) not in there]
                made = order.play(family, RATE, seed, wanted) if wanted else []
                with given.results.open("a", encoding="utf-8") as file:
                    file.writelines(json.dumps(row) + "\n" for row in made)
                rows += made
            gained = {name: {"measured": measured(rows, family, name)} for name in PRIORS}
            counted_now[family] = {name: one | gained[name] for name, one in counted(family).items()}
        KEPT.write_text(json.dumps(counted_now, indent=1) + "\n", encoding="utf-8")
    figures = json.loads(KEPT.read_text(encoding="utf-8"))
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), figures), encoding="utf-8")
    print(table(figures))


if __name__ == "__main__":
    main()
