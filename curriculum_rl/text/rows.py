"""Reads the formats whose rows have fields, one generator for each; errors name the file and the line."""

import csv
import json
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from curriculum_rl.errors import ConfigError, shown
from curriculum_rl.text.lines import LONGEST, Item, guarded, is_packed, numbered

Row = dict[str, Any]
_BATCH = 16  # rows of a Parquet file at once: each may hold a text of millions of characters

_ROW_GROUP = 1 << 28  # bytes from which on a row group of large rows is too large
_LARGE_ROW = 1 << 16  # bytes on average
_SWALLOWED = 10  # lines of a quoted field that are no text by chance if all have the commas of a row


def json_rows(path: Path) -> Iterator[tuple[int, Row]]:
    """JSON objects, one a line, with their line numbers from 1; only a line feed ends a line.

    Raises:
        ConfigError: A line is no JSON object, or one with two fields of a name.
    """
    for number, line in numbered(path, newline="\n"):
        if not line.strip():
            continue
        place = f"paths: {path}, line {number}"
        if line.lstrip().startswith("["):
            raise ConfigError(f"{place} is a JSON list, or begins one; rows must be JSON objects, one a line")
        try:
            row = json.loads(line, object_pairs_hook=_object)
        except json.JSONDecodeError as error:
            reason = f"{error.msg}, character {error.colno}"
            raise ConfigError(f"{place} is not JSON, one object a line: {reason}") from error
        except ValueError as error:  # a name twice, or a number of thousands of digits
            raise ConfigError(f"{place} is not read: {error}") from error
        except RecursionError as error:
            raise ConfigError(f"{place} is not read: lists or objects stand too deep in one another") from error
        if not isinstance(row, dict):
            raise ConfigError(f"{place} is a JSON {type(row).__name__}, not an object")
        yield number, row


def _object(pairs: list[tuple[str, Any]]) -> Row:
    row = dict(pairs)
    if len(row) != len(pairs):
        _check_names([name for name, _ in pairs], "it")
    return row


def csv_rows(path: Path) -> Iterator[tuple[int, Row]]:
    """Rows under a header, with the number of the line that they begin at; in .tsv files tabs separate.

    In .tsv files a quote is text, and a row is a line.

    Raises:
        ConfigError: A row has not as many fields as the header, the header two of one name, or quotes do not pair.
    """
    rows = _tab_separated(path) if has_tabs(path) else _comma_separated(path)
    header: Sequence[str] = ()
    for number, fields in rows:
        if not fields:
            continue
        place = f"paths: {path}, line {number}"
        if not header:
            _check_names(fields, place)
            header = fields
        elif len(fields) != len(header):
            raise ConfigError(f"{place}: {len(fields)} fields under a header of {len(header)}")
        else:
            _check_swallowed(fields, place)
            yield number, dict(zip(header, fields, strict=True))


def has_tabs(path: Path) -> bool:
    """Whether the name says that tabs separate the fields."""
    return Path(path.stem if is_packed(path) else path.name).suffix.lower() == ".tsv"


def _tab_separated(path: Path) -> Iterator[tuple[int, list[str]]]:
    for number, line in numbered(path, newline="\n"):
        whole = line.removesuffix("\n").removesuffix("\r")
        yield number, whole.split("\t") if whole else []


def _comma_separated(path: Path) -> Iterator[tuple[int, list[str]]]:
    csv.field_size_limit(LONGEST)  # the default refuses texts above 131,072 characters
    reader = csv.reader((line for _, line in numbered(path, newline="")), strict=True)
    begins = 1
    try:
        for fields in reader:
            yield begins, fields
            begins = reader.line_num + 1
    except csv.Error as error:
        reason = "a quoted field has no end" if "end of data" in str(error) else str(error)
        raise ConfigError(f"paths: {path}, line {begins}: {reason}; quotes inside a field are doubled") from error


def _check_swallowed(fields: Sequence[str], place: str) -> None:
    """Refuses a quoted field that holds rows: every line of it has the commas that a row has there."""
    if len(fields) < 2:
        return
    for number, field in enumerate(fields):
        if field.count("\n") > _SWALLOWED and '"' not in field:
            first, *inner, last = (line.count(",") for line in field.splitlines())
            if {*inner} == {len(fields) - 1} and (first, last) == (len(fields) - 1 - number, number):
                raise ConfigError(
                    f"{place}: a quoted field ends {len(inner) + 1} lines later and holds rows; quotes that are text "
                    "stand in a quoted field, doubled"
                )


def parquet_names(path: Path) -> list[str]:
    """The fields of a Parquet file.

    Raises:
        ConfigError: Two have one name.
    """
    (schema,) = _guarded(path, _schema(path))
    names = list(schema.names)
    _check_names(names, f"paths: {path}")
    return names


def parquet_classes(path: Path) -> dict[str, list[str]]:
    """The class labels of those fields that `datasets` wrote as such: their numbers, of lists of them the names."""
    (schema,) = _guarded(path, _schema(path))
    written = json.loads((schema.metadata or {}).get(b"huggingface", b"{}")).get("info", {}).get("features", {})
    found: dict[str, list[str]] = {}
    for name, feature in written.items():
        inner = feature.get("feature", {}) if isinstance(feature, dict) else {}
        if "names" in feature:
            found[name] = [*map(str, range(len(feature["names"])))]
        elif isinstance(inner, dict) and inner.get("_type") == "ClassLabel":
            found[name] = [*map(str, inner["names"])]
    return found


def parquet_rows(path: Path, names: Collection[str]) -> Iterator[tuple[int, Row]]:
    """Rows with their numbers from 1, of the named fields."""
    yield from enumerate(_guarded(path, _parquet_rows(path, names)), 1)


def _guarded(path: Path, items: Iterator[Item]) -> Iterator[Item]:
    import pyarrow  # type: ignore[import-untyped]  # heavy, and only this format needs it

    yield from guarded(path, items, pyarrow.ArrowException)


def _schema(path: Path) -> Iterator[Any]:
    with _parquet(path) as file:
        yield file.schema_arrow


def _parquet_rows(path: Path, names: Collection[str]) -> Iterator[Row]:
    with _parquet(path) as file:
        _check_sizes(file.metadata, names, path)
        for batch in file.iter_batches(batch_size=_BATCH, columns=list(names)):
            yield from batch.to_pylist()


def _check_sizes(metadata: Any, names: Collection[str], path: Path) -> None:
    """Refuses a file of which a few rows may fill memory before they are seen."""
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        columns = [group.column(place) for place in range(group.num_columns)]
        size = sum(column.total_uncompressed_size for column in columns if column.path_in_schema.split(".")[0] in names)
        if size > _ROW_GROUP and size > _LARGE_ROW * group.num_rows:
            found = f"row group {number} has {size >> 20:,} MiB in {group.num_rows:,} rows"
            raise ConfigError(f"paths: {path}: {found}; write smaller ones")


def _parquet(path: Path) -> Any:
    from pyarrow import parquet

    return parquet.ParquetFile(path, buffer_size=1 << 20)


def _check_names(names: Sequence[str], place: str) -> None:
    twice = next((name for place, name in enumerate(names) if name in names[:place]), None)
    if twice is not None:
        raise ConfigError(f"{place} has two fields of the name {shown(twice)}")
