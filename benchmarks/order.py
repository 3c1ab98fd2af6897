"""Which exponent on the EM prior, and does their order matter? Schedules side by side on development families.

    python benchmarks/order.py RESULTS.jsonl [--families reviews chemistry] [--rates wsd constant] [--seeds 2]
        [--first-seed 910000] [--schedules em-1 linear-1-2 ...]
    python benchmarks/order.py RESULTS.jsonl --table

Each family is played under each rate and each seed by all schedules at once, from the same weights and on the same
windows; a result is one row of RESULTS.jsonl, and rows that are there are not run again. Nothing here is evidence for a
claim about families that nobody tuned on: these chose the design (docs/log.md).
"""

import argparse
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numpy as np
import numpy.typing as npt
import torch

from curriculum_rl.envs.vector import PretrainingVectorEnv
from curriculum_rl.mixtures import action_of
from curriculum_rl.priors.tasks import em_of_texts
from curriculum_rl.problem import Problem

Floats = npt.NDArray[np.float64]
Schedule = Callable[[float], Floats]
"""Share of the budget that is spent, in [0, 1) -> (K,) shares."""

ROOT = Path(__file__).parents[1]
ENVIRONMENTS = ROOT / "examples" / "environments"
DATA = ROOT.parent / "shared" / "data"
EXPONENTS = ("1", "1.5", "2", "3")
TEMPERATURES = {"js-1": 0.1, "js-2": 0.05, "js-5": 0.02}
LATE = 0.8
"""Share of the budget after which a switch happens."""
BATCH = 16  # learners side by side: more make a batch no faster
CAUSAL = {"tasks": [{"corpora": "all", "objective": "causal_lm"}]}


@dataclass(frozen=True)
class Family:
    """An environment file and what is changed in it."""

    env: str
    updates: int
    changes: Mapping[str, Any] = field(default_factory=dict)


FAMILIES = {
    "reviews": Family(str(ENVIRONMENTS / "reviews.yaml"), 1200),
    "chemistry": Family(str(ENVIRONMENTS / "chemistry.yaml"), 1200),
    "citations": Family(str(ENVIRONMENTS / "citations.yaml"), 1200),
    "almanac-small": Family("almanac-small", 800, CAUSAL),
    "banking": Family(str(ROOT / "benchmarks" / "families" / "banking.yaml"), 1200),
    "plots": Family(str(ROOT / "benchmarks" / "families" / "plots.yaml"), 2400),
}
SEARCHED = ("reviews", "chemistry", "citations", "almanac-small")
"""Those that schedules are chosen on: two near ones (chemistry, almanac-small) and two diverse ones."""
REPEATED = {
    f"{family}-{passes}": Family(
        FAMILIES[family].env, FAMILIES[family].updates, {f"corpora.{source}.max_characters": characters}
    )
    for family, source, cuts in (
        ("chemistry", "scicite", {2: 600_000, 8: 150_000, 32: 38_000}),
        ("citations", "scicite", {2: 600_000, 8: 150_000, 32: 38_000}),
        ("reviews", "dvd", {2: 500_000, 8: 125_000, 32: 31_000}),
    )
    for passes, characters in cuts.items()
}
"""The same with the nearest source cut, so that its whole share would be about so many passes over it."""
CAPS = (1, 2, 4, 8, 16)


def names() -> list[str]:
    """All schedules: static ones, exponents that rise or jump late, and four that fall, as a check."""
    pairs = [(one, other) for place, one in enumerate(EXPONENTS) for other in EXPONENTS[place + 1 :]]
    pairs += [("2", "1"), ("3", "1")]
    static = ["stratified", *TEMPERATURES, *(f"em-{a}" for a in EXPONENTS)]
    static += [f"cap-{passes}" for passes in CAPS]
    return [*static, *(f"{kind}-{one}-{other}" for kind in ("linear", "switch") for one, other in pairs)]


class Mixtures:
    """The schedules of one problem by name."""

    def __init__(self, problem: Problem, rows: int) -> None:
        self.problem, self.rows = problem, rows
        texts = [task.corpus.tokens for task in problem.tasks]
        self.weights = em_of_texts(texts, problem.target.text["signal"].tokens, problem.tokenizer)

    def powered(self, exponent: float) -> Floats:
        """(K,) EM weights of the tasks' texts to a power."""
        return normalised(self.weights**exponent)

    def schedule(self, name: str) -> Schedule:
        """One of `names`."""
        kind, *numbers = name.split("-")
        if kind == "linear":
            first, last = map(float, numbers)
            return lambda spent: self.powered(first + (last - first) * spent)
        if kind == "switch":
            first, last = map(float, numbers)
            return lambda spent: self.powered(first if spent < LATE else last)
        return constant(self.static(kind, numbers))

    def static(self, kind: str, numbers: Sequence[str]) -> Floats:
        """A mixture that stays."""
        K = len(self.problem.tasks)
        if kind == "stratified":
            return np.full(K, 1 / K)
        if kind == "js":
            nearness = -self.problem.divergence / TEMPERATURES[f"js-{numbers[0]}"]
            return normalised(np.exp(nearness - nearness.max()))
        if kind == "cap":
            return capped(self.weights, int(numbers[0]) * self.problem.windows / self.rows)
        return self.powered(float(numbers[0]))


def constant(shares: Floats) -> Schedule:
    """The same shares at any time."""
    return lambda spent: shares


