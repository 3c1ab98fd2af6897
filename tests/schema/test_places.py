"""Paths as seen from where they were written, and keys of names that have dots."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from curriculum_rl.errors import ConfigError
from curriculum_rl.schema import EnvConfig, keys
from curriculum_rl.schema import load as configs
from curriculum_rl.schema.base import KindSection, OnDisk, Section

LEARNER = {"kind": "transformers", "model": "there/model"}
PATHS: dict[str, tuple[Any, Any]] = {
    "corpora.sea.paths": ("there/a.txt", "{here}/there/a.txt"),
    "corpora.sea": ({"paths": ["there/a.txt", "/b.txt"]}, {"paths": ["{here}/there/a.txt", "/b.txt"]}),
    "corpora.new": ({"kind": "dataset", "path": "there"}, {"path": "{here}/there"}),
    "target.corpus.paths": ("$PLACE/*.txt", "{here}/there/*.txt"),
    "tokenizer": ({"kind": "transformers", "path": "there"}, {"path": "{here}/there"}),
    "learner": (LEARNER, {"model": "{here}/there/model"}),
}


@pytest.fixture
def content(tiny: dict[str, Any]) -> dict[str, Any]:
    return {**tiny, "target": {"corpus": {"paths": "/star.txt"}}}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "here" / "there" / "model").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("PLACE", "there")
    return tmp_path / "here"


def at(config: EnvConfig, key: str) -> Any:
    found: Any = config.model_dump(mode="json")
    for part in keys.split(key):
        found = found[part]
    return found


def filled(wanted: Any, here: Path) -> Any:
    if isinstance(wanted, dict):
        return {key: filled(value, here) for key, value in wanted.items()}
    return [filled(one, here) for one in wanted] if isinstance(wanted, list) else wanted.format(here=here)


@pytest.mark.parametrize("key", PATHS)
def test_paths_that_are_typed_are_seen_from_the_working_directory(
    key: str, content: dict[str, Any], here: Path, tmp_path: Path
) -> None:
    """Those of a file from the file, where the same names lead elsewhere."""
    value, wanted = PATHS[key][0], filled(PATHS[key][1], here)
    (tmp_path / "env.yaml").write_text(yaml.safe_dump(content))
    for config in (str(tmp_path / "env.yaml"), content, configs.load(content)):
        made = configs.load(config, {key: value})
        found = at(made, key)
        assert ({name: found[name] for name in wanted} if isinstance(wanted, dict) else found) == wanted
        assert configs.load(made) is made
    inside: dict[str, Any] = {**content, "corpora": {**content["corpora"]}}
    *above, last = keys.split(key)
    section = inside
    for part in above:
        section[part] = {**section[part]}
        section = section[part]
    section[last] = value
    assert at(configs.load(inside), key) == at(made, key)  # content that is given in Python
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "env.yaml").write_text(yaml.safe_dump(inside))
    elsewhere = at(configs.load(tmp_path / "other" / "env.yaml"), key)
    absolute = str(elsewhere).replace(str(tmp_path / "other"), str(here))
    assert absolute == str(at(made, key)) or "there" in str(elsewhere)  # a name on a hub stays one


def test_a_name_on_a_hub_stays_one_wherever_the_configuration_is_read_again(
    content: dict[str, Any], here: Path, tmp_path: Path
) -> None:
    (tmp_path / "env.yaml").write_text(yaml.safe_dump({**content, "learner": {**LEARNER, "model": "gpt2"}}))
    made = configs.load(tmp_path / "env.yaml")
    (here / "gpt2").mkdir()
    assert configs.load(made) is made and at(configs.load(made, {"batch": 8}), "learner.model") == "gpt2"
    assert at(configs.load(tmp_path / "env.yaml", {"learner.head": "masked"}), "learner.model") == "gpt2"
    assert at(configs.load(made, {"learner.model": "gpt2"}), "learner.model") == f"{here}/gpt2"
    assert at(configs.load(made, {"learner.model": "./none"}), "learner.model") == f"{here}/none"


def test_a_configuration_that_was_made_in_python_is_absolute_too(content: dict[str, Any], here: Path) -> None:
    made = EnvConfig(**{**content, "target": {"corpus": {"paths": ["there/a.txt"]}}})
    loaded = configs.load(made)
    assert at(loaded, "target.corpus.paths") == [f"{here}/there/a.txt"]
    assert configs.is_given(loaded, "batch") and not configs.is_given(loaded, "reward")


def sections(of: type[BaseModel] = Section) -> Iterator[type[BaseModel]]:
    for one in of.__subclasses__():
        if one.__module__.startswith("curriculum_rl.schema."):
            yield one
        yield from sections(one)


WORDS = ("path", "file", "folder", "directory")


def test_every_field_that_speaks_of_a_path_is_one() -> None:
    """A new one fails here until it is a `LocalPath` or a `PathOrName`."""
    checked = 0
    for section in {*sections(), *sections(KindSection)}:
        for name, field in section.model_fields.items():
            said = f"{name} {field.description}".lower().replace("json file", "")
            if {*WORDS} & {word.removesuffix("s") for word in re.findall(r"\w+", said)}:
                marks = [*field.metadata, *(m for part in get_args(field.annotation) for m in get_args(part))]
                marks += [m for part in get_args(field.annotation) for p in get_args(part) for m in get_args(p)]
                assert any(isinstance(mark, OnDisk) for mark in marks), f"{section.__name__}.{name}"
                checked += 1
    assert checked >= 4


@pytest.mark.parametrize("name", ["wiki.en", "a=b", 'say "a.b"', "x y.z", ".", "a.b.c", "tab\t.", "é.ü"])
def test_a_name_with_dots_is_reached_in_quotes(name: str, content: dict[str, Any]) -> None:
    whole = {**content, "corpora": {**content["corpora"], name: {"paths": "/a.txt"}}}
    key = keys.joined(["corpora", name, "paths"])
    given, value = configs.parse_override(f"{key}=/b.txt")
    assert (given, value) == (key, "/b.txt")
    made = configs.load(whole, {given: value})
    assert made.corpora[name].paths == "/b.txt" and len(made.corpora) == len(whole["corpora"])  # type: ignore[union-attr]
    assert configs.is_given(made, keys.joined(["corpora"]))
    with pytest.raises(ConfigError) as error:
        configs.load(whole, {key: 3})
    assert str(error.value).startswith(f"{key}: must be a valid string (got 3)")


def test_dots_without_quotes_are_explained(content: dict[str, Any]) -> None:
    whole = {**content, "corpora": {**content["corpora"], "wiki.en": {"paths": "/a.txt"}}}
    with pytest.raises(
        ConfigError, match=r'^corpora.wiki.en.paths: a name with dots stands in quotes, here "wiki.en"$'
    ):
        configs.load(whole, {"corpora.wiki.en.paths": "/b.txt"})


@pytest.mark.parametrize("key", ["", ".", "a.", ".a", "a..b", 'a."b', 'a"b"', '"a"b', '"a".', '"\\x".a'])
def test_what_is_no_key(key: str, content: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"is no key|must be key=value"):
        configs.load(content, {configs.parse_override(f"{key}=1")[0]: 1})


@given(st.lists(st.text(min_size=1, max_size=6), min_size=1, max_size=4))
def test_keys_are_written_and_read_alike(parts: list[str]) -> None:
    assert keys.split(keys.joined(parts)) == parts
