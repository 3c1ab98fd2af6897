"""Sources: every format, every mistake in one line, fingerprints of content."""

import gzip
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from made_sources import WRITERS, files, written

from curriculum_rl.errors import ConfigError
from curriculum_rl.text.documents import Document, Tally, read
from curriculum_rl.text.splits import SplitSource

ROWS: list[dict[str, Any]] = [
    {"text": "first text\r with returns", "label": 1, "genre": "email", "tags": ["a", "b"]},
    {"text": 'second, "text"\nof two lines', "label": 0, "genre": "blog", "tags": ["b"]},
    {"text": "third — ünï", "label": None, "genre": "email", "tags": []},
]
LINES = [row | {"text": row["text"].replace("\n", " ")} for row in ROWS]  # a row of a .tsv file is a line


def _jsonl(path: Path) -> Path:
    WRITERS["rows.jsonl"](path, ROWS)
    return path


def _gzipped(plain: Path) -> Path:
    path = plain.with_name(f"{plain.name}.gz")
    path.write_bytes(gzip.compress(plain.read_bytes()))
    return path


@pytest.mark.parametrize("name", [*WRITERS, "rows.jsonl.gz"])
def test_every_format_gives_the_same_documents(tmp_path: Path, name: str) -> None:
    wanted = LINES if "tsv" in name else ROWS
    plain = written(tmp_path, name.removesuffix(".gz"), wanted)
    path = _gzipped(plain) if name.endswith(".gz") else plain
    source = files(path, label_field="label", group_field="genre")
    documents = list(source.documents())
    assert [row.text for row in documents] == [row["text"] for row in wanted]
    assert [row.group for row in documents] == ["email", "blog", "email"]
    assert [row.label for row in documents] == ["1", "0", None]
    selected = files(path, where={"genre": "email", "label": 1})
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
        (json.dumps({"words": ["a"] * 10_001, "tags": ["O"] * 10_001}), "text_field: 10,001 words, .* at most 10,000"),
        ('{"words": ["a b"], "tags": ["O"]}', "text_field: 'a b' is no word .* line 1"),
        ('{"words": [""], "tags": ["O"]}', "text_field: '' is no word"),
        ('{"words": ["a"], "tags": ["LOC"]}', "label_field: 'LOC', of the word 'a', is no tag of IOB2 in .* line 1"),
        ('{"words": ["a"], "tags": [3]}', "label_field: 3, of the word 'a', is no tag"),
    ):
        path.write_text(row)
        with pytest.raises(ConfigError, match=said):
            list(files(path, **options).documents())


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
        (
            files(good, text_field="txt"),
            "no field 'txt' in .* line 1 or any other; its fields are: text, label",
        ),
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


BLOCK = "".join(f"line {n} of a book.\n" for n in range(30))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    "contents",
    [
        [BLOCK],
        [f"{BLOCK} \t\n\n"],
        [f"\n\n{BLOCK}"],
        [f"A title\n\n{BLOCK}"],
        [BLOCK, "a short note\n"],
        ["two lines\nare all\n"],
    ],
)
def test_a_text_file_without_blank_lines_is_no_text_of_paragraphs(
    tmp_path: Path, contents: list[str], end: str
) -> None:
    for n, content in enumerate(contents):
        (tmp_path / f"{n}.txt").write_bytes(content.replace("\n", end).encode())
    with pytest.raises(ConfigError, match=r"paths: .*0\.txt has \d+ lines without a blank one .* set format: lines"):
        list(files(tmp_path / "*.txt").documents())
    lines = sum(bool(line.strip()) for content in contents for line in content.split("\n"))
    assert len(list(files(tmp_path / "*.txt", format="lines").documents())) == lines


def test_a_document_of_many_lines_among_others_is_fine(tmp_path: Path) -> None:
    for n in range(3):
        (tmp_path / f"{n}.txt").write_text(BLOCK)
    assert len(list(files(tmp_path / "*.txt").documents())) == 3
    (tmp_path / "a.txt").write_text("one line")
    assert len(list(files(tmp_path / "a.txt").documents())) == 1


def test_a_part_that_few_files_cannot_fill_is_explained(tmp_path: Path) -> None:
    for n in range(2):
        (tmp_path / f"{n}.txt").write_text(BLOCK.replace("book", f"book {n}"))
    source = SplitSource(files(tmp_path / "*.txt"), {"train": 0.95, "heldout": 0.05})
    with pytest.raises(ConfigError, match=r"part 'heldout' has no document .*; set format: lines"):
        source.documents("heldout")


@pytest.mark.parametrize("form", ["text", "lines", "conll"])
@pytest.mark.parametrize(
    "setting", [{"text_field": "x"}, {"label_field": "x"}, {"group_field": "x"}, {"where": {"x": 1}}]
)
def test_fields_where_there_are_none_are_refused(tmp_path: Path, form: str, setting: dict[str, Any]) -> None:
    (tmp_path / "a").write_text("word\tO\n")
    with pytest.raises(ConfigError, match=f"read as {form}, which has no fields such as 'x'"):
        list(files(tmp_path / "a", format=form, **setting).documents())


def test_nothing_is_left_and_why(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": null, "x": 1}\n{"text": "a", "x": 2}\n{"text": "b", "x": 2}\n')
    with pytest.raises(ConfigError, match=r"no document in .*a\.jsonl \(2 left out by where, 1 without text\)"):
        list(files(path, where={"x": 1}).documents())


def test_a_field_that_some_json_rows_leave_out_is_null_there(tmp_path: Path) -> None:
    rows = [{"text": "a b", "label": "x", "id": 1}, {"text": "c d"}, {"label": "y"}, {"text": "e f", "id": 2}]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    source = files(tmp_path / "rows.jsonl", label_field="label", group_field="id")
    found = [(row.text, row.label, row.group) for row in source.documents()]
    assert found == [("a b", "x", "1"), ("c d", None, ""), ("e f", None, "2")]
    filtered = files(tmp_path / "rows.jsonl", where={"label": "x"})
    assert [row.text for row in filtered.documents()] == ["a b"]
    tally = Tally()
    assert len(list(read(source, tally))) == 3 and tally.without_text == 1
