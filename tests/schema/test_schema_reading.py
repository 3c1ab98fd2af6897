"""YAML that anybody may write: read as it was typed, or refused in one line; nothing else, and quickly."""

import json
import math
import time

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from curriculum_rl.errors import ConfigError
from curriculum_rl.schema import files, reading, scalars


def refused(text: str) -> str:
    with pytest.raises(ConfigError) as error:
        reading.read(text, "env: e.yaml")
    message = str(error.value)
    assert "\n" not in message and message.isprintable() and len(message) < 400
    assert message.startswith("env: e.yaml")
    return message


SAME = {
    "text": "text", "y": "y", "1.2.3": "1.2.3", "10.0.0.1:80": "10.0.0.1:80", "my:Class": "my:Class", "nan": "nan",
    "inf": "inf", "true": True, "TRUE": True, "False": False, "~": None, "null": None, "": None, "0": 0, "-7": -7,
    "+7": 7, "0x1F": 31, "2023": 2023, "9223372036854775807": 2**63 - 1, ".5": 0.5, "5.": 5.0, "-1.5": -1.5,
    "1e3": 1000.0, "1e-3": 0.001, "2.5E+2": 250.0, ".inf": math.inf, "-.INF": -math.inf, "'no'": "no", '"2023"': "2023",
    "!!str 2023": "2023", "!!str no": "no",
}  # fmt: skip


@pytest.mark.parametrize("word", SAME)
def test_what_all_readers_take_alike_is_read(word: str) -> None:
    read = reading.read(f"a: {word}", "x").value["a"]
    assert (read, type(read)) == (SAME[word], type(SAME[word]))


OLD = yaml.resolver.Resolver.yaml_implicit_resolvers
BOOLEANS = [form for word in ("yes", "no", "on", "off") for form in (word, word.title(), word.upper())]
NUMBERS = ["0100", "-0100", "00", "089", "0o17", "0b1", "-0x1F", "1_000", "1_0.5", "12:30", "1:30.5", "190:20:30"]
DATES = ["2023-01-01", "2023-99-99", "2001-12-14t21:59:43.10-05:00", "2001-12-14 21:59:43.10 -5"]


@pytest.mark.parametrize("word", [*BOOLEANS, *NUMBERS, *DATES, "="])
def test_what_readers_of_yaml_take_differently_is_refused(word: str) -> None:
    for text, place in ((f"b: 1\na: {word}", "line 2: a: "), (f"a: [x, {word}]", "line 1: a.1: ")):
        message = refused(text)
        assert f"{place}{word} " in message and "quote it" in message
    assert "quote it" in refused(f"{word}: 1")
    assert reading.read(f"'{word}': '{word}'", "x").value == {word: word}


@pytest.mark.parametrize("word", ["2023", "1e3", "true", "~", ".5", ".inf"])
def test_a_key_is_text(word: str) -> None:
    message = refused(f"corpora:\n  {word}: {{paths: a.txt}}")
    assert f"line 2: corpora: the key {word} is " in message and "quote it" in message
    assert reading.read(f"'{word}': 1", "x").value == {word: 1}


@pytest.mark.parametrize("word", [".nan", ".NaN", "1e999", "-1e999", "9223372036854775808", "9" * 5000])
def test_what_no_setting_can_be_is_refused(word: str) -> None:
    assert f"line 1: a: {word[:40]}" in refused(f"a: {word}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\nb: 2\na: 3", "line 3: a: stands there twice, in lines 1 and 3"),
        ("a:\n  b:\n  - c: 1\n    d: 2\n    c: 3", "line 5: a.b.0.c: stands there twice, in lines 3 and 5"),
        ("{a: 1, 'a': 2}", "line 1: a: stands there twice, in lines 1 and 1"),
        ("x: &x {a: 1}\ny:\n  <<: *x\n  b: 1\n  <<: *x", "y.<<: stands there twice, in lines 3 and 5"),
        ('{\n"corpora": {"web": 1,\n"web": 2}}', "line 3: corpora.web: stands there twice, in lines 2 and 3"),
    ],
)
def test_a_key_that_stands_twice_is_named_with_both_lines(text: str, said: str) -> None:
    assert said in refused(text)


