"""All cells of a comparison as one document: what `compare.json` holds, and what every table and page is drawn from."""

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from curriculum_rl.errors import ConfigError
from curriculum_rl.pretraining.counting import CountingLosses
from curriculum_rl.scripts.comparing.analysis import reading, statistics
from curriculum_rl.scripts.comparing.running.contestants import BEST_FIXED, REFERENCES, STRATIFIED, Contestant
from curriculum_rl.scripts.comparing.running.plan import REACH, Plan

FORMAT = 3
FIGURES = {
    "target_loss": True,
    "downstream_accuracy": False,
    "downstream_log_loss": True,
    "downstream_entity_f1": False,
    "mean_corpus_loss": True,
}
"""Figures of a final report, and whether lower is better."""
DEPLOYMENTS = (1, 10, 100)

Entry = dict[str, Any]


def document(plan: Plan, baselines: CountingLosses) -> dict[str, Any]:
    """Everything the comparison has found; its schema is in docs/compare.md.

    Args:
        plan: whose cells are read.
        baselines: what counting alone reaches.
    """
    loss_proxy = plan.config.proxy.kind == "heldout_loss"
    entries = {one.label: _entry(plan, one, loss_proxy=loss_proxy) for one in plan.contestants}
    _judge(entries, [label for label in REFERENCES if label in entries])
    for one in plan.contestants:
        _price(plan, one, entries)
    return {
        "format": FORMAT,
        "env": plan.config.name,
        "directory": str(plan.folder.path),
        "seeds": list(plan.seeds),
        "tasks": list(plan.tasks),
        "budget": {key: value for key, value in plan.config.budget.model_dump().items() if value is not None},
        "proxy": plan.config.proxy.kind,
        "loss_proxy": loss_proxy,
        "baselines": asdict(baselines),
        "divergence": dict(zip(plan.tasks, map(float, plan.divergence), strict=True)),
        "static_mixtures": plan.mixtures,
        "reach": list(plan.reach),
        "agents": entries,
        "wins": _wins(entries),
        "decomposition": {one: _parts(entries, one) for one in dict.fromkeys(c.of for c in plan.contestants if c.of)},
    }


def _entry(plan: Plan, one: Contestant, *, loss_proxy: bool) -> Entry:
    cells = {seed: plan.folder.cell(one, seed) for seed in plan.seeds}
    runs = [reading.run_of(cell, seed, loss_proxy=loss_proxy) for seed, cell in cells.items()]
    done = [run for run in runs if run["status"] == "finished"]
    gaps = [run["gap"] for run in done if run["gap"] is not None]
    return {
        "label": one.label,
        "agent": one.agent,
        "options": one.options,
        "role": one.role,
        "section": one.section,
        "of": one.of,
        "about": one.about,
        "source": one.entry.source,
        "feedback": one.entry.feedback,
        "sees_target": one.sees_target,
        "task": _task(plan, one, done),
        "tasks": list(done[0]["share"]) if done else list(plan.tasks),
        "runs": runs,
        "figures": {},
        "headroom": None,
        "gap": asdict(statistics.estimate(gaps)) if gaps else None,
        "cost": _cost(done),
        "setup": None,
        "reach": {str(percent): _at(plan, one, percent) for percent in (REACH if one.label in plan.reach else ())},
        "reached": None,
        "curves": reading.curves(list(cells.values()), loss_proxy=loss_proxy),
    }


def _task(plan: Plan, one: Contestant, done: Sequence[Entry]) -> str | None:
    """The task of the best fixed one."""
    return max(done[0]["share"], key=lambda task: done[0]["share"][task]) if one.label == BEST_FIXED and done else None


def _at(plan: Plan, one: Contestant, percent: int) -> Entry:
    cells = [plan.folder.cell(one, seed, percent) for seed in plan.seeds]
    runs = [reading.run_of(cell, seed, loss_proxy=False) for seed, cell in zip(plan.seeds, cells, strict=True)]
    losses = [run["target_loss"] for run in runs if run["status"] == "finished"]
    errors = [run["error"] for run in runs if run["error"]]
    mean = sum(losses) / len(losses) if losses else None
    return {"target_loss": losses, "mean": mean, "error": errors[0] if errors else None}


def _cost(done: Sequence[Entry]) -> Entry | None:
    """Mean FLOPs and seconds of one run by purpose; what is charged leaves the report out."""
    if not done:
        return None
    flops, seconds = (_mean([run[key] for run in done]) for key in ("flops", "seconds"))
    charged = sum(value for purpose, value in flops.items() if purpose != "report")
    return {"flops": flops, "charged": charged, "seconds": seconds, "wall": sum(seconds.values())}


def _mean(columns: Sequence[dict[str, float]]) -> dict[str, float]:
    names = dict.fromkeys(name for column in columns for name in column)
    return {name: sum(column.get(name, 0.0) for column in columns) / len(columns) for name in names}


def values(entry: Entry, figure: str) -> dict[int, float]:
    """A figure of an entry's finished runs, by seed."""
    return {run["seed"]: run[figure] for run in entry["runs"] if run.get(figure) is not None}


