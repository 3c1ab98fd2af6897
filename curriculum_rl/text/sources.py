"""Where documents come from: text, JSON lines, CSV and Parquet files, and Hugging Face `datasets`."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, get_args

from curriculum_rl.errors import ConfigError
from curriculum_rl.schema.corpora import Format
from curriculum_rl.text import readers
from curriculum_rl.text.cache import file_sha256
from curriculum_rl.text.documents import Document, sha256_of
from curriculum_rl.text.fields import Fields

_READER = 2  # version of the readers below; a change makes every cached corpus stale
_ROWS_AT_ONCE = 10_000  # of a data set, hashed together
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


@dataclass(frozen=True, kw_only=True)
class FileSource(Fields):
    """Documents of local files.

    Attributes:
        paths: A file, a glob pattern, or several of them; read in this order, the matches of a pattern sorted.
        format: "text" (a document is a paragraph: lines up to a blank one), "lines" (a document is a line), "jsonl",
            "csv" (with a header; tabs in .tsv files), "parquet", "conll" (a document is a sentence of tagged words, a
            word and its tag a line), or "auto" by suffix, which does not tell the last. A further .gz is fine.
    """

    paths: str | Sequence[str]
    format: Format

    def fingerprint(self) -> str:
        """sha256 of the files' bytes and the options; the paths do not matter."""
        files = [[file_sha256(path), self._format(path), ".tsv" in path.suffixes] for path in self._files]
        return sha256_of("file", _READER, files, self.options())

    def documents(self) -> Iterator[Document]:
        """The documents of all files.

        Raises:
            ConfigError: A file is missing or unreadable, a field is missing, or there is no document at all.
        """
        empty = True
        for path in self._files:
            for document in self._documents(path):
                empty = False
                yield document
        if empty:
            raise ConfigError(f"paths: no document in {', '.join(map(str, self._files))}")

    @cached_property
    def _files(self) -> list[Path]:
        patterns = [self.paths] if isinstance(self.paths, str) else self.paths
        files: list[Path] = []
        for path in (Path(pattern).expanduser() for pattern in patterns):
            matches = [path] if path.exists() else sorted(Path(path.anchor).glob(str(path.relative_to(path.anchor))))
            found = [match for match in matches if match.is_file()]
            if not found:
                raise ConfigError(f"paths: no file {str(path)!r}")
            files += found
        if not files:
            raise ConfigError("paths: no file is named")
        return files

    def _format(self, path: Path) -> str:
        if self.format != "auto":
            return self.format
        suffix = Path(path.name.removesuffix(".gz")).suffix.lower()
        if suffix not in _SUFFIXES:
            formats = ", ".join(get_args(Format)[1:])
            raise ConfigError(f"format: the name of {path} does not tell; set it to one of {formats}")
        return _SUFFIXES[suffix]

    def _documents(self, path: Path) -> Iterator[Document]:
        form = self._format(path)
        if form in ("text", "lines", "conll"):
            self._check_without_fields(path, form)
            yield from readers.guarded(path, _plain_documents(path, form))
            return
        for number, row in readers.guarded(path, self._rows(path, form)):
            picked = self.pick(row, f"{path}, {'row' if form == 'parquet' else 'line'} {number}")
            if picked is not None:
                yield picked

    def _check_without_fields(self, path: Path, form: str) -> None:
        if self.label_field or self.group_field or self.where:
            name = self.label_field or self.group_field or next(iter(self.where))
            raise ConfigError(f"format: {path} is read as {form}, which has no fields such as {name!r}")

    def _rows(self, path: Path, form: str) -> Iterator[tuple[int, dict[str, Any]]]:
        if form == "parquet":
            self.check(readers.parquet_names(path), str(path))
            yield from readers.parquet_rows(path, self.names())
        else:
            yield from readers.json_rows(path) if form == "jsonl" else readers.csv_rows(path)


def _plain_documents(path: Path, form: str) -> Iterator[Document]:
    """The documents of a format without fields."""
    if form == "conll":
        for words, tags in readers.tagged_sentences(path):
            yield Document(" ".join(words), label=" ".join(tags), tagged=True)
    else:
        yield from map(Document, readers.paragraphs(path) if form == "text" else readers.lines(path))


@dataclass(frozen=True, kw_only=True)
class DatasetSource(Fields):
    """Documents of a `datasets` directory (`save_to_disk`), or of a data set on the hub when online.

    Attributes:
        path: The directory, or the hub name.
        split: Which split of it.
        config_name: Which configuration of it, for hub names that have several.
    """

    path: str
    split: str
    config_name: str | None

    def fingerprint(self) -> str:
        """sha256 of the rows that are read, as Arrow holds them, of their features and of the options.

        Where the data set lies, which split it is and how its rows were selected does not matter beyond that.
        """
        place = f"{self.path} ({self.split})"
        self.check(self._dataset.column_names, place)
        read = self._dataset.select_columns(self.names())
        features = {name: repr(feature) for name, feature in sorted(read.features.items())}
        return sha256_of("dataset", _READER, _arrow_sha256(read), features, self.options())

    def documents(self) -> Iterator[Document]:
        """The documents of the split; class labels by name.

        Raises:
            ConfigError: A field is missing, or there is no document at all.
        """
        place = f"{self.path} ({self.split})"
        self.check(self._dataset.column_names, place)
        feature = self._dataset.features.get(self.label_field)
        classes = getattr(feature, "names", None)
        tags = getattr(getattr(feature, "feature", None), "names", None)  # of a list of class labels
        empty = True
        for row in self._dataset.select_columns(self.names()):
            if tags is not None and row[self.label_field] is not None:
                row[self.label_field] = [tags[tag] for tag in row[self.label_field]]
            picked = self.pick(row, place)
            if picked is None:
                continue
            empty = False
            if classes is not None and picked.label is not None:
                number = int(picked.label)  # -1 marks unlabelled rows, as in hub test sets
                picked = replace(picked, label=classes[number] if number >= 0 else None)
            yield picked
        if empty:
            raise ConfigError(f"path: no document in {place}")

    @cached_property
    def _dataset(self) -> Any:
        import datasets  # seconds to import, and only this source needs it

        path = Path(self.path).expanduser()
        try:
            if (path / "dataset_dict.json").is_file():
                return datasets.load_from_disk(str(path))[self.split]
            if (path / "state.json").is_file():
                return datasets.load_from_disk(str(path))
            return datasets.load_dataset(self.path, self.config_name, split=self.split)
        except KeyError as error:
            raise ConfigError(f"split: {path} has no split {self.split!r}") from error
        except (OSError, ValueError) as error:
            reason = str(error).strip().split("\n")[0]
            raise ConfigError(f"path: cannot load {self.path!r}, split {self.split!r}: {reason}") from error


def _arrow_sha256(dataset: Any) -> str:
    """sha256 of a data set's rows in their order, as a stream of Arrow that holds no other rows of its files."""
    import pyarrow  # type: ignore[import-untyped]

    digest = hashlib.sha256()
    for batch in dataset.with_format("arrow").iter(_ROWS_AT_ONCE):
        sink = pyarrow.BufferOutputStream()
        with pyarrow.ipc.new_stream(sink, batch.schema.remove_metadata()) as stream:
            stream.write_table(batch.replace_schema_metadata().combine_chunks())
        digest.update(sink.getvalue())
    return digest.hexdigest()
