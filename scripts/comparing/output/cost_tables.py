"""The tables of what a comparison's runs cost, and of what came before the first of them."""

from collections.abc import Mapping
from typing import Any

from curriculum_rl.scripts.comparing.output.lines import NONE, SECTIONS, Table, by_section, count, groups_of, name_of


def costs(found: Mapping[str, Any]) -> Table:
    """What one run of everybody costs, by purpose, in FLOPs and in seconds."""
    purposes = used(found, "flops")
    columns = ("", "FLOPs", *(f"{purpose}" for purpose in purposes), "seconds", "/ stratified", "reaches stratified at")
    whole = found["agents"]["stratified"]["cost"]

    def row(entry: Mapping[str, Any]) -> tuple[str, ...]:
        cost = entry["cost"]
        shares = (f"{cost['flops'].get(purpose, 0.0) / cost['charged']:.1%}" for purpose in purposes)
        slower = f"{cost['wall'] / whole['wall']:.2f} x" if whole and whole["wall"] else NONE
        return (name_of(entry), count(cost["charged"]), *shares, f"{cost['wall']:.1f}", slower, _reached(entry, found))

    notes = [
        "One run. Everybody has the same budget of FLOPs; its split is what went into training and into what else.",
        "Seconds leave the final report out; whatever else the machine does, other runs included, moves them.",
    ]
    if found["reach"]:
        notes.append(
            "Reaches stratified at: the smallest of 25, 33, 50 and 100 % of the budget whose own complete runs end "
            "below stratified's, where they were made (--reach)."
        )
        notes += failures(found)
    else:
        notes.append("Reaches stratified at: complete runs at parts of the budget were not made (--reach).")
    groups = groups_of(found, row, len(columns))
    spare = frozenset({1, len(columns) - 2})
    return Table("What one run costs", columns, groups, tuple(notes), spare=spare)


def failures(found: Mapping[str, Any]) -> list[str]:
    """What crashed at a part of the budget, a sentence for each agent and part."""
    return [
        f"{label} at {percent} % of the budget crashed: {at['error']}"
        for label, entry in found["agents"].items()
        for percent, at in entry["reach"].items()
        if at["error"]
    ]


def used(found: Mapping[str, Any], kind: str) -> list[str]:
    """The charged purposes (or clocks) that some run has spent anything on, in the order of the ledger."""
    costs = [entry["cost"] for entry in found["agents"].values() if entry["cost"]]
    order = ("train", "data", "proxy", "signal", "lookahead", "agent", "logging")
    return [name for name in order if any(cost[kind].get(name, 0.0) > 0 for cost in costs)]


def _reached(entry: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    if entry["label"] == "stratified":
        return NONE
    if entry["reached"] is None:
        return "never"
    return f"{entry['reached']:.0%}" if entry["reach"] else "at most 100%"


def setups(found: Mapping[str, Any]) -> Table | None:
    """What came before the first run of those that had to be trained or searched."""
    columns = (
        "",
        "what",
        "runs",
        "FLOPs",
        "/ stratified run",
        "seconds",
        "total at 1",
        "at 10",
        "at 100",
        "breaks even after",
    )
    groups = tuple(
        (SECTIONS[section], tuple(_setup_row(entry, found) for entry in entries if entry["setup"]))
        for section, entries in by_section(found)
    )
    groups = tuple(group for group in groups if group[1])
    if not groups:
        return None
    notes = (
        "Total at n: set-up and n runs, in stratified runs. Breaks even: runs after which the set-up is paid back by "
        "what each run saves on the way to stratified's final score.",
    )
    return Table("What came before the first run", columns, groups, notes, spare=frozenset({3, 4}))


def _setup_row(entry: Mapping[str, Any], found: Mapping[str, Any]) -> tuple[str, ...]:
    setup, whole = entry["setup"], found["agents"]["stratified"]["cost"]["charged"]
    even = setup["break_even"]
    after = "unknown (--reach)" if even is None else even if isinstance(even, str) else f"{even:.0f} runs"
    totals = (f"{setup['deployed'][times]['flops'] / whole:.1f}" for times in ("1", "10", "100"))
    return (
        name_of(entry),
        setup["kind"],
        f"{setup['runs']:.0f}",
        count(setup["flops"]),
        f"{setup['stratified_runs']:.1f} x",
        f"{setup['seconds']:.0f}",
        *totals,
        after,
    )
