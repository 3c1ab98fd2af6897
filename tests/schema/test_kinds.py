"""One registration for each kind: what a row of a table promises, and what the unions make of it."""

import inspect
import json
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, TypeAdapter

from curriculum_rl.errors import ConfigError
from curriculum_rl.plugins import load
from curriculum_rl.schema import KINDS, Custom, EnvConfig
from curriculum_rl.schema import load as configs
from curriculum_rl.schema.base import KindSection, LocalPath, OneOf, Section
from curriculum_rl.schema.corpora import CorpusSection, DerivedCorpus, ReadCorpus
from curriculum_rl.schema.mistakes import dotted
from curriculum_rl.schema.objectives import ObjectiveSection
from curriculum_rl.schema.places import changed, of_file

ROWS = [pytest.param(section, id=f"{name}-{section.name()}") for name, rows in KINDS.items() for section in rows]


@pytest.mark.parametrize("section", ROWS)
def test_what_a_section_builds_is_there_and_takes_its_settings(section: type[KindSection]) -> None:
    made = load(section.builds, "builds")
    if issubclass(section, CorpusSection | ObjectiveSection):
        base = next((one for one in (ReadCorpus, DerivedCorpus) if issubclass(section, one)), KindSection)
        inspect.signature(made).bind_partial(**dict.fromkeys({*section.model_fields} - {*base.model_fields}))
    elif not inspect.isfunction(made):
        assert callable(made.build)


@pytest.mark.parametrize("name", KINDS)
def test_kinds_have_names_of_their_own(name: str) -> None:
    names = [section.name() for section in KINDS[name]]
    assert len(set(names)) == len(names)
    assert all(section.summary().endswith(".") for section in KINDS[name])


@pytest.mark.parametrize("name", KINDS)
def test_only_the_default_kind_may_leave_its_kind_away(name: str) -> None:
    """Else what was given could not be read back without it: `load` hands on what was given alone."""
    assert sum(not section.model_fields["kind"].is_required() for section in KINDS[name]) == 1


def test_the_schema_lists_all_kinds() -> None:
    schema = json.dumps(EnvConfig.model_json_schema())
    for section in (section for rows in KINDS.values() for section in rows):
        assert f'"#/$defs/{section.__name__}"' in schema


def test_the_schema_is_light() -> None:
    code = (
        "import sys, curriculum_rl.schema.load; print({'torch', 'numpy', 'datasets', 'transformers'} & {*sys.modules})"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


class Small(KindSection):
    """Small."""

    kind: Literal["small"] = "small"
    builds = "nowhere:Small"
    size: int = 1


class Large(KindSection):
    """Large."""

    kind: Literal["large"]
    builds = "nowhere:Large"
    places: list[LocalPath] = Field(default_factory=list)
    inside: dict[str, Annotated[KindSection | Custom, OneOf((Small,), Small)]] = Field(default_factory=dict)


Size = Annotated[KindSection | Custom, OneOf((Small, Large), Small)]


class House(Section):
    size: Size = Small()
    name: str | Size = "none"
    rooms: dict[str, Size] = Field(default_factory=dict)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"size": {"size": "wide"}}, "size.size: must be a valid integer, unable to parse .* .got 'wide'."),
        ({"size": {"kind": "tiny"}}, "size.kind: must be one of small, large, module:Class .got 'tiny'."),
        ({"size": {"kind": "large", "size": 1}}, "size.size: unknown key .got 1."),
        ({"size": {"kind": "large", "places": ["a", 2]}}, "size.places.1: must be a valid string .got 2."),
        ({"rooms": {"large": {"kind": "large", "inside": {"small": {"size": []}}}}}, "rooms.large.inside.small.size: "),
        ({"rooms": {"small": {"kind": "small:"}}}, "rooms.small.kind: string should match"),
        ({"name": {"kind": "tiny"}}, "name.kind: must be one of small, large, module:Class .got 'tiny'."),
        ({"name": {"size": "wide"}}, "name.size: must be a valid integer"),
    ],
)
def test_mistakes_have_the_keys_of_the_file(content: dict[str, Any], message: str) -> None:
    """Members of unions put their tags into pydantic's locations, whatever the section and the union."""
    with pytest.raises(ConfigError, match=f"^{message}"):
        House(**content)


def test_a_key_that_is_called_like_a_kind_is_kept() -> None:
    content = {"corpora": {"files": {"kind": "files", "paths": 3}}}
    assert dotted(("corpora", "files", "files", "paths", "str"), content) == "corpora.files.paths"
    assert dotted(("corpora", "files", "files", "size"), content, missing=True) == "corpora.files.size"


def test_every_path_of_a_file_is_seen_from_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever the schema has one: in lists, mappings, unions and kinds; what is no path stays."""
    monkeypatch.setenv("PLACE", "there")
    content = {"size": {"kind": "large", "places": ["a", "$PLACE/b", 3], "inside": {"x": {"kind": "m:C", "p": "a"}}}}
    seen = changed(content, House, of_file(tmp_path))["size"]
    assert seen["places"] == [f"{tmp_path}/a", f"{tmp_path}/there/b", 3]
    assert seen["inside"] == content["size"]["inside"]
    (tmp_path / "model").mkdir()
    hub = {"learner": {"kind": "transformers", "model": "model"}, "tokenizer": {"kind": "transformers", "path": "gpt2"}}
    seen = changed(hub, EnvConfig, of_file(tmp_path))
    assert (seen["learner"]["model"], seen["tokenizer"]["path"]) == (f"{tmp_path}/model", "gpt2")


def test_sections_are_kept_and_written_whole() -> None:
    made: Any = TypeAdapter(Size).validate_python({"kind": "large", "places": ["a"]})
    assert TypeAdapter(Size).dump_python(made) == {"kind": "large", "places": ["a"], "inside": {}}
    assert made.settings() == {"places": ["a"], "inside": {}}


def test_a_configuration_passes_as_it_is_and_remembers_what_was_given() -> None:
    config = configs.load("almanac", {"segment.updates": 10, "optimizer.clip": float("inf")})
    assert configs.load(config) is config
    changed = configs.load(config, {"batch": 8})
    assert changed.batch == 8 and changed.optimizer.clip == float("inf")
    for key in ("segment.updates", "batch", "budget.updates"):
        assert configs.is_given(changed, key)
    for key in ("action.kind", "segment.other", "reward", "budget.tokens"):
        assert not configs.is_given(changed, key)
