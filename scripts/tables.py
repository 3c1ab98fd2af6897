"""Tables without lines, as commands print them."""

from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

PLAIN: dict[str, Any] = {"box": None, "padding": (0, 2, 0, 0), "title_justify": "left", "caption_justify": "left"}


def print_table(console: Console, title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A title, a table whose first column alone stands to the left, and a blank line; nothing in it is markup."""
    table = Table(**PLAIN)
    for number, column in enumerate(columns):
        table.add_column(escape(column), justify="right" if number else "left", no_wrap=True)
    for row in rows:
        table.add_row(*map(escape, row))
    print_line(console, title)
    console.print(table)
    console.print()


def print_line(console: Console, line: str) -> None:
    """A sentence, as long as it is, and as it stands."""
    console.print(line, soft_wrap=True, highlight=False, markup=False)
