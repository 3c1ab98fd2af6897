"""Environment files that were garbled: each is read, or refused in one short line; nothing else comes out."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from curriculum_rl.errors import ConfigError
from curriculum_rl.schema import EnvConfig, reading
from curriculum_rl.schema import load as configs

WHOLE: dict[str, Any] = {
    "name": "whole",
    "corpora": {"sea": {"paths": ["a.txt"], "where": {"a": 1}}, "copy": {"kind": "copy", "of": "sea"},
                "own": {"kind": "m:C"}},
    "tokenizer": {"kind": "transformers", "path": "gpt2"},
    "tasks": [{"corpora": ["sea"], "objective": "masked_lm"}, {"objective": {"kind": "prefix_lm", "shortest": 0.1}}],
    "learner": {"kind": "transformers", "model": {"model_type": "bert"}, "light": {"kind": "lora", "targets": ["a"]}},
    "optimizer": {"betas": [0.9, 0.95], "clip": 1.0},
    "method": {"kind": "meta_train", "depth": 1},
    "target": {"corpus": {"kind": "dataset", "path": "there"}},
    "proxy": {"kind": "finetune", "updates": 3},
    "report": {"finetune": {"tune": "light"}},
    "reward": {"cost": {"sea.masked_lm": 1.0}},
    "signals": {"finish": "rest"},
    "budget": {"tokens": 3},
}  # fmt: skip
WORDS = ["kind", "m:C", "a/b:C", "files", "copy", "sea", "all", "a.b", "", "~", "*", "$HOME", "\x1b[1m", "x" * 300]
NUMBERS = st.floats() | st.sampled_from([0, -1, 10**400])
VALUES: Any = st.recursive(
    st.sampled_from(WORDS) | st.text(max_size=5) | st.booleans() | st.none() | NUMBERS,
    lambda one: st.lists(one, max_size=3) | st.dictionaries(st.sampled_from(WORDS), one, max_size=3),
    max_leaves=5,
)  # fmt: skip


def places(value: Any, key: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [key, *(place for name, one in inside for place in places(one, (*key, name)))]


def garbled(value: Any, key: tuple[Any, ...], other: Any, name: str | None) -> Any:
    if not key:
        return {**value, name: other} if isinstance(value, dict) and name else other
    made: Any = dict(value) if isinstance(value, dict) else list(value)
    made[key[0]] = garbled(value[key[0]], key[1:], other, name)
    return made


def one_line(error: ConfigError) -> None:
    assert "\n" not in str(error) and len(str(error)) < 700 and str(error).isprintable()


@given(st.sampled_from(places(WHOLE)[1:]), VALUES, st.none() | st.sampled_from(WORDS), st.booleans())
@settings(
    max_examples=200, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_what_is_garbled_is_read_or_refused(
    tmp_path: Path, key: tuple[Any, ...], other: Any, name: str | None, trust: bool
) -> None:
    content = garbled(WHOLE, key, other, name)
    try:
        assert isinstance(configs.load(content), EnvConfig)  # as in Python
    except ConfigError as error:
        one_line(error)
    (tmp_path / "env.yaml").write_text(yaml.safe_dump(content, allow_unicode=True))
    try:
        config = configs.load(tmp_path / "env.yaml", trust=trust)
    except ConfigError as error:
        one_line(error)
        return
    written = reading.read(reading.dump(config.model_dump(mode="json")), "x").value
    assert configs.of_run(written, tmp_path / "config.yaml", trust=True) == config


@given(
    st.sampled_from([".".join(map(str, key)) for key in places(WHOLE)[1:]]) | st.text(max_size=8), VALUES | st.text()
)
@settings(max_examples=200, deadline=None, derandomize=True)
def test_what_is_typed_is_read_or_refused(key: str, value: Any) -> None:
    text = f"{key}={value}"
    try:
        found, parsed = configs.parse_override(text)
        configs.load(WHOLE, {found: parsed})
    except ConfigError as error:
        one_line(error)


def test_the_whole_of_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "env.yaml").write_text(yaml.safe_dump(WHOLE))
    assert configs.load(tmp_path / "env.yaml", trust=True).name == "whole"
    with pytest.raises(ConfigError, match=r"corpora\.own\.kind: 'm:C' is a class"):
        configs.load(tmp_path / "env.yaml")
