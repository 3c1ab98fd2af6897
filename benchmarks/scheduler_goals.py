"""The goals of the default agent on the report families, set before anything ran, each with what was measured of it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import partition
from scheduler_rows import Results, shared
from scheduler_stages import AGENT, BEST_STATIC, FINISHING, IDENTICAL, REACH, SEEDS, Family

from curriculum_rl.scripts.comparing.analysis import statistics
from curriculum_rl.scripts.comparing.running.contestants import FINETUNE, STRATIFIED

PREDICTIONS = partition.ROOT / "benchmarks" / "families" / "predictions.json"
HARM, WINS, CAPTURED, COST, LARGE, LARGE_COST, FINISHES = 0.01, 0.8, 0.8, 0.75, 0.3, 0.5, 0.5
WORDS = {True: "**met**", False: "**not met**", None: "not measured yet"}


@dataclass(frozen=True)
class Goal:
    """A goal and what became of it.

    Attributes:
        text: the goal.
        measured: what was measured, in words; "" where nothing was.
        met: None where it cannot be said yet.
    """

    text: str
    measured: str
    met: bool | None


def predictions(file: Path = PREDICTIONS) -> dict[str, float]:
    """Gains of the EM prior that the audit predicted before anything ran, nats by family; none where no file is."""
    kept = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    return {name: audited["priors"]["em"]["predicted_gain"]["nats"] for name, audited in kept.items()}


def goals(results: Results, families: Sequence[Family], predicted: Mapping[str, float]) -> list[Goal]:
    """All goals.

    Args:
        results: the rows.
        families: all of them; the report ones are judged.
        predicted: gains by family, nats.
    """
    report = [family.name for family in families if family.role == "report"]
    gaining = [name for name in report if name not in IDENTICAL]
    large = [name for name in gaining if predicted.get(name, 0.0) >= LARGE]
    return [
        _no_harm(results, report),
        _wins(results, gaining),
        _captured(results, gaining),
        _cost(results, gaining, COST, "all of them"),
        _cost(results, large, LARGE_COST, f"those where a gain of {LARGE} nats or more was predicted"),
        _finish(results, gaining),
    ]


def difference(
    results: Results, env: str, label: str, reference: str, *, name: str = "headline"
) -> statistics.Estimate | None:
    """A label's loss less a reference's of the headline, paired by seed; None where they share no seed."""
    mine, theirs = shared(results.losses(env, label, name=name), results.losses(env, reference))
    return statistics.paired(mine, theirs).difference if mine else None


def complete(results: Results, env: str, label: str, reference: str, *, name: str = "headline") -> bool:
    """Whether the two share all seeds that were planned."""
    columns = shared(results.losses(env, label, name=name), results.losses(env, reference))
    return len(columns[0]) >= SEEDS


def _differences(
    results: Results, names: Sequence[str], label: str, reference: str, set_name: str = "headline"
) -> dict[str, statistics.Estimate]:
    """Of the families where all seeds are there."""
    made = {
        name: difference(results, name, label, reference, name=set_name)
        for name in names
        if complete(results, name, label, reference, name=set_name)
    }
    return {name: one for name, one in made.items() if one is not None}


def _of(found: Sequence[str] | Mapping[str, object], names: Sequence[str]) -> str:
    return f"{len(found)} of {len(names)} families measured"


def _no_harm(results: Results, names: Sequence[str]) -> Goal:
    text = f"Upper limit of the 95 % interval against stratified at most +{HARM} nats on every report family"
    found = _differences(results, names, AGENT, STRATIFIED)
    highs = {name: one.mean if one.high is None else one.high for name, one in found.items()}
    if not highs:
        return Goal(text, "", None)
    worst = max(highs, key=lambda name: highs[name])
    harms = highs[worst] > HARM
    met = False if harms else True if len(found) == len(names) else None
    return Goal(text, f"highest limit {highs[worst]:+.3f} ({worst}); {_of(found, names)}", met)


def _wins(results: Results, names: Sequence[str]) -> Goal:
    text = (
        "Below stratified, with the whole interval, on at least four of five report families (identical tasks left out)"
    )
    found = _differences(results, names, AGENT, STRATIFIED)
    below = [name for name, one in found.items() if one.high is not None and one.high < 0]
    others = [name for name in found if name not in below]
    said = f"below on {len(below)}{', not on ' if others else ''}{', '.join(others)}; {_of(found, names)}"
    met = len(below) >= WINS * len(names) if len(found) == len(names) else None
    return Goal(text, said if found else "", met)


def _captured(results: Results, names: Sequence[str]) -> Goal:
    text = f"At least {CAPTURED} of the pooled headroom: sum of gains over sum of headrooms"
    labels = (AGENT, STRATIFIED, BEST_STATIC)
    columns = {name: shared(*(results.losses(name, label) for label in labels)) for name in names}
    known = {name: column for name, column in columns.items() if len(column[0]) >= SEEDS}
    pooled = statistics.pooled_headroom([tuple(column) for column in known.values()]) if known else None  # type: ignore[misc]
    if pooled is None:
        return Goal(text, "", None)
    interval = "" if pooled.low is None else f" [{pooled.low:.2f}, {pooled.high:.2f}]"
    met = pooled.mean >= CAPTURED if len(known) == len(names) else None
    return Goal(text, f"{pooled.mean:.2f}{interval}; {_of(known, names)}", met)


def _cost(results: Results, names: Sequence[str], goal: float, which: str) -> Goal:
    text = f"Geometric mean of the cost to reach stratified's score at most {goal} of the budget, over {which}"
    reached = {name: cost for name in names if (cost := reaches(results, name)) is not None}
    if not reached:
        return Goal(text, "", None)
    never = [name for name, cost in reached.items() if cost == np.inf]
    mean = float(np.exp(np.mean(np.log([cost for cost in reached.values() if cost < np.inf] or [np.inf]))))
    said = f"{mean:.2f}; {_of(reached, names)}"
    if never:
        return Goal(text, f"never on {', '.join(never)}, else {said}", False)
    return Goal(text, said, mean <= goal if len(reached) == len(names) else None)


def reaches(results: Results, env: str) -> float | None:
    """The smallest share of the budget at which the agent's complete runs end below stratified's whole ones.

    Infinite where not even whole runs do; None where not all runs are there.
    """
    goal = list(results.losses(env, STRATIFIED).values())
    scores = {part / 100: list(results.losses(env, AGENT, percent=part).values()) for part in (*REACH, 100)}
    if min(len(goal), *(len(losses) for losses in scores.values())) < SEEDS:
        return None
    found = statistics.reached(scores, goal)
    return np.inf if found is None else found


def _finish(results: Results, names: Sequence[str]) -> Goal:
    text = f"With `target.train`, below {FINETUNE} on at least half of the report families (identical tasks left out)"
    found = _differences(results, names, FINISHING, FINETUNE, "finish")
    below = [name for name, one in found.items() if one.mean < 0]
    said = f"below on {len(below)}; {_of(found, names)}" if found else ""
    return Goal(text, said, len(below) >= FINISHES * len(names) if len(found) == len(names) else None)
