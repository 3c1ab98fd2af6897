"""Reads the formats that documents come in, one generator for each; errors name the file and the line."""

import csv
import gzip
import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, TextIO, TypeVar

from curriculum_rl.errors import ConfigError
from curriculum_rl.text import iob

Row = dict[str, Any]
Item = TypeVar("Item")


def paragraphs(path: Path) -> Iterator[str]:
    """The blocks of lines between blank lines."""
    block: list[str] = []
    with _open(path) as file:
        for line in file:
            if line.strip():
                block.append(line)
            elif block:
                yield "".join(block).strip("\n")
                block = []
    if block:
        yield "".join(block).strip("\n")


def lines(path: Path) -> Iterator[str]:
    """The lines that are not blank."""
    with _open(path) as file:
        yield from (line.rstrip("\n") for line in file if line.strip())


def json_rows(path: Path) -> Iterator[tuple[int, Row]]:
    """JSON objects, one a line, with their line numbers from 1; only a line feed ends a line."""
    with _open(path, newline="\n") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except ValueError as error:
                raise ConfigError(f"paths: {path}, line {number} is not JSON: {error}") from error
            if not isinstance(row, dict):
                raise ConfigError(f"paths: {path}, line {number} is a JSON {type(row).__name__}, not an object")
            yield number, row


def csv_rows(path: Path) -> Iterator[tuple[int, Row]]:
    """Rows under a header line, with the number of their last line; tabs separate where the name ends in .tsv."""
    csv.field_size_limit(1 << 30)  # the default refuses texts above 131,072 characters
    tabs = path.name.removesuffix(".gz").endswith(".tsv")
    with _open(path, newline="") as file:
        reader = csv.DictReader(file, delimiter="\t" if tabs else ",")
        for row in reader:
            yield reader.line_num, row


def tagged_sentences(path: Path) -> Iterator[tuple[list[str], list[str]]]:
    """Words and tags of sentences: lines `token<TAB>tag` or `language:token<TAB>tag`, a blank one after each sentence.

    Raises:
        ConfigError: A line is neither.
    """
    words: list[str] = []
    tags: list[str] = []
    with _open(path) as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                word, tag = _tagged_word(line, path, number)
                words.append(word)
                tags.append(tag)
            elif words:
                yield words, tags
                words, tags = [], []
    if words:
        yield words, tags


def _tagged_word(line: str, path: Path, number: int) -> tuple[str, str]:
    token, _, tag = line.strip().rpartition("\t")
    language, colon, rest = token.partition(":")
    # A token ":" of a file without languages keeps its colon: what follows it is empty.
    word = rest if colon and rest and 2 <= len(language) <= 3 and language.islower() and language.isalpha() else token
    if not word or " " in word or not iob.is_tag(tag):
        found = line.rstrip("\n")
        raise ConfigError(f"paths: {path}, line {number} is no token<TAB>tag of IOB2: {found!r}")
    return word, tag


def parquet_names(path: Path) -> list[str]:
    """The fields of a Parquet file."""
    with _parquet(path) as file:
        return list(file.schema_arrow.names)


def parquet_rows(path: Path, names: Collection[str]) -> Iterator[tuple[int, Row]]:
    """Rows with their numbers from 1, of the named fields."""
    number = 0
    with _parquet(path) as file:
        for batch in file.iter_batches(columns=list(names)):
            for row in batch.to_pylist():
                number += 1
                yield number, row


def guarded(path: Path, items: Iterator[Item]) -> Iterator[Item]:
    """The items; what a broken file raises on the way becomes a ConfigError that names it."""
    try:
        yield from items
    except ConfigError:
        raise
    except (OSError, EOFError, ValueError, csv.Error) as error:  # ValueError: not UTF-8, or not Parquet
        raise ConfigError(f"paths: cannot read {path}: {error}") from error


def _open(path: Path, newline: str | None = None) -> TextIO:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline=newline)
    return path.open(encoding="utf-8-sig", newline=newline)


def _parquet(path: Path) -> Any:
    from pyarrow import parquet  # type: ignore[import-untyped]  # heavy, and only this format needs it

    return parquet.ParquetFile(path)
