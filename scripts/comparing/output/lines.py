"""What the tables of a comparison are made of: parts, rows, and numbers as text."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

SECTIONS = {
    "online": "online agents: they learn inside their one run",
    "pretrained": "pretrained agents: trained before, used frozen; see what their training cost",
    "baseline": "baselines",
    "decomposition": "controls: the agent's schedule without its feedback, its order, its dynamics",
}
NONE = "–"


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        title: above it.
        columns: names, the first of which is the rows' own.
        groups: heading and rows of each part.
        notes: below it, one sentence each.
    spare: columns that a narrow terminal leaves out.
    brief: columns whose intervals it leaves out.
    """

    title: str
    columns: tuple[str, ...]
    groups: tuple[tuple[str, tuple[tuple[str, ...], ...]], ...]
    notes: tuple[str, ...]
    spare: frozenset[int] = frozenset()
    brief: frozenset[int] = frozenset()


def by_section(found: Mapping[str, Any]) -> list[tuple[str, list[dict[str, Any]]]]:
    """The entries of each part of the table, best target loss first."""
    entries = list(found["agents"].values())
    parts = [(name, [entry for entry in entries if entry["section"] == name]) for name in SECTIONS]
    # The controls of a decomposition keep their order: each takes one thing more away.
    return [(name, part if name == "decomposition" else sorted(part, key=_loss)) for name, part in parts if part]


def _loss(entry: Mapping[str, Any]) -> float:
    return float(entry["figures"]["target_loss"]["mean"]) if "target_loss" in entry["figures"] else float("inf")


def name_of(entry: Mapping[str, Any]) -> str:
    """The label, with what a person wants to know at once."""
    return f"{entry['label']} ({entry['task']})" if entry["task"] else str(entry["label"])


def crashes(entry: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The runs that did not finish."""
    return [run for run in entry["runs"] if run["status"] != "finished"]


def groups_of(
    found: Mapping[str, Any], row: Callable[[dict[str, Any]], tuple[str, ...]], width: int
) -> tuple[tuple[str, tuple[tuple[str, ...], ...]], ...]:
    """The rows of every part of a table; what did not finish is a row that says why."""
    groups = []
    for section, entries in by_section(found):
        rows: list[tuple[str, ...]] = []
        for entry in entries:
            failed = crashes(entry)
            if len(failed) < len(entry["runs"]):
                rows.append(row(entry))
            if failed:
                known = next((run["error"] for run in failed if run["error"]), "not run")
                said = f"{len(failed)} of {len(entry['runs'])} seeds did not finish: {known}"
                rows.append((name_of(entry) if len(failed) == len(entry["runs"]) else "", said, *[""] * (width - 2)))
        groups.append((SECTIONS[section], tuple(rows)))
    return tuple(groups)


def is_crash(row: tuple[str, ...]) -> bool:
    """Whether a row only says why there are no figures."""
    return len(row) > 2 and not any(row[2:])


def signed(estimate: Mapping[str, Any]) -> str:
    """A difference with its interval."""
    return interval(estimate, "+.3f")


def interval(estimate: Mapping[str, Any] | None, form: str) -> str:
    """A mean with its interval."""
    if estimate is None:
        return NONE
    text = format(estimate["mean"], form)
    if estimate["low"] is None:
        return text
    return f"{text} [{format(estimate['low'], form)}, {format(estimate['high'], form)}]"


def count(value: float) -> str:
    """A large number in three figures and a letter."""
    for size, letter in ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g} {letter}"
    return f"{value:.3g}"
