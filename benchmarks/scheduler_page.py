"""The page of the comparison of schedulers, from its result rows alone."""

from collections.abc import Mapping, Sequence
from statistics import fmean

import gate
from scheduler_goals import WORDS, difference, goals, reaches
from scheduler_rows import Results, shared
from scheduler_stages import AGENT, FINISHING, IDENTICAL, REACH, Family, Stage

from curriculum_rl.scripts.comparing.analysis import statistics
from curriculum_rl.scripts.comparing.output.lines import NONE, interval, signed
from curriculum_rl.scripts.comparing.running.contestants import EM_PRIOR, FINETUNE, STRATIFIED

SCORES = ("downstream_entity_f1", "downstream_accuracy")
HEAD = """# Which scheduler helps?

Made by `python benchmarks/schedulers.py --page docs/schedulers.md` from `benchmarks/results/schedulers.jsonl`, a line
for each complete run, which `python benchmarks/schedulers.py` makes; no figure here was written by hand. How to read
the columns: [compare.md](compare.md); families: [families.md](families.md); what `auto` was at first, and how it did:
[schedulers-v1.md](schedulers-v1.md).

Every run of a family has the same budget of FLOPs, and under one seed the same weights and windows. Differences are
paired by seed, with bootstrap 95 % intervals."""
NOTES = """Target loss: nats per token on the target's report split. Score: downstream, after a few-shot fine-tune on
the target's labels, higher is better. Headroom: (agent - stratified) / (best static - stratified), not defined where
best static does not end .05 nats below stratified. Seconds: of a run without its report, in stratified's, on a machine
that may have done other things besides."""


def page(results: Results, families: Sequence[Family], stages: Sequence[Stage], predicted: Mapping[str, float]) -> str:
    """The page of the documentation.

    Args:
        results: the rows.
        families: all of them.
        stages: what was planned.
        predicted: gains by family, nats.
    """
    parts = [HEAD, *_goals(results, families, predicted)]
    for role, about in (
        ("report", "They judge; nothing was chosen on them."),
        ("development", "**They have chosen the design of `auto`, so they are no evidence for it.**"),
    ):
        chosen = [family for family in families if family.role == role]
        parts += [f"## {role.capitalize()} families", about]
        for family in chosen:
            parts += _family(results, family, stages, predicted.get(family.name))
    return "\n\n".join([*parts, *_others(results, stages), "## Columns", NOTES]) + "\n"


def _goals(results: Results, families: Sequence[Family], predicted: Mapping[str, float]) -> list[str]:
    found = goals(results, families, predicted)
    lines = ["| goal on the report families | measured | |", "| --- | --- | --- |"]
    lines += [f"| {goal.text} | {goal.measured} | {WORDS[goal.met]} |" for goal in found]
    judged = gate.verdicts(results, families)
    failed = [line for passes, line in judged if not passes]
    closed = f"closed: {'; '.join(failed)}" if failed else "open: every report family passes"
    said = f"Release gate (`python benchmarks/gate.py`: not more than {gate.MOST} nats above {EM_PRIOR}): {closed}."
    return ["## Goals", "\n".join(lines), said]


def _family(results: Results, family: Family, stages: Sequence[Stage], predicted: float | None) -> list[str]:
    mine = [stage for stage in stages if family in stage.families]
    headline = [stage for stage in mine if stage.name == "headline"]
    labels = list(dict.fromkeys(label for stage in headline for label, _, _ in stage.runs))
    before = "" if predicted is None else f" Predicted before any run: the prior gains {predicted:+.3f} nats over even."
    parts = [f"### {family.name}", _progress(results, family, mine) + before]
    known = [label for label in labels if results.losses(family.name, label)]
    if known:
        parts += ["\n".join(_table(results, family.name, "headline", known)), *_remarks(results, family)]
    return parts


def _progress(results: Results, family: Family, stages: Sequence[Stage]) -> str:
    """How many of the planned runs are there, and which are not."""
    planned = {(stage.name, *run) for stage in stages for run in stage.runs}
    there = {
        (row["set"], row["label"], row["seed"], row["percent"]) for row in results.rows if row["env"] == family.name
    }
    missing: dict[str, int] = {}
    for name, label, _, percent in sorted(planned - there):
        part = "" if percent == 100 else f" at {percent} % of the budget"
        where = {"headline": "", "finish": " with `target.train`", "others": " among the others"}[name]
        missing[f"{label}{part}{where}"] = missing.get(f"{label}{part}{where}", 0) + 1
    said = f"Measured: {len(planned & there)} of {len(planned)} planned runs."
    if not planned & there:
        return f"{said} Nothing yet."
    return said + (f" Missing: {', '.join(f'{what} ({count})' for what, count in missing.items())}." if missing else "")


