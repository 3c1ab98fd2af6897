"""Numbers of the schema, all of them: no boolean, infinity, NaN or huge number stands for one; nor is much shown."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest
from pydantic import ValidationError

from curriculum_rl.errors import LONGEST, ConfigError, shown
from curriculum_rl.schema import load as configs
from curriculum_rl.schema.base import Section

INFINITE = {("OptimizerConfig", "clip")}


def sections(of: type[Section] = Section) -> Iterator[type[Section]]:
    for one in of.__subclasses__():
        if one.__module__.startswith("curriculum_rl.schema."):
            yield one
        yield from sections(one)


def numbers(wanted: Any) -> set[Any]:
    """The kinds of number that stand somewhere in a type."""
    if get_origin(wanted) is Literal:
        return {type(one) for one in get_args(wanted)}
    return {wanted} | {kind for part in get_args(wanted) for kind in numbers(part)}


def shapes(wanted: Any, value: Any) -> Any:
    """A value put where a type has its number."""
    origin, parts = get_origin(wanted), get_args(wanted)
    if origin is dict:
        return {"key": shapes(parts[1], value)}
    if origin in (list, tuple):
        return [shapes(parts[0], value)] * (2 if origin is tuple else 1)
    return value


FIELDS = [
    pytest.param(section, name, field.annotation, id=f"{section.__name__}.{name}")
    for section in sorted({*sections()}, key=lambda one: one.__name__)
    for name, field in section.model_fields.items()
    if numbers(field.annotation) & {int, float}
]


def message(section: type[Section], name: str, value: Any) -> str:
    """What is said of one of its keys."""
    with pytest.raises(ValidationError) as error:
        section.model_validate({name: value})
    own = [one for one in error.value.errors() if name in one["loc"] or name in one["msg"]]
    assert own and all("\n" not in one["msg"] and len(one["msg"]) < 300 for one in own)
    return str(own[0]["msg"])


def test_the_schema_has_numbers() -> None:
    assert len(FIELDS) > 100


@pytest.mark.parametrize(("section", "name", "wanted"), FIELDS)
def test_what_is_no_number_is_refused(section: type[Section], name: str, wanted: Any) -> None:
    if bool not in numbers(wanted):
        for flag in (True, False):
            assert "must be a number" in message(section, name, shapes(wanted, flag))
    for value in (math.nan, math.inf, -math.inf, 1e300 if float not in numbers(wanted) else math.nan):
        if (section.__name__, name) not in INFINITE or not value > 0:
            message(section, name, shapes(wanted, value))
    for huge in (10**30, 10**400, 10**5000, -(10**5000)):
        assert "must be a smaller number" in message(section, name, shapes(wanted, huge))


LARGE = {"text": "x" * 10_000, "list": ["x"] * 10_000, "key": {"a" * 1000: 1}, "number": 10**5000, "signs": "\n\x1b[1m"}


@pytest.mark.parametrize("value", LARGE.values(), ids=LARGE)
def test_a_message_shows_no_more_of_a_value_than_a_reader_needs(value: Any, tiny: dict[str, Any]) -> None:
    assert len(shown(value)) <= LONGEST and shown(value).isprintable()
    for key in ("context", "name", "tokenizer.kind", "proxy.kind", "oops", "learner.width", "action.kind", "batch"):
        with pytest.raises(ConfigError) as error:
            configs.load(tiny, {key: value if key != "name" else [value]})
        assert len(str(error.value)) < 400 and str(error.value).isprintable()
    with pytest.raises(ConfigError) as error:
        configs.load({**tiny, "k" * 10_000 + "\n": 1})
    assert len(str(error.value)) < 400 and str(error.value).isprintable()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: 2024", 'name: must be a valid string (got 2024); quote it if it is text: "2024"'),
        ("name: 1e3", 'name: must be a valid string (got 1e3, which YAML reads as 1000.0); quote it if it is text'),
        ("name: true", 'name: must be a valid string (got True); quote it if it is text: "true"'),
        ("name: ~", "name: must be a valid string (got ~, which YAML reads as None)"),
        ("tasks: [{corpora: [2023]}]", "tasks.0.corpora.0: must be a valid string (got 2023); quote it"),
        ("batch: 1e30", "batch: unable to parse"),
        ("batch: true", "batch: must be a number (got True)"),
        ("reward: {cost: {sea: true}}", "reward.cost.sea: must be a number (got True)"),
        ("optimizer: {betas: [.5, .inf]}", "optimizer.betas.1: must be a finite number (got .inf, which YAML reads"),
    ],
)  # fmt: skip
def test_a_refusal_says_what_was_typed(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "env.yaml").write_text(
        "corpora: {sea: {paths: sea.txt}}\ntarget: {corpus: {paths: star.txt}}\nbudget: {updates: 3}\n" + text
    )
    with pytest.raises(ConfigError) as error:
        configs.load(tmp_path / "env.yaml")
    assert str(error.value).startswith(said)