def test_merges_and_anchors_are_read() -> None:
    text = "x: &x {a: 1, b: 2}\ny: {<<: *x, b: 3}\nz: {<<: [*x, {a: 5, c: 6}]}\nw: [*x, *x]\n'<<': 4"
    merged = {"a": 1, "b": 3}
    assert reading.read(text, "x").value == {
        "x": {"a": 1, "b": 2}, "y": merged, "z": {"a": 1, "c": 6, "b": 2}, "w": [{"a": 1, "b": 2}] * 2, "<<": 4,
    }  # fmt: skip
    assert list(reading.read(text, "x").value["y"]) == ["a", "b"]
    assert "<< must name a mapping" in refused("a: {<<: 3}")


def laughs(width: int, levels: int) -> str:
    lines = [f"a0: &a0 [{', '.join(['x'] * width)}]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * width)}]" for n in range(1, levels)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (laughs(9, 9), "aliases expand to more than 10000 values"),
        (laughs(2, 40), "aliases expand to more than 10000 values"),
        (laughs(1, 200), "more than 100 lists"),
        ("a: &a [*a]", "line 1: an alias stands inside of what it names"),
        ("a: &a\n  b: {c: *a}", "an alias stands inside of what it names"),
        ("[" * 101 + "]" * 101, "line 1: more than 100 lists"),
        ("[" * 100_000, "line 1: is not YAML: exceeded maximum nesting depth"),
        ("- " * 100_000, "more than 100 lists"),
        ("{a: " * 5000, "more than 100 lists"),
        ("? " * 5000, ""),
    ],
)  # fmt: skip
def test_bombs_and_depth_are_bounded(text: str, said: str) -> None:
    begun = time.perf_counter()
    assert said in refused(text)
    assert time.perf_counter() - begun < 2
    assert reading.read("[" * 100 + "]" * 100, "x").value is not None
    assert reading.read(laughs(9, 4), "x").value["a3"][8][8][8][8] == "x"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", "is not YAML"),
        ("a: 1\nb: \x00", "line 2: is not YAML"),
        ("a:\n\t- b", "line 2: is not YAML"),
        ("a: 'x", "is not YAML"),
        ("%YAML 3.0\n---\na", "line 1: is not YAML"),
        ("a: *b", "line 1: is not YAML"),
        ("a\n---\nb", "line 2: is not YAML"),
        ("a: \ud800", "is not YAML"),
        ("? [a]\n: b", "line 1: a key must be text"),
        ("? {a: b}\n: b", "line 1: a key must be text"),
        ("a: !!python/object/apply:os.system [ls]", "line 1: the tag tag:yaml.org,2002:python/object/apply:os.system"),
        ("!!python/name:os.system ''", "the tag"),
        ("a: !mine {b: 1}", "the tag !mine"),
        ("a: !!binary aGk=", "the tag"),
        ("a: !!set {b}", "the tag"),
        ("a: !!timestamp 2023-99-99", "the tag"),
        (f"a: !{'x' * 5000} 1", "the tag"),
        (f"{'k' * 1000}: no", "kkk..."),
    ],
)
def test_every_error_of_the_parser_is_one_line(text: str, said: str) -> None:
    assert said in refused(text)


def test_what_is_typed_is_remembered_where_the_value_does_not_show_it() -> None:
    text = "a: {b: 1e3, c: 2023, d: ~, e: [0x10]}\n'f.g': TRUE"
    assert reading.read(text, "x").typed == {"a.b": "1e3", "a.d": "~", "a.e.0": "0x10", '"f.g"': "TRUE"}


WORDS = [*SAME, *BOOLEANS, *NUMBERS, *DATES, "=", "<<", ".nan", "9" * 30]