def normalised(weights: Floats) -> Floats:
    """Shares in proportion to weights."""
    shares: Floats = weights / weights.sum()
    return shares


def capped(shares: Floats, most: Floats) -> Floats:
    """(K,) shares of which none is above its most, the rest divided in proportion; as they are where all would be."""
    fixed = np.zeros(len(shares), np.bool_)
    if most.sum() <= 1:
        return normalised(most)
    while True:
        free = np.where(fixed, 0.0, shares)
        scaled = np.where(fixed, most, free * (1 - most[fixed].sum()) / max(free.sum(), 1e-12))
        over = ~fixed & (scaled > most)
        if not over.any():
            return scaled
        fixed |= over


def side_by_side(
    env: str | Path,
    overrides: Mapping[str, Any],
    seed: int,
    count: int,
    schedules: Callable[[Problem, int], Sequence[Schedule]],
) -> list[Any]:
    """Train a learner under each schedule, from the same weights and on the same windows.

    Args:
        env: name or path.
        overrides: values by dotted key, beside those that every such run has.
        seed: of all of them.
        count: of schedules.
        schedules: from the problem and the rows of a run to the schedules; each is asked before every segment, with
            the share of the segments before it, in [0, 1).

    Returns:
        The last info of each.
    """
    static = {"action.kind": "mixture", "observation": "flat", "reward.baseline": "none"}
    made = PretrainingVectorEnv(
        env, num_envs=count, overrides={**overrides, **static}, charge_proxy=False, downstream=False
    )
    updates = made.config.budget.updates
    assert updates is not None  # of every family
    plays = schedules(made.experiment.problem, updates * made.config.batch)
    made.begin([seed] * count)
    segments = -(-updates // made.config.segment.updates)
    for segment in range(segments):
        done, _ = made.advance(action_of(np.stack([shares(segment / segments) for shares in plays])))
    made.close()
    assert done.terminated
    return list(done.infos)


def play(family: str, rate: str, seed: int, schedules: Sequence[str]) -> list[dict[str, Any]]:
    """Train a learner under each schedule, side by side: a row for each."""
    chosen = (FAMILIES | REPEATED)[family]

    def named(problem: Problem, rows: int) -> list[Schedule]:
        mixtures = Mixtures(problem, rows)
        return [mixtures.schedule(name) for name in schedules]

    overrides = {**chosen.changes, "budget": {"updates": chosen.updates}, "optimizer.schedule": rate}
    infos = side_by_side(chosen.env, overrides, seed, len(schedules), named)
    same = {"family": family, "rate": rate, "seed": seed}
    return [
        {**same, "schedule": name, "loss": round(info["final"]["target_loss"], 5)}
        for name, info in zip(schedules, infos, strict=True)
    ]


def read(path: Path) -> list[dict[str, Any]]:
    """The rows that are there."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Mean loss less the static `em-1`'s of the same seed, for each rate: a row for each schedule, best mean first."""
    found = {(row["family"], row["rate"], row["seed"], row["schedule"]): row["loss"] for row in rows}
    lines = []
    for rate in dict.fromkeys(row["rate"] for row in rows):
        families = list(dict.fromkeys(row["family"] for row in rows if row["rate"] == rate))
        lines += [f"{rate}: loss less em-1's", " ".join(f"{name:>14}" for name in ("schedule", *families, "mean"))]
        shown = []
        for schedule in dict.fromkeys(row["schedule"] for row in rows if row["rate"] == rate):
            cells = [_less(found, family, rate, schedule) for family in families]
            shown.append((float(np.mean(cells)), schedule, cells))
        for mean, schedule, cells in sorted(shown):
            lines.append(f"{schedule:>14} " + " ".join(f"{cell:+14.4f}" for cell in (*cells, mean)))
    return "\n".join(lines)


def _less(found: Mapping[tuple[Any, ...], float], family: str, rate: str, schedule: str) -> float:
    seeds = [key[2] for key in found if key[0] == family and key[1] == rate and key[3] == schedule]
    pairs = [(found[family, rate, s, schedule], found.get((family, rate, s, "em-1"), np.nan)) for s in seeds]
    return float(np.mean([one - other for one, other in pairs])) if pairs else np.nan


def main() -> None:
    """Play what is missing, or show what there is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path)
    parser.add_argument("--families", nargs="+", choices=FAMILIES | REPEATED, default=SEARCHED)
    parser.add_argument("--rates", nargs="+", choices=("wsd", "constant", "cosine"), default=["wsd", "constant"])
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--first-seed", type=int, default=910_000)
    parser.add_argument("--schedules", nargs="+", choices=names(), default=names())
    parser.add_argument("--table", action="store_true", help="run nothing")
    given = parser.parse_args()
    os.environ.setdefault("CURRICULUM_RL_DATA", str(DATA))
    torch.set_num_threads(1)
    rows = read(given.results)
    if not given.table:
        there = {(row["family"], row["rate"], row["seed"], row["schedule"]) for row in rows}
        for seed in range(given.first_seed, given.first_seed + given.seeds):
            for rate in given.rates:
                for family in given.families:
                    wanted = [name for name in given.schedules if (family, rate, seed, name) not in there]
                    for first in range(0, len(wanted), BATCH):
                        made = play(family, rate, seed, wanted[first : first + BATCH])
                        with given.results.open("a", encoding="utf-8") as file:
                            file.writelines(json.dumps(row) + "\n" for row in made)
                        rows += made
    print(table(rows))


if __name__ == "__main__":
    main()