def _shared(entries: Sequence[Entry], figure: str) -> list[list[float]]:
    """A figure of several entries under the seeds that all of them finished."""
    columns = [values(entry, figure) for entry in entries]
    seeds = sorted(set.intersection(*(set(column) for column in columns)))
    return [[column[seed] for seed in seeds] for column in columns]


def _judge(entries: dict[str, Entry], references: Sequence[str]) -> None:
    """Every figure against the references; Holm over the agents that were asked for."""
    for figure, lower in FIGURES.items():
        for entry in entries.values():
            known = list(values(entry, figure).values())
            if known:
                entry["figures"][figure] = {**asdict(statistics.estimate(known)), "against": {}}
        for reference in references:
            _against(entries, figure, reference, lower_is_better=lower)
    best = next((entry for entry in entries.values() if entry["label"].startswith("best-static")), None)
    for entry in entries.values():
        columns = _shared([entry, entries[STRATIFIED], best], "target_loss") if best else [[]]
        found = statistics.headroom(*columns) if columns[0] and entry["label"] != STRATIFIED else None
        entry["headroom"] = asdict(found) if found else None


def _against(entries: dict[str, Entry], figure: str, reference: str, *, lower_is_better: bool) -> None:
    made = {}
    for label, entry in entries.items():
        mine, theirs = _shared([entry, entries[reference]], figure)
        if label != reference and mine:
            made[label] = asdict(statistics.paired(mine, theirs, lower_is_better=lower_is_better))
    agents = [label for label in made if entries[label]["role"] == "agent"]
    adjusted = dict(zip(agents, statistics.holm([made[label]["p"] for label in agents]), strict=True))
    for label, pair in made.items():
        entries[label]["figures"][figure]["against"][reference] = {**pair, "holm": adjusted.get(label)}


def _price(plan: Plan, one: Contestant, entries: dict[str, Entry]) -> None:
    """What came before the first run: its cost, its cost with some deployments, and when it has paid for itself."""
    entry, reference = entries[one.label], entries[STRATIFIED]
    goal = list(values(reference, "target_loss").values())
    mine = list(values(entry, "target_loss").values())
    if goal and mine and one.label != STRATIFIED:
        scores = {int(percent) / 100: at["target_loss"] for percent, at in entry["reach"].items()} | {1.0: mine}
        entry["reached"] = statistics.reached(scores, goal)
    setup = _setup(plan, one)
    if setup is None or entry["cost"] is None or reference["cost"] is None:
        return
    run, whole = entry["cost"], reference["cost"]
    runs = statistics.break_even(setup["flops"], whole["charged"], entry["reached"])
    # At the whole budget a better score saves nothing; smaller runs say whether it does.
    unknown = one.label not in plan.reach and entry["reached"] is not None
    entry["setup"] = {
        **setup,
        "stratified_runs": setup["flops"] / whole["charged"],
        "deployed": {
            str(times): {
                "flops": statistics.deployed(setup["flops"], run["charged"], times),
                "seconds": statistics.deployed(setup["seconds"], run["wall"], times),
            }
            for times in DEPLOYMENTS
        },
        "break_even": None if unknown else "never" if math.isinf(runs) else runs,
    }


def _setup(plan: Plan, one: Contestant) -> Entry | None:
    try:
        if one.pretrained:
            return {"kind": "training", **reading.training_cost(plan.folder.training(one))}
        if one.found in ("fixed", "static"):
            found = plan.search.choose(one.found)
            return {"kind": "search", **found.cost, "shares": dict(zip(plan.tasks, found.shares, strict=True))}
    except (ConfigError, OSError):  # it did not finish
        return None
    return None


def _wins(entries: dict[str, Entry]) -> Entry:
    """Share of the shared seeds in which the row's target loss is below the column's; a tie is half a win."""
    order = list(entries)
    matrix = []
    for row in order:
        line: list[float | None] = []
        for column in order:
            mine, theirs = _shared([entries[row], entries[column]], "target_loss")
            pairs = list(zip(mine, theirs, strict=True))
            won = sum(1.0 if a < b else 0.5 if a == b else 0.0 for a, b in pairs)
            line.append(won / len(pairs) if pairs and row != column else None)
        matrix.append(line)
    return {"order": order, "matrix": matrix}


STEPS = (
    ("feedback", "{0}", "{0} yoked"),
    ("order in time", "{0} yoked", "{0} shuffled"),
    ("changing mixtures", "{0} shuffled", "{0} mean"),
    ("the mean mixture", "{0} mean", STRATIFIED),
)
"""What an agent's difference to stratified is the sum of, and the two entries that each part is the difference of."""


def _parts(entries: dict[str, Entry], label: str) -> list[Entry]:
    """An agent's difference to stratified, part by part (evidence.md 7)."""
    parts = []
    for what, one, other in ((what, one.format(label), other.format(label)) for what, one, other in STEPS):
        mine, theirs = _shared([entries[one], entries[other]], "target_loss")
        if mine:
            pair = statistics.paired(mine, theirs)
            parts.append({"what": what, "of": f"{one} - {other}", **asdict(pair.difference), "p": pair.p})
    return parts
