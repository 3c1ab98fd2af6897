"""The tables of a comparison on a terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table as Drawn
from rich.text import Text

from curriculum_rl.scripts.comparing.output.lines import Table, is_crash
from curriculum_rl.scripts.comparing.output.tables import tables
from curriculum_rl.scripts.comparing.output.verdicts import verdict

WIDE = 118  # characters: narrower terminals get fewer columns, all of which are on the page
LABEL = 15  # characters that a label gets at least


def show(found: Mapping[str, Any], console: Console) -> None:
    """Print all tables of a document and what they come to."""
    console.print(f"\n[bold]{found['env']}[/bold], {len(found['seeds'])} seeds, every run at the same total cost")
    for table in tables(found):
        console.print(_drawn(table, console.width))
        for note in table.notes:
            console.print(Text(note, style="dim"))
    console.print()
    for sentence in verdict(found):
        console.print(Text(f"* {sentence}"))


def _drawn(table: Table, width: int) -> Drawn:
    narrow = width < WIDE
    kept = [place for place in range(len(table.columns)) if not (narrow and place in table.spare)]
    brief = table.brief if narrow else frozenset[int]()
    rows = [row for _, group in table.groups for row in group if not is_crash(row)]
    longest = {
        place: _longest(table.columns[place], [_shown(row[place], place in brief) for row in rows]) for place in kept
    }
    gap = 1 if narrow else 2
    left = width - sum(longest.values()) + longest[0] - gap * len(kept)
    longest[0] = max(min(longest[0], left), LABEL)
    title = Text(f"\n{table.title}", style="bold")
    drawn = Drawn(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, gap - 1, 0, 0))
    drawn.show_edge = False
    for place in kept:
        column = _shown(table.columns[place], place in brief)
        drawn.add_column(column, justify="right" if place else "left", overflow="fold", width=longest[place])
    for heading, group in table.groups:
        drawn.add_row(Text(heading.partition(":")[0].upper(), style="dim"))
        for row in group:
            cells = [f"{row[0]}\n{row[1]}".strip()] if is_crash(row) else [_shown(row[p], p in brief) for p in kept]
            drawn.add_row(*map(Text, cells))
        drawn.add_section()
    return drawn


def _longest(column: str, cells: Sequence[str]) -> int:
    """Characters that a column needs: its cells stay whole, its name is broken between words."""
    return max([len(word) for word in column.partition(" [")[0].split()] + [len(cell) for cell in cells], default=1)


def _shown(cell: str, brief: bool) -> str:
    """A cell, without its interval where that is too long."""
    return cell.partition(" [")[0] if brief else cell
