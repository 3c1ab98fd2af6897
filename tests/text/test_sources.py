"""Sources: every format, every mistake in one line, fingerprints of content."""

import csv
import gzip
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from curriculum_rl.errors import ConfigError
from curriculum_rl.schema.corpora import DatasetCorpus, FilesCorpus
from curriculum_rl.text.documents import Document, Source
from curriculum_rl.text.library import source_of

ROWS: list[dict[str, Any]] = [
    {"text": "first text\r with returns", "label": 1, "genre": "email", "tags": ["a", "b"]},
    {"text": 'second, "text"\nof two lines', "label": 0, "genre": "blog", "tags": ["b"]},
    {"text": "third — ünï", "label": None, "genre": "email", "tags": []},
]
LINES = [row | {"text": row["text"].replace("\n", " ")} for row in ROWS]  # a row of a .tsv file is a line


def files(paths: Any, **options: Any) -> Source:
    """The source of a section whose other settings are the schema's."""
    return source_of(
        FilesCorpus(paths=[str(path) for path in paths] if isinstance(paths, list) else str(paths), **options)
    )


def dataset(path: Path, **options: Any) -> Source:
    return source_of(DatasetCorpus(kind="dataset", path=str(path), **options))


def _jsonl(path: Path) -> Path:
    path.write_bytes("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS).encode())
    return path


def _csv(path: Path) -> Path:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label", "genre"])
        writer.writerows([row["text"], row["label"], row["genre"]] for row in ROWS)
    return path


def _tsv(path: Path) -> Path:
    rows = [["text", "label", "genre"], *([row["text"], row["label"], row["genre"]] for row in LINES)]
    path.write_text("".join("\t".join("" if cell is None else str(cell) for cell in row) + "\r\n" for row in rows))
    return path


def _parquet(path: Path) -> Path:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    parquet.write_table(pyarrow.Table.from_pylist(ROWS), path)
    return path


def _gzipped(path: Path) -> Path:
    plain = _jsonl(path.with_suffix(""))
    path.write_bytes(gzip.compress(plain.read_bytes()))
    return path


WRITERS: dict[str, Callable[[Path], Path]] = {
    "rows.jsonl": _jsonl,
    "rows.csv": _csv,
    "ROWS.TSV": _tsv,
    "rows.parquet": _parquet,
    "rows.jsonl.gz": _gzipped,
}


@pytest.mark.parametrize("name", WRITERS)
def test_every_format_gives_the_same_documents(tmp_path: Path, name: str) -> None:
    source = files(WRITERS[name](tmp_path / name), label_field="label", group_field="genre")
    documents = list(source.documents())
    assert [row.text for row in documents] == [row["text"] for row in (LINES if name == "ROWS.TSV" else ROWS)]
    assert [row.group for row in documents] == ["email", "blog", "email"]
    assert [row.label for row in documents] == ["1", "0", None]
    selected = files(tmp_path / name, where={"genre": "email", "label": 1})
    assert [row.text for row in selected.documents()] == [ROWS[0]["text"]]


def test_where_looks_into_lists(tmp_path: Path) -> None:
    source = files(_jsonl(tmp_path / "a.jsonl"), where={"tags": "b"})
    assert [row.text for row in source.documents()] == [ROWS[0]["text"], ROWS[1]["text"]]


def test_text_files_are_paragraphs_or_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"\n\none\r\n  two\n \t\nthree\n\n\nfour")
    assert [row.text for row in files(path).documents()] == ["one\n  two", "three", "four"]
    assert [row.text for row in files(path, format="lines").documents()] == ["one", "  two", "three", "four"]


def test_lists_of_turns_are_joined(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"turns": [["U", "hi"], ["S", "hello"]]}\n\n{"turns": "\\ud800 half"}\n')
    assert list(files(path, text_field="turns").documents()) == [Document("U hi\nS hello"), Document("? half")]


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_tagged_sentences(tmp_path: Path, suffix: str) -> None:
    def read(lines: str) -> list[Document]:
        (tmp_path / f"a{suffix}").write_bytes(gzip.compress(lines.encode()) if suffix else lines.encode())
        return list(files(tmp_path / f"a{suffix}", format="conll").documents())

    assert read("en:New\tB-LOC\nde:York\tI-LOC\nen:::\tO\n\t\n\nen:en:b\tO\n\nen:the\u00a0x\tO") == [
        Document("New York ::", "", "B-LOC I-LOC O", tagged=True),
        Document("en:b", "", "O", tagged=True),
        Document("the\u00a0x", "", "O", tagged=True),
    ]
    # A language is one only where every token has it.
    assert read("en:New\tB-LOC\nre:view\tO\n:\tO\n\nhttp://x\tO") == [
        Document("en:New re:view :", "", "B-LOC O O", tagged=True),
        Document("http://x", "", "O", tagged=True),
    ]


