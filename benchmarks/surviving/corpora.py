"""Strange corpora: files of every format with odd rows in them, and damaged ones; and a few of great size."""

import csv
import gzip
import io
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from curriculum_rl.testing.problems import SEA, sentences, write_texts
from surviving.commands import Commands
from surviving.files import environment, fuzzing
from surviving.verdicts import Verdict, judge

FORMATS = ("text", "lines", "jsonl", "csv", "tsv", "parquet", "conll")
_TEXT = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        ("", " ", "\n", "\n\n", "\t", '"', '""', "'", ",", "\r\n", "\x00", "\x1a", "\u2028", "\ufeff", "[CLS]")
    ),
    st.sampled_from(("null", "NaN", "nan", "None", "1", "1.0", "true", "-1", "a" * 3000, "\U0001f600", "e\u0301")),
)
_VALUE = st.one_of(
    _TEXT, st.none(), st.booleans(), st.integers(-2, 2), st.floats(), st.lists(_TEXT, max_size=2), st.just({"a": 1})
)


@st.composite
def corpus_files(draw: st.DrawFn) -> tuple[str, bytes]:
    """A format and the bytes of a file of it: sound rows, among them odd ones, and perhaps damaged as a whole."""
    form = draw(st.sampled_from(FORMATS))
    sound = sentences(SEA, 150, draw(st.integers(0, 3)))
    label = draw(st.sampled_from((None, "text", "number", "truth")))
    rows: list[dict[str, Any]] = [{"text": text, **_labelled(n, label)} for n, text in enumerate(sound)]
    for odd in draw(st.lists(st.dictionaries(st.sampled_from(("text", "label", "id", "other")), _VALUE), max_size=5)):
        rows.insert(draw(st.integers(0, len(rows))), odd)
    data = WRITERS[form](rows)
    how = draw(st.sampled_from(("whole", "whole", "scribbled", "cut", "twice", "utf-16", "crlf", "gzip", "gzip-cut")))
    return form + (".gz" if how.startswith("gzip") else ""), _damaged(draw, data, how)


