"""Rows with fields: what is written in any format is read back; what is no row is refused by file and line."""

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_sources import WRITERS, files, written

from curriculum_rl.errors import ConfigError
from curriculum_rl.text import rows as rows_
from curriculum_rl.text.documents import Document, Tally, read
from curriculum_rl.text.values import spelled

_LINES = st.characters(codec="utf-8", exclude_characters="\0\t\r\n\ufeff")
_TEXTS = st.text(st.one_of(st.sampled_from('" \'",;'), _LINES), min_size=1, max_size=12)
_ROWS = st.lists(
    st.fixed_dictionaries({"text": _TEXTS, "label": st.none() | _TEXTS, "group": st.none() | st.integers(0, 3)}),
    min_size=1,
    max_size=6,
)


@pytest.mark.parametrize("name", WRITERS)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(rows=_ROWS)
def test_any_rows_are_read_back(tmp_path: Path, name: str, rows: list[dict[str, Any]]) -> None:
    rows = [*rows, {"text": "the last one", "label": "last", "group": 1}]
    path = written(tmp_path, name, rows)
    tally = Tally()
    found = list(read(files(path, label_field="label", group_field="group"), tally))
    kept = [row for row in rows if row["text"].strip()]
    assert found == [Document(row["text"], spelled(row["group"]) or "", spelled(row["label"])) for row in kept]
    assert tally.without_text == len(rows) - len(kept)


@pytest.mark.parametrize("name", WRITERS)
def test_labels_and_groups_are_the_same_in_every_format(tmp_path: Path, name: str) -> None:
    """A whole-number column with a gap is one of floats wherever a column has one type; CSV has text alone."""
    labels = [1.0, None, 0.0, 1.0]
    rows = [{"text": f"text {n}", "label": label, "flag": n % 2 == 0} for n, label in enumerate(labels)]
    path = written(tmp_path, name, rows)
    found = list(files(path, label_field="label", group_field="flag").documents())
    assert [row.label for row in found] == ["1", None, "0", "1"]
    assert [row.group for row in found] == ["true", "false", "true", "false"]
    for where in ({"label": 1}, {"label": "1"}, {"label": "1.0"}):
        assert [row.text for row in files(path, where=where).documents()] == ["text 0", "text 3"]
    for wanted in (True, "true", "True"):
        assert [row.text for row in files(path, where={"flag": wanted}).documents()] == ["text 0", "text 2"]
    assert [row.text for row in files(path, where={"label": ""}).documents()] == ["text 1"]


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.parquet"])
def test_nan_is_no_text_no_label_and_no_group(tmp_path: Path, name: str) -> None:
    rows = [{"text": f"t{n}", "label": value, "group": value} for n, value in enumerate([math.nan, 2.0])]
    path = written(tmp_path, name, rows)
    found = list(files(path, label_field="label", group_field="group").documents())
    assert found == [Document("t0"), Document("t1", "2", "2")]
    path = written(tmp_path, name, [{"text": None}, {"text": " "}, {"text": "x"}])
    tally = Tally()
    assert list(read(files(path), tally)) == [Document("x")] and tally == Tally(without_text=2)


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.parquet"])
@pytest.mark.parametrize("key", ["label_field", "group_field"])
@pytest.mark.parametrize("value", [[1], ["a", "b"], [], {"a": 1}])
def test_lists_and_objects_are_no_label_and_no_group(tmp_path: Path, name: str, key: str, value: Any) -> None:
    path = written(tmp_path, name, [{"text": "a", "x": value}])
    with pytest.raises(ConfigError, match=rf"{key}: must name a field of single values .a .* (line|row) 1"):
        list(files(path, **{key: "x"}).documents())