LEAVES = st.sampled_from(WORDS) | st.text() | st.booleans() | st.none() | st.integers() | st.floats(allow_nan=False)


@given(st.recursive(LEAVES, lambda one: st.lists(one) | st.dictionaries(st.sampled_from(WORDS) | st.text(), one)))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_what_is_written_is_read_back(content: object) -> None:
    whole = {"a": content}
    try:
        written = reading.dump(whole)
        assert reading.read(written, "x").value == whole
    except ConfigError as error:  # characters that YAML has no place for, numbers that no setting has
        assert any(word in str(error) for word in ("is not YAML", "larger number", "is no number"))


SIGNS = [*"{}[]:,-?&*!|>'\"%@`#\n\t ~=\\", "\ufeff", "a", "&a ", "*a", "<<: ", "- ", ": ", "\n  ", "---\n", "!!int "]


@given(st.lists(st.sampled_from([*SIGNS, *WORDS]) | st.text(max_size=3), max_size=30).map("".join))
@example("a: &a {<<: *a}")
@settings(max_examples=300, deadline=None, derandomize=True)
def test_nothing_but_the_error_comes_out(text: str) -> None:
    try:
        reading.read(text, "x")
    except ConfigError as error:
        assert "\n" not in str(error)


@given(st.text(alphabet="0123456789+-_.:eExXoObBnNaAiIfFyYsStTrRuUlL~=", max_size=8))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_a_word_is_read_as_by_yaml_1_1_or_refused_but_for_exponents(word: str) -> None:
    try:
        value = scalars.read(word)
        before = yaml.safe_load(f"a: {word}")["a"]
    except (scalars.AmbiguousError, yaml.YAMLError):
        return
    if isinstance(value, float) and isinstance(before, str):
        before = float(before)
    assert value == before or isinstance(before, dict | list)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\xff\xfea\x00", "line 1: is no UTF-8 text (byte 0xff)"),
        (b"a: 1\nb: \xe9", "line 2: is no UTF-8 text (byte 0xe9)"),
        (b"a: " + b"x" * files.BYTES, f"has more than the {files.BYTES} bytes that are read"),
    ],
)
def test_a_file_that_is_no_text(tmp_path, data: bytes, said: str) -> None:
    (tmp_path / "e.yaml").write_bytes(data)
    with pytest.raises(ConfigError) as error:
        files.file_text(tmp_path / "e.yaml", "env: e.yaml")
    assert str(error.value).startswith("env: e.yaml") and said in str(error.value)
    with pytest.raises(ConfigError, match=r"^x cannot be read \(Is a directory\)$"):
        files.file_text(tmp_path, "x")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a": {"b": 1,\n"c": 2, "b": 3}}', r"'b' stands twice in one object (lines 1, 2)"),
        ('{"a": NaN}', "NaN is no number"),
        ('{"a": -Infinity}', "-Infinity is no number"),
        ('{"a": ' + "9" * 5000 + "}", "is no JSON"),
        ("[" * 100_000, "too many levels inside each other"),
        ("", "is no JSON"),
        ("{", "is no JSON"),
    ],
)
def test_json_is_one_line_too(tmp_path, text: str, said: str) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(ConfigError) as error:
        files.read_json(tmp_path / "a.json", "a.json")
    assert said in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["../model.safetensors", "/etc/passwd", "a/b", "..", "", 3])
def test_an_index_names_files_beside_it(tmp_path, name: object) -> None:
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"a": "model-1.safetensors"}}))
    files.check_index(tmp_path, "here")
    index.write_text(json.dumps({"weight_map": {"a": "model-1.safetensors", "b": name}}))
    with pytest.raises(ConfigError, match=r"^here: model\.safetensors\.index\.json names .* no file beside it$"):
        files.check_index(tmp_path, "here")
    index.write_text("{}")
    with pytest.raises(ConfigError, match="has no weight_map"):
        files.check_index(tmp_path, "here")