def _labelled(n: int, kind: str | None) -> dict[str, Any]:
    values = {"text": ("bright", "dark"), "number": (0, 1), "truth": (True, False)}
    return {"label": values[kind][n % 2], "id": n // 2} if kind else {}


def _damaged(draw: st.DrawFn, data: bytes, how: str) -> bytes:
    at = draw(st.integers(0, len(data)))
    if how == "scribbled":
        return data[:at] + draw(st.binary(min_size=1, max_size=6)) + data[at + draw(st.integers(0, 3)) :]
    if how == "utf-16":
        return data.decode("utf-8", errors="replace").encode("utf-16")
    if how.startswith("gzip"):
        packed = gzip.compress(data)
        return packed[: draw(st.integers(0, len(packed)))] if how == "gzip-cut" else packed
    return {"cut": data[:at], "twice": data + data[at:], "crlf": data.replace(b"\n", b"\r\n")}.get(how, data)


def _text(end: str) -> Callable[[list[dict[str, Any]]], bytes]:
    return lambda rows: end.join(str(row.get("text", "")) for row in rows).encode("utf-8", errors="surrogatepass")


def _jsonl(rows: list[dict[str, Any]]) -> bytes:
    return "\n".join(json.dumps(row) for row in rows).encode()


def _table(dialect: str) -> Callable[[list[dict[str, Any]]], bytes]:
    def write(rows: list[dict[str, Any]]) -> bytes:
        out = io.StringIO()
        writer = csv.DictWriter(out, ["text", "label", "id", "other"], dialect=dialect)
        writer.writeheader()
        writer.writerows(rows)
        return out.getvalue().encode("utf-8", errors="surrogatepass")

    return write


def _parquet(rows: list[dict[str, Any]]) -> bytes:
    import pyarrow
    from pyarrow import parquet

    columns = {name: [row.get(name) for row in rows] for name in ("text", "label", "id")}
    try:
        table = pyarrow.table(columns)
    except (pyarrow.ArrowException, UnicodeError):  # a column of mixed types is none
        table = pyarrow.table({name: [json.dumps(value) for value in column] for name, column in columns.items()})
    sink = io.BytesIO()
    parquet.write_table(table, sink)
    return sink.getvalue()


def _conll(rows: list[dict[str, Any]]) -> bytes:
    lines = []
    for row in rows:
        words = str(row.get("text", "")).split(" ")
        lines += [f"{word}\t{'B-X' if word.startswith('s') else 'O'}" for word in words] + [""]
    return "\n".join(lines).encode("utf-8", errors="surrogatepass")


WRITERS: Mapping[str, Callable[[list[dict[str, Any]]], bytes]] = MappingProxyType({
    "text": _text("\n\n"), "lines": _text("\n"), "jsonl": _jsonl, "csv": _table("excel"), "tsv": _table("excel-tab"),
    "parquet": _parquet, "conll": _conll,
})  # fmt: skip


def _bomb(path: Path) -> None:
    """2 GB of one letter in 2 MB."""
    with gzip.open(path, "wb", compresslevel=9) as file:
        for _ in range(2048):
            file.write(b"a" * (1 << 20))


def _no_blank(path: Path) -> None:
    path.write_bytes(b"abcdefghij" * (2 << 20))


def _one_line(path: Path) -> None:
    """A document of 1 GB, of which the disk holds little: its end alone is written."""
    with path.open("wb") as file:
        file.write(b'{"text": "')
        file.seek(1 << 30)
        file.write(b'"}\n')


def _deep(path: Path) -> None:
    path.write_text('{"text": ' + "[" * 5000 + "]" * 5000 + "}\n")


def _long_number(path: Path) -> None:
    path.write_text('{"text": "a b", "label": ' + "9" * 6000 + "}\n")


GREAT: Mapping[str, tuple[str, Callable[[Path], None]]] = MappingProxyType({
    "gzip bomb": ("bomb.txt.gz", _bomb),
    "20 MB without a blank": ("wide.txt", _no_blank),
    "one row of 1 GB": ("row.jsonl", _one_line),
    "one line of 1 GB": ("line.txt", _one_line),
    "nesting of 5,000": ("deep.jsonl", _deep),
    "number of 6,000 digits": ("number.jsonl", _long_number),
})  # fmt: skip


class Tries:
    """Runs over an environment one of whose corpora is a strange file."""

    def __init__(self, commands: Commands, folder: Path) -> None:
        self._commands, self._folder = commands, folder
        folder.mkdir(parents=True, exist_ok=True)
        write_texts(folder)
        self._sound = environment(folder)

    def bytes(self, form: str, data: bytes) -> Verdict:
        """Try a file of these bytes."""
        suffix = {"text": "txt", "lines": "txt", "conll": "txt"}.get(form.removesuffix(".gz"), form.removesuffix(".gz"))
        name = f"odd.{suffix}{'.gz' if form.endswith('.gz') else ''}"
        fields = {"format": form.removesuffix(".gz")} if suffix == "txt" else {"format": "auto"}
        if b"label" in data and suffix != "txt":
            fields |= {"label_field": "label", "group_field": "id"}
        return self._try(name, lambda path: path.write_bytes(data), fields)

    def great(self, name: str, **fields: Any) -> Verdict:
        """Try one of `GREAT`."""
        file, write = GREAT[name]
        return self._try(file, write, fields)

    def _try(self, name: str, write: Callable[[Path], Any], fields: Mapping[str, Any]) -> Verdict:
        place = self._folder / "try"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        for text in ("sea.txt", "land.txt", "star.jsonl"):
            (place / text).hardlink_to(self._folder / text)
        write(place / name)
        odd = {"kind": "files", "paths": name, **fields}
        env = {**self._sound, "corpora": {**self._sound["corpora"], "odd": odd}}
        (place / "env.yaml").write_text(yaml.safe_dump(env), encoding="utf-8")
        before = {path.name for path in place.iterdir()}
        typed = ("train", "--env", "env.yaml", "--agent", "random", "--out", "run", "--quiet")
        return judge(self._commands.run(typed, place, limit=120.0), place, before)


def play(commands: Commands, count: int, number: int, folder: Path) -> Iterator[tuple[str, bytes, Verdict]]:
    """Try `count` files, the same for the same number, and say how each was taken."""
    taken: list[tuple[str, bytes, Verdict]] = []
    tries = Tries(commands, folder)

    @settings(**fuzzing(count))
    @seed(number)
    @given(corpus_files())
    def try_one(file: tuple[str, bytes]) -> None:
        taken.append((*file, tries.bytes(*file)))

    try_one()
    yield from taken


def play_great(commands: Commands, folder: Path, names: Sequence[str] = tuple(GREAT)) -> Iterator[tuple[str, Verdict]]:
    """Try files of great size, each as it is and with a cap."""
    tries = Tries(commands, folder)
    for name in names:
        for fields in ({}, {"max_characters": 200_000}):
            yield f"{name}, {'capped' if fields else 'whole'}", tries.great(name, **fields)
