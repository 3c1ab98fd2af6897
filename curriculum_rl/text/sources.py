"""Where documents come from: text, JSON lines, CSV and Parquet files, and Hugging Face `datasets`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, get_args

from curriculum_rl.errors import ConfigError
from curriculum_rl.schema.corpora import Format
from curriculum_rl.text import class_labels, files, loading, readers, rows
from curriculum_rl.text.documents import Document, Tally, sha256_of
from curriculum_rl.text.fields import Fields
from curriculum_rl.text.lines import guarded, is_packed

_READER = 4  # version of the readers below; a change makes every cached corpus stale
_SUFFIXES = {
    ".txt": "text",
    ".md": "text",
    ".jsonl": "jsonl",
    ".json": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
}
_MANY = 20  # lines of a paragraph that is most of the text: too many for a document among others


@dataclass(frozen=True, kw_only=True)
class FileSource(Fields):
    """Documents of local files.

    Attributes:
        paths: A file, a glob pattern, or several of them; read in this order, the matches of a pattern sorted, each
            file once, under whatever names it is met.
        format: "text" (a document is a paragraph: lines up to a blank one), "lines" (a document is a line), "jsonl",
            "csv" (with a header; tabs in .tsv files, where a quote is text), "parquet", "conll" (a document is a
            sentence of tagged words, a word and its tag a line), or "auto" by suffix, which does not tell the last. A
            further .gz is fine.
    """

    paths: str | Sequence[str]
    format: Format

    def fingerprint(self) -> str:
        """sha256 of the files' bytes and the options; the paths do not matter."""
        read = [[files.digest(path), self._format(path), rows.has_tabs(path)] for path in self.files]
        return sha256_of("file", _READER, read, self.options())

    def documents(self) -> Iterator[Document]:
        """The documents of all files.

        Raises:
            ConfigError: A file is missing or unreadable, a field is missing, there is no document at all, or one
                paragraph without a blank line is most of the text.
        """
        return self.read(Tally())

    def read(self, tally: Tally) -> Iterator[Document]:
        """The same, with a tally of what is passed over."""
        count = characters = 0
        longest, where = "", Path()
        for path in self.files:
            form = self._format(path)
            for document in self._documents(path, form, tally):
                count += 1
                characters += len(document.text)
                if form == "text" and len(document.text) > len(longest):
                    longest, where = document.text, path
                yield document
        if not count:
            raise ConfigError(f"paths: no document in {_listed(self.files)}{_passed_over(tally)}")
        lines = longest.count("\n") + 1
        if (lines > 1 and count == 1) or (lines >= _MANY and len(longest) > characters / 2):
            raise ConfigError(
                f"paths: {where} has {lines:,} lines without a blank one between, which are one document; set format: "
                "lines where a line is a document, or put a blank line between two documents"
            )

    @cached_property
    def files(self) -> list[Path]:
        """The files that are read."""
        return files.found([self.paths] if isinstance(self.paths, str) else self.paths)

    def _format(self, path: Path) -> str:
        if self.format != "auto":
            return self.format
        suffix = Path(path.stem if is_packed(path) else path.name).suffix.lower()
        if suffix not in _SUFFIXES:
            formats = ", ".join(get_args(Format)[1:])
            raise ConfigError(f"format: the name of {path} does not tell; set it to one of {formats}")
        return _SUFFIXES[suffix]

    def _documents(self, path: Path, form: str, tally: Tally) -> Iterator[Document]:
        if form in ("text", "lines", "conll"):
            self._check_without_fields(path, form)
            yield from guarded(path, _plain_documents(path, form, tally))
            return
        for number, row in guarded(path, self._rows(path, form)):
            picked = self.pick(row, f"{path}, {'row' if form == 'parquet' else 'line'} {number}", tally)
            if picked is not None:
                yield picked

    def _check_without_fields(self, path: Path, form: str) -> None:
        fields = self.options() != Fields(text_field="text", label_field=None, group_field=None, where={}).options()
        if fields:
            name = self.label_field or self.group_field or next(iter(self.where), self.text_field)
            raise ConfigError(f"format: {path} is read as {form}, which has no fields such as {name!r}")

    def _rows(self, path: Path, form: str) -> Iterator[tuple[int, dict[str, Any]]]:
        if form == "parquet":
            self.check(rows.parquet_names(path), str(path))
            known = {name: found for name, found in rows.parquet_classes(path).items() if name in self.names()}
            for number, row in rows.parquet_rows(path, self.names()):
                yield number, class_labels.named(row, known, f"{path}, row {number}")
        else:
            yield from self._json_rows(path) if form == "jsonl" else rows.csv_rows(path)

    def _json_rows(self, path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
        """Rows in which a field that is left out is null, as exports have it; no field is left out everywhere."""
        nulls: dict[str, Any] = dict.fromkeys(self.names())
        missing, first = set(nulls), None
        for number, row in rows.json_rows(path):
            first = first or (number, row)
            missing.difference_update(row)
            yield number, row if nulls.keys() <= row.keys() else nulls | row
        if first and missing:
            self.check([name for name in first[1] if name not in missing], f"{path}, line {first[0]} or any other")


def _plain_documents(path: Path, form: str, tally: Tally) -> Iterator[Document]:
    """The documents of a format without fields."""
    if form == "conll":
        for words, tags in readers.tagged_sentences(path):
            yield Document(" ".join(words), label=" ".join(tags), tagged=True)
        return
    for text in readers.paragraphs(path) if form == "text" else readers.lines(path):
        tally.unbroken += "\n" in text
        yield Document(text)


@dataclass(frozen=True, kw_only=True)
class DatasetSource(Fields):
    """Documents of a `datasets` directory (`save_to_disk`), or of a data set on the hub when online.

    Attributes:
        path: The directory, or the hub name.
        split: Which split of it; None: "train", and the whole of a directory that has no splits.
        config_name: Which configuration of it, for hub names that have several.
    """

    path: str
    split: str | None
    config_name: str | None

    def fingerprint(self) -> str:
        """sha256 of the rows that are read, as Arrow holds them, of their features and of the options.

        Where the data set lies, which split it is and how its rows were selected does not matter beyond that.
        """
        place = f"{self.path} ({self.split or loading.TRAIN})"
        self.check(self._dataset.column_names, place)
        read = self._dataset.select_columns(self.names())
        features = {name: repr(feature) for name, feature in sorted(read.features.items())}
        return sha256_of("dataset", _READER, loading.arrow_sha256(read, place), features, self.options())

    def documents(self) -> Iterator[Document]:
        """The documents of the split; class labels by name.

        Raises:
            ConfigError: A field is missing, or there is no document at all.
        """
        return self.read(Tally())

    def read(self, tally: Tally) -> Iterator[Document]:
        """The same, with a tally of what is passed over."""
        place = f"{self.path} ({self.split or loading.TRAIN})"
        self.check(self._dataset.column_names, place)
        columns = self._dataset.select_columns(self.names())
        names = {name: class_labels.names_of(feature) for name, feature in columns.features.items()}
        known = {name: found for name, found in names.items() if found is not None}
        where = {name: class_labels.name_wanted(value, known.get(name)) for name, value in self.where.items()}
        fields = replace(self, where=where)
        empty = True
        for number, row in enumerate(loading.rows(columns, place), 1):
            at = f"{place}, row {number}"
            picked = fields.pick(class_labels.named(row, known, at), at, tally)
            if picked is not None:
                empty = False
                yield picked
        if empty:
            raise ConfigError(f"path: no document in {place}{_passed_over(tally)}")

    @cached_property
    def _dataset(self) -> Any:
        return loading.load(self.path, self.split, self.config_name)


def _listed(paths: Sequence[Path]) -> str:
    more = f" and {len(paths) - 3} more files" if len(paths) > 3 else ""
    return ", ".join(map(str, paths[:3])) + more


def _passed_over(tally: Tally) -> str:
    """Why there is none, in brackets."""
    found = {"left out by where": tally.filtered, "without text": tally.without_text}
    reasons = [f"{count:,} {what}" for what, count in found.items() if count]
    return f" ({', '.join(reasons)})" if reasons else ""
