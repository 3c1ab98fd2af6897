"""Tables of training runs, one row for the mixture of a run and the losses that it ended with."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from curriculum_rl.errors import ConfigError
from curriculum_rl.text.lines import guarded
from curriculum_rl.text.rows import Row, csv_rows

Floats = npt.NDArray[np.float64]
Columns = str | Sequence[str]
INDEX = "index"
"""The column that names a run, where a table is several files."""


@dataclass(frozen=True)
class MixtureRuns:
    """R runs.

    Attributes:
        tasks: K names of what was mixed.
        outcomes: M names of what was measured at the end.
        mixtures: (R, K) shares, rows summing to 1.
        losses: (R, M) nats per token.
    """

    tasks: tuple[str, ...]
    outcomes: tuple[str, ...]
    mixtures: Floats
    losses: Floats


def read_runs(table: str | Path | Sequence[str | Path], *, shares: Columns, losses: Columns) -> MixtureRuns:
    """Read runs from one CSV file, or from several that are joined by their column `index`.

    Args:
        table: the file, or files; .csv or .tsv, also .gz.
        shares: the columns of the mixture: their names, or what all their names begin with (it is cut off).
        losses: likewise of the losses.

    Raises:
        ConfigError: for a file or column that is missing, a value that is no number, a run that is in one file only,
            negative shares, or fewer than 4 runs.
    """
    paths = [Path(one) for one in ([table] if isinstance(table, str | Path) else table)]
    rows = _joined(paths)
    mixed, scored = _named(rows[0], shares, "shares"), _named(rows[0], losses, "losses")
    mixtures, ends = (_numbers(rows, list(names), paths[0]) for names in (mixed, scored))
    if len(rows) < 4:
        raise ConfigError(f"table: {len(rows)} runs in {paths[0]} are too few")
    if (mixtures < 0).any() or (mixtures.sum(axis=1) <= 0).any():
        raise ConfigError(f"table: {paths[0]} has negative shares, or a run without any")
    shared: Floats = mixtures / mixtures.sum(axis=1, keepdims=True)
    return MixtureRuns(tuple(mixed.values()), tuple(scored.values()), shared, ends)


def _joined(paths: list[Path]) -> list[Row]:
    """The runs of the first file, each with the columns of the others."""
    tables = [[row for _, row in guarded(path, csv_rows(path))] for path in paths]
    for path, rows in zip(paths, tables, strict=True):
        if not rows:
            raise ConfigError(f"table: {path} has no rows")
        if len(paths) > 1 and INDEX not in rows[0]:
            raise ConfigError(f"table: {path} has no column {INDEX!r} to join by")
    runs = tables[0]
    for path, rows in zip(paths[1:], tables[1:], strict=True):
        found = {row[INDEX]: row for row in rows}
        if found.keys() != {row[INDEX] for row in runs} or len(found) != len(runs):
            raise ConfigError(f"table: {path} does not hold the same runs as {paths[0]}")
        runs = [row | found[row[INDEX]] for row in runs]
    return runs


def _named(row: Row, wanted: Columns, what: str) -> dict[str, str]:
    """Columns and what they are called."""
    if isinstance(wanted, str):
        names = {column: column.removeprefix(wanted) for column in row if column and column.startswith(wanted)}
    else:
        names = {column: column for column in wanted}
    missing = [column for column in names if column not in row]
    if missing or len(names) < (2 if what == "shares" else 1):
        wrong = missing[0] if missing else wanted
        raise ConfigError(f"{what}: {wrong!r} names no columns; there are: {', '.join(row)}")
    return names


def _numbers(rows: list[Row], columns: list[str], path: Path) -> Floats:
    try:
        values = np.array([[float(row[column]) for column in columns] for row in rows])
    except (TypeError, ValueError) as error:
        raise ConfigError(f"table: {path} holds what is no number: {error}") from error
    if not np.isfinite(values).all():
        raise ConfigError(f"table: {path} holds numbers that are not finite")
    return values
