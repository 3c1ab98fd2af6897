"""The tables of a comparison as Markdown, for a page of documentation or a report."""

from collections.abc import Mapping
from typing import Any

from curriculum_rl.scripts.comparing.output.lines import Table, is_crash
from curriculum_rl.scripts.comparing.output.tables import tables
from curriculum_rl.scripts.comparing.output.verdicts import verdict


def markdown(found: Mapping[str, Any]) -> str:
    """All tables of a document and what they come to, headings from the second level down."""
    budget = ", ".join(f"{value:,.0f} {unit}" for unit, value in found["budget"].items())
    parts = [
        f"## {found['env']}\n\n{len(found['seeds'])} seeds, {len(found['tasks'])} tasks, {budget}; every run at the "
        "same total cost.",
        "\n".join(f"* {sentence}" for sentence in verdict(found)),
        *map(_table, tables(found)),
    ]
    return "\n\n".join(parts) + "\n"


def _table(table: Table) -> str:
    lines = [f"### {table.title}", "", _row(table.columns), _row(["---", *["---:"] * (len(table.columns) - 1)])]
    for heading, rows in table.groups:
        lines.append(_row([f"*{heading.partition(':')[0]}*", *[""] * (len(table.columns) - 1)]))
        lines.extend(_row([f"{row[0]} {row[1]}".strip(), *row[2:], ""] if is_crash(row) else row) for row in rows)
    return "\n".join([*lines, "", *(f"{note}  " for note in table.notes)]).rstrip()


def _row(cells: tuple[str, ...] | list[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