def test_quotes_in_tsv_are_text(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text('text\tlabel\n"\ta\n5" of snow\tb\n"whole"\ta\nlast\tb\n')
    found = list(files(tmp_path / "a.tsv", label_field="label").documents())
    assert [(row.text, row.label) for row in found] == [
        ('"', "a"),
        ('5" of snow', "b"),
        ('"whole"', "a"),
        ("last", "b"),
    ]


MANY = ",".join(f"f\x1b[3{n}m" for n in range(900))
LONG = '"a field,\n\nof ""many""\nlines"'


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", f"text,label\n{LONG},1\nshort\n", r"line 6: 1 fields under a header of 2"),
        ("a.csv", "text,label\na,1\nb,1,\n", "line 3: 3 fields under a header of 2"),
        ("a.tsv", "text\tlabel\na\t1\n\nb\n", "line 4: 1 fields under a header of 2"),
        ("a.tsv", "text\tlabel\na\tb\t1\n", "line 2: 3 fields under a header of 2"),
        ("a.csv", "text,label,text\na,1,b\n", "line 1 has two fields of the name 'text'"),
        ("a.tsv", "x\ttext\tx\na\tb\tc\n", "line 1 has two fields of the name 'x'"),
        ("a.csv", 'text,label\na,1\n"b,1\n' + "c,0\n" * 50, "line 3: a quoted field has no end"),
        ("a.csv", 'text,label\n"b"c,1\n', "line 2: .*expected after"),
        ("a.jsonl", '{"text": "a"}\n{"text": "a", "text": "b"}', "line 2 .* two fields of the name 'text'"),
        ("a.jsonl", "[\n", "line 1 is a JSON list, or begins one; rows must be JSON objects, one a line"),
        ("a.json", ' [{"text": "a"}, {"text": "b"}]', "line 1 is a JSON list, or begins one"),
        ("a.json", '{\n "text": "a"\n}', "line 1 is not JSON, one object a line: .*, character"),
        ("a.jsonl", '{"text": "a", "n": ' + "[" * 5000 + "]" * 5000 + "}", "line 1 .* too deep"),
        ("a.jsonl", '{"text": ' + "[" * 500 + "]" * 500 + "}", "text_field: 'text' holds a list, not text"),
        ("a.jsonl", '{"text": "a", "n": ' + "9" * 5000 + "}", "line 1 is not read: .* digits"),
        ("a.csv", f"{MANY}\n{',' * 899}", r"its fields are: f\\x1b.* and 880 more"),
        ("a.jsonl", '"text"', "line 1 is a JSON str, not an object"),
        ("a.jsonl", '{"text": 5}', "text_field: 'text' holds a int, not text, in .* line 1"),
        ("a.jsonl", '{"text": true}', "text_field: 'text' holds a bool"),
        ("a.jsonl", '{"te\0xt": 1}', "line 1 holds NUL"),
        ("a.csv", "text\na\0b\n", "line 2 holds NUL"),
    ],
)
def test_what_is_no_row(tmp_path: Path, name: str, content: str, said: str) -> None:
    (tmp_path / name).write_bytes(content.encode())
    with pytest.raises(ConfigError, match=said) as caught:
        list(files(tmp_path / name).documents())
    assert str(tmp_path / name) in str(caught.value) and "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600 and str(caught.value).isprintable()


def test_a_long_quoted_field_of_many_lines_is_fine(tmp_path: Path) -> None:
    text = "\n".join(f'line {n}, "quoted"' for n in range(20_000))
    path = written(tmp_path, "rows.csv", [{"text": text, "label": 1}, {"text": "b", "label": 2}])
    assert [row.text for row in files(path).documents()] == [text, "b"]


def test_fields_of_parquet_of_one_name(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    table = pyarrow.table([pyarrow.array(["a"]), pyarrow.array(["b"])], names=["text", "text"])
    parquet.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(ConfigError, match=r"a\.parquet has two fields of the name 'text'"):
        list(files(tmp_path / "a.parquet").documents())


def test_few_rows_that_fill_memory_are_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows_, "_ROW_GROUP", 1 << 20)
    path = written(tmp_path, "rows.parquet", [{"text": "ab" * 100_000 + str(n)} for n in range(10)])
    with pytest.raises(ConfigError, match=r"rows\.parquet: row group 0 has 1 MiB in 10 rows; write smaller ones"):
        list(files(path).documents())
    path = written(tmp_path, "rows.parquet", [{"text": f"{n} " * 10} for n in range(100_000)])
    assert len(list(files(path).documents())) == 100_000


@pytest.mark.parametrize("at", [0.02, 0.3, 0.6, 0.98])
def test_damaged_parquet_is_one_line(tmp_path: Path, at: float) -> None:
    rows = [{"text": f"text {n} " * 5, "label": n} for n in range(200)]
    path = written(tmp_path, "rows.parquet", rows)
    content = bytearray(path.read_bytes())
    begin = int(at * len(content))
    content[begin : begin + 64] = b"\xff" * 64
    path.write_bytes(content)
    try:
        found = list(files(path, label_field="label").documents())
    except ConfigError as error:
        assert str(path) in str(error) and "\n" not in str(error)
    else:  # what was hit is not read
        assert [row.label for row in found] == [str(n) for n in range(200)]


def test_the_label_of_a_row_without_text_does_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": null, "label": [1]}\n{"text": "x", "label": 1}')
    assert list(files(path, label_field="label").documents()) == [Document("x", "", "1")]
