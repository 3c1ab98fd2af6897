"""Lines of text files: what is damaged, endless or no text is one line with the file."""

import gzip
import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_sources import files

from curriculum_rl.errors import ConfigError
from curriculum_rl.text import fields, lines, readers

_BYTES = st.binary(max_size=60) | st.text('{}[]":,\tO\r\n text-B\0').map(str.encode)
FORMATS = ["text", "lines", "jsonl", "csv", "conll"]


def _refused(path: Path, form: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        list(files(path, format=form).documents())
    assert str(path) in str(caught.value) and "\n" not in str(caught.value) and len(str(caught.value)) < 400


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff\xfet\0e\0x\0t\0\n\0", "line 1 (holds NUL|is not UTF-8)"),
        (b"t\0e\0x\0t\0\n\0", "line 1 holds NUL characters"),
        (b"text\xe9\n", r"line 1 is not UTF-8 \(byte 0xe9\)"),
        (b"\x80\n", r"line 1 is not UTF-8 \(byte 0x80\)"),
        (b"\x1f\x8b\x08", "line 1 (is not UTF-8|holds NUL)"),
    ],
)
def test_what_is_no_text(tmp_path: Path, form: str, content: bytes, said: str) -> None:
    (tmp_path / "a").write_bytes(content)
    _refused(tmp_path / "a", form, said)


def test_the_line_of_a_byte_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"fine\n" * 5_000 + b"caf\xe9\n" + b"fine\n" * 5_000)
    _refused(tmp_path / "a", "lines", r"line 5001 is not UTF-8 \(byte 0xe9\)")


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("damage", ["cut", "flipped", "head", "checksum", "empty", "plain"])
def test_damaged_gzip(tmp_path: Path, form: str, damage: str) -> None:
    row = {"jsonl": '{"text": "x%d"}', "conll": "x%d\tO"}.get(form, "x%d")
    head = "text\n" if form == "csv" else ""
    whole = bytearray(gzip.compress((head + "".join(f"{row % n}\n" for n in range(3_000))).encode()))
    if damage == "flipped":
        whole[len(whole) // 2] ^= 0xFF
        whole[len(whole) // 2 + 1] ^= 0xFF
    elif damage == "head":
        whole[10:40] = b"\xff" * 30  # a block of no type: zlib.error
    elif damage == "checksum":
        whole[-8] ^= 1
    content = {"cut": whole[: len(whole) // 2], "empty": whole[:10], "plain": bytearray(b"x" * 100)}.get(damage, whole)
    (tmp_path / "a.gz").write_bytes(content)
    _refused(tmp_path / "a.gz", form, "paths: ")


def test_zlib_has_an_error_of_its_own() -> None:
    assert not issubclass(zlib.error, OSError | ValueError) and zlib.error in lines._DAMAGED


@pytest.mark.parametrize("form", FORMATS)
def test_a_line_without_end(tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (lines, readers, fields):
        monkeypatch.setattr(module, "LONGEST", 1_000)
    (tmp_path / "a").write_text("x" * 2_000)
    (tmp_path / "b.gz").write_bytes(gzip.compress(b"x" * 2_000))
    for name in ("a", "b.gz"):
        _refused(tmp_path / name, form, "line 1 has more than 1,000 characters")


def test_texts_that_are_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (readers, fields):
        monkeypatch.setattr(module, "LONGEST", 1_000)
    (tmp_path / "a.txt").write_text("some words\n" * 200)
    _refused(tmp_path / "a.txt", "text", "line 91: more than 1,000 characters .* set format: lines")
    (tmp_path / "a.csv").write_text('text\n"' + "some words\n" * 200 + '"\n')
    _refused(tmp_path / "a.csv", "csv", "text_field: 2,200 characters, a document has at most 1,000, in .* line 2")


@pytest.mark.parametrize("unit", ["a", "\n", "a b c\n\n"])
def test_a_gzip_bomb_is_not_unpacked(tmp_path: Path, unit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "LONGEST", 1 << 20)
    monkeypatch.setattr(lines, "_PACKED", 1 << 18)
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(unit.encode() * (5_000_000 // len(unit))))
    _refused(tmp_path / "a.txt.gz", "lines", "unpacks to more than 100 times its size|line 1 has more than 1,048,576")


@pytest.mark.parametrize("form", [*FORMATS, "parquet"])
@pytest.mark.parametrize("name", ["a.csv", "a.tsv.gz"])
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(content=_BYTES)
def test_any_bytes_are_read_or_refused(tmp_path: Path, form: str, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    try:
        found = list(files(tmp_path / name, format=form).documents())
    except ConfigError as error:
        assert str(tmp_path / name) in str(error) and "\n" not in str(error)
    else:
        assert all(row.text.strip() for row in found) and found


def test_sentences_without_blank_lines(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("word\tO\n" * 10_001)
    _refused(tmp_path / "a", "conll", "line 10001: more than 10,000 words in a sentence; a blank line must follow")