@pytest.mark.parametrize("line", ["word", "a\tX", "a\tS-PER", "a\tB-", "en:\t", "\tO", "a b\tO", "a\tb\tO"])
def test_lines_that_are_no_tagged_word(tmp_path: Path, line: str) -> None:
    (tmp_path / "a").write_text(f"fine\tO\n\n{line}\n")
    with pytest.raises(ConfigError, match=r"paths: .*a, line 3 is no token<TAB>tag of IOB2") as caught:
        list(files(tmp_path / "a", format="conll").documents())
    assert repr(line) in str(caught.value)


def test_rows_of_words_and_tags(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    options: dict[str, Any] = {"text_field": "words", "label_field": "tags"}
    path.write_text(
        '{"words": ["In", "Rome"], "tags": ["O", "B-LOC"], "id": 7}\n{"words": [], "tags": [], "id": 8}\n'
        '{"words": ["x", "y"], "tags": null, "id": 9}\n'
    )
    assert list(files(path, **options, group_field="id").documents()) == [
        Document("In Rome", "7", "O B-LOC", tagged=True),
        Document("x\ny", "9"),
    ]
    for row, said in (
        ('{"words": ["a", "b"], "tags": ["O"]}', "label_field: 2 words have 1 tags in .* line 1"),
        ('{"words": ["a b"], "tags": ["O"]}', "text_field: 'a b' is no word .* line 1"),
        ('{"words": [""], "tags": ["O"]}', "text_field: '' is no word"),
        ('{"words": ["a"], "tags": ["LOC"]}', "label_field: 'LOC', of the word 'a', is no tag of IOB2 in .* line 1"),
        ('{"words": ["a"], "tags": [3]}', "label_field: 3, of the word 'a', is no tag"),
    ):
        path.write_text(row)
        with pytest.raises(ConfigError, match=said):
            list(files(path, **options).documents())


def test_parquet_and_datasets_of_words_and_tags(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    names = ["O", "B-LOC", "I-LOC"]
    features = {
        "tokens": datasets.Sequence(datasets.Value("string")),
        "tags": datasets.Sequence(datasets.ClassLabel(names=names)),
        "text_tags": datasets.Sequence(datasets.Value("string")),
    }
    rows = {"tokens": [["New", "York"], ["rain"]], "tags": [[1, 2], [0]], "text_tags": [["B-LOC", "I-LOC"], ["O"]]}
    table = datasets.Dataset.from_dict(rows, features=datasets.Features(features))
    table.save_to_disk(str(tmp_path / "set"))
    table.to_parquet(str(tmp_path / "a.parquet"))
    expected = [Document("New York", "", "B-LOC I-LOC", tagged=True), Document("rain", "", "O", tagged=True)]
    for label in ("tags", "text_tags"):
        assert list(dataset(tmp_path / "set", text_field="tokens", label_field=label).documents()) == expected
    parquet = files(tmp_path / "a.parquet", text_field="tokens", label_field="text_tags")
    assert list(parquet.documents()) == expected


def test_several_files_and_patterns_keep_their_order(tmp_path: Path) -> None:
    for name in ("b2.txt", "b1.txt", "a.txt"):
        (tmp_path / name).write_text(name)
    source = files([tmp_path / "b*.txt", str(tmp_path / "a.txt")])
    assert [row.text for row in source.documents()] == ["b1.txt", "b2.txt", "a.txt"]


def test_the_fingerprint_is_content_and_options_not_place(tmp_path: Path) -> None:
    first = _jsonl(tmp_path / "a.jsonl")
    second = Path(shutil.copy(first, tmp_path / "b.jsonl"))
    other = _jsonl(tmp_path / "c.jsonl")
    other.write_text(other.read_text().replace("first", "First"))
    assert files(first).fingerprint() == files(second).fingerprint()
    different = [
        files(first),
        files(other),
        files(first, text_field="genre"),
        files(first, label_field="label"),
        files(first, group_field="genre"),
        files(first, where={"genre": "email"}),
        files(first, format="lines"),
        files([first, second]),
    ]
    assert len({source.fingerprint() for source in different}) == len(different)


def test_mistakes_are_one_line_with_the_key(tmp_path: Path) -> None:
    good, broken, array = _jsonl(tmp_path / "a.jsonl"), tmp_path / "b.jsonl", tmp_path / "c.jsonl"
    broken.write_text('{"text": "fine"}\n{"text": \n')
    array.write_text("[1]\n")
    (tmp_path / "d.txt").write_bytes(b"\xff\xfe broken")
    (tmp_path / "e.txt").write_text(" \n\n")
    (tmp_path / "f.dat").write_text("x")
    (tmp_path / "g.parquet").write_text("not parquet")
    (tmp_path / "h.txt.gz").write_text("not gzip")
    (tmp_path / "i.jsonl").write_text('{"text": {"a": 1}}\n')
    mistakes = [
        (files(tmp_path / "none.txt"), r"paths: no file '.*none.txt'"),
        (files([]), "paths: no file is named"),
        (files(tmp_path), "paths: no file"),
        (files(broken), r"paths: .*b\.jsonl, line 2 is not JSON"),
        (files(array), r"paths: .*c\.jsonl, line 1 is a JSON list"),
        (files(good, text_field="txt"), "text_field: no field 'txt' in .* line 1; its fields are: text, label"),
        (files(good, label_field="class"), "label_field: no field 'class'"),
        (files(good, group_field="id"), "group_field: no field 'id'"),
        (files(good, where={"split": "train"}), "where: no field 'split'"),
        (files(good, where={"genre": "none"}), r"paths: no document in .*a\.jsonl"),
        (files(good, text_field="label"), "text_field: 'label' holds a int, not text"),
        (files(tmp_path / "d.txt"), r"paths: .*d\.txt, line 1 is not UTF-8 .byte 0xff."),
        (files(tmp_path / "e.txt"), r"paths: no document in .*e\.txt"),
        (files(tmp_path / "f.dat"), r"format: the name of .*f\.dat does not tell"),
        (files(tmp_path / "g.parquet"), r"paths: cannot read .*g\.parquet"),
        (files(tmp_path / "h.txt.gz"), r"paths: cannot read .*h\.txt\.gz: Not a gzipped file"),
        (files(tmp_path / "i.jsonl"), "text_field: 'text' holds a dict"),
        (files(tmp_path / "e.txt", label_field="label"), "no fields such as 'label'"),
        (files(tmp_path / "e.txt", format="conll"), r"paths: no document in .*e\.txt"),
        (files(good, format="conll", where={"a": 1}), "read as conll, which has no fields such as 'a'"),
    ]
    for source, message in mistakes:
        with pytest.raises(ConfigError, match=message) as caught:
            list(source.documents())
        assert "\n" not in str(caught.value)
    with pytest.raises(ConfigError, match=r"format: must be 'auto', 'text', .* or 'conll' .got 'xml'"):
        files(good, format="xml")


def test_datasets_directories(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    datasets = pytest.importorskip("datasets")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    features = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["no", "yes"])})
    table = datasets.Dataset.from_dict({"text": ["a", "b", "c"], "label": [1, 0, -1]}, features=features)
    table.save_to_disk(str(tmp_path / "one"))
    datasets.DatasetDict({"train": table, "test": table.select([1])}).save_to_disk(str(tmp_path / "two"))
    expected = [Document("a", "", "yes"), Document("b", "", "no"), Document("c", "", None)]
    assert list(dataset(tmp_path / "one", label_field="label").documents()) == expected
    test = dataset(tmp_path / "two", split="test", label_field="label")
    assert list(test.documents()) == expected[1:2]
    moved = Path(shutil.move(tmp_path / "one", tmp_path / "moved"))
    assert dataset(moved).fingerprint() == dataset(moved).fingerprint() != test.fingerprint()
    for source, message in (
        (dataset(tmp_path / "two", split="dev"), "split: .*two has no split 'dev'"),
        (
            dataset(tmp_path / "two", text_field="body"),
            "text_field: no field 'body' in .*two .train.; its fields",
        ),
        (dataset(tmp_path / "none"), "path: cannot load '.*none', split 'train'"),
    ):
        with pytest.raises(ConfigError, match=message) as caught:
            list(source.documents())
        assert "\n" not in str(caught.value)