def _table(results: Results, env: str, name: str, labels: Sequence[str]) -> list[str]:
    head = "| | target loss | - stratified | - em-prior | headroom | score | score - stratified | seconds | seeds |"
    lines = [head, "| --- |" + " ---: |" * 8]
    order = sorted(labels, key=lambda label: fmean(results.losses(env, label, name=name).values()))
    return lines + [f"| {' | '.join(_row(results, env, name, label))} |" for label in order]


def _row(results: Results, env: str, name: str, label: str) -> tuple[str, ...]:
    losses = results.losses(env, label, name=name)
    against = [_against(results, env, name, label, reference, "target_loss") for reference in (STRATIFIED, EM_PRIOR)]
    figure = next((one for one in SCORES if results.figures(env, label, one, name=name)), None)
    scores = results.figures(env, label, figure, name=name) if figure else {}
    seconds = shared(*(results.figures(env, one, "seconds", name=name) for one in (label, STRATIFIED)))
    return (
        label,
        f"{fmean(losses.values()):.3f}",
        *against,
        _headroom(results, env, label) if name == "headline" else NONE,
        f"{fmean(scores.values()):.3f}" if scores else NONE,
        _against(results, env, name, label, STRATIFIED, figure) if figure else NONE,
        f"{sum(seconds[0]) / sum(seconds[1]):.2f} x" if seconds[0] else NONE,
        f"{len(losses)}",
    )


def _against(results: Results, env: str, name: str, label: str, reference: str, figure: str) -> str:
    mine, theirs = shared(*(results.figures(env, one, figure, name=name) for one in (label, reference)))
    return signed(vars(statistics.paired(mine, theirs).difference)) if mine and label != reference else NONE


def _headroom(results: Results, env: str, label: str) -> str:
    best = next((row["label"] for row in results.rows if row["env"] == env and _is_best(row["label"])), None)
    if best is None or label == STRATIFIED:
        return NONE
    columns = shared(*(results.losses(env, one) for one in (label, STRATIFIED, best)))
    found = statistics.headroom(*columns) if columns[0] else None
    return interval(vars(found), ".2f") if found else NONE


def _is_best(label: str) -> bool:
    return label.startswith("best-static")


def _remarks(results: Results, family: Family) -> list[str]:
    """What the table does not say: the bigram line, the cost to reach stratified's score, the end on the target."""
    said = []
    stratified = results.losses(family.name, STRATIFIED)
    lines = results.figures(family.name, STRATIFIED, "bigram")
    if stratified and lines:
        below = fmean(stratified.values()) < fmean(lines.values())
        verb = "ends below" if below else "does **not** end below"
        said.append(f"Stratified {verb} the bigram line of its own rows ({fmean(lines.values()):.3f}).")
    if family.name in IDENTICAL:
        said.append("Its tasks are identical: nothing can be gained, and no win counts.")
    cost = reaches(results, family.name)
    if cost is not None:
        parts = ", ".join(
            f"{part} %: {fmean(results.losses(family.name, AGENT, percent=part).values()):.3f}" for part in REACH
        )
        reached = f"at {cost:.0%} of the budget" if cost <= 1 else "never"
        said.append(f"{AGENT} reaches stratified's score {reached} ({parts}).")
    finish = difference(results, family.name, FINISHING, FINETUNE, name="finish")
    if finish is not None:
        said.append(f"With `target.train`, {FINISHING} - {FINETUNE}: {signed(vars(finish))}.")
    if word := _downstream(results, family.name):
        said.append(word)
    return [" ".join(said)] if said else []


def _downstream(results: Results, env: str) -> str:
    """A word where the agent's loss is lower than stratified's and its downstream score is not higher."""
    gain = difference(results, env, AGENT, STRATIFIED)
    figure = next((one for one in SCORES if results.figures(env, AGENT, one)), None)
    if gain is None or figure is None or gain.mean >= 0:
        return ""
    mine, theirs = shared(*(results.figures(env, label, figure) for label in (AGENT, STRATIFIED)))
    if not mine or fmean(mine) > fmean(theirs):
        return ""
    return f"**The loss of {AGENT} is lower than stratified's, its downstream score is not higher.**"


def _others(results: Results, stages: Sequence[Stage]) -> list[str]:
    stage = next(stage for stage in stages if stage.name == "others")
    about = (
        f"With `target.prior: js`, whose square `{stage.agents[0]}` (`auto` v1) multiplies by; {stage.seeds} seeds, so "
        "signs and sizes only. What `doremi`, `doge` and `ac-odm` cost before their first run is not in their budget."
    )
    parts = ["## Other agents", about]
    for family in stage.families:
        labels = list(dict.fromkeys(label for label, _, _ in stage.runs))
        known = [label for label in labels if results.losses(family.name, label, name="others")]
        table = "\n".join(_table(results, family.name, "others", known)) if known else "Not measured yet."
        parts += [f"### {family.name}, other agents", table]
    return parts
