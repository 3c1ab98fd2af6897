"""Sources over files that a test writes: rows in every format that has fields."""

import csv
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from curriculum_rl.schema.corpora import DatasetCorpus, FilesCorpus
from curriculum_rl.text.documents import Source
from curriculum_rl.text.library import source_of

Rows = Sequence[dict[str, Any]]


def files(paths: Any, **options: Any) -> Source:
    """The source of a section whose other settings are the schema's."""
    many = [str(path) for path in paths] if isinstance(paths, list) else str(paths)
    return source_of(FilesCorpus(paths=many, **options))


def dataset(path: Path, **options: Any) -> Source:
    return source_of(DatasetCorpus(kind="dataset", path=str(path), **options))


def _jsonl(path: Path, rows: Rows) -> None:
    path.write_bytes("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode())


def _csv(path: Path, rows: Rows) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(rows[0])
        writer.writerows([row[name] for name in rows[0]] for row in rows)


def _tsv(path: Path, rows: Rows) -> None:
    cells = ([row[name] for name in rows[0]] for row in rows)
    lines = [list(rows[0]), *(["" if cell is None else str(cell) for cell in row] for row in cells)]
    path.write_bytes("".join("\t".join(line) + "\r\n" for line in lines).encode())


def _parquet(path: Path, rows: Rows) -> None:
    import pyarrow
    from pyarrow import parquet

    parquet.write_table(pyarrow.Table.from_pylist(list(rows)), path)


WRITERS: dict[str, Callable[[Path, Rows], None]] = {
    "rows.jsonl": _jsonl,
    "rows.csv": _csv,
    "rows.tsv": _tsv,
    "rows.parquet": _parquet,
}
"""By file name, whose suffix is the format."""


def written(folder: Path, name: str, rows: Rows) -> Path:
    """A file of rows, all with the same fields."""
    WRITERS[name](folder / name, rows)
    return folder / name