def test_real_tagged_sentences(real_data: Path) -> None:
    path = real_data / "wikiann" / "nl" / "train.gz"
    if not path.is_file():
        pytest.skip(f"needs {path}")
    found = list(files(path, format="conll").documents())
    with gzip.open(path, "rt", encoding="utf-8") as file:
        pairs = [line.rstrip("\n").removeprefix("nl:").split("\t") for line in file if line.strip()]
    assert len(found) == 20_000
    assert [word for row in found for word in row.words] == [word for word, _ in pairs]
    assert [tag for row in found for tag in row.tags] == [tag for _, tag in pairs]
    assert found[0].text == "Het zou zijn enige optreden in de hoofdmacht van FC Twente worden ."


def test_real_files(real_data: Path) -> None:
    folder = real_data
    citation = files(f"{folder}/tartan/citation_intent/train.jsonl*", label_field="label", format="jsonl")
    labels = [row.label for row in citation.documents()]
    assert len(labels) == 1_688 and len(set(labels)) == 6
    email = files(f"{folder}/ud_english_ewt/ewt.jsonl.gz", group_field="id", where={"genre": "email"})
    assert 0 < len(list(email.documents())) < 1_174
    turns = files(f"{folder}/sgd/sgd.jsonl.gz", text_field="turns", where={"services": "Hotels_1"})
    assert next(turns.documents()).text.startswith(("U ", "S "))
    assert len(list(files(f"{folder}/tinyshakespeare/input.txt.gz").documents())) == 7_222
    assert len(list(files(f"{folder}/wikitext2/*.txt.gz").documents())) > 1_000
