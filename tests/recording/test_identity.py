"""`data.json`: what has changed is named, and only that."""

from pathlib import Path

import pytest

from curriculum_rl.errors import ConfigError
from curriculum_rl.recording import identity

BEGUN = {"corpora.sea": "1", "corpora.land": "2", "target.report": "3", "tokenizer": "4", "learner": "5"}


def test_what_was_written_is_what_is_read(tmp_path: Path) -> None:
    identity.write(tmp_path, BEGUN)
    assert identity.read(tmp_path) == BEGUN
    identity.check(tmp_path, dict(reversed(BEGUN.items())))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"corpora.sea": "x"}, "corpora.sea: its text has changed since"),
        ({"corpora.sea": "x", "tokenizer": "y"}, "corpora.sea: its text has changed since"),
        ({"target.report": "x", "corpora.land": "y"}, "corpora.land, target.report: their texts have changed since"),
        ({"corpora.sky": "x"}, "corpora.sky: its text has changed since"),
        ({"tokenizer": "x"}, "tokenizer: it has changed since"),
        ({"learner": "x"}, "learner: the model it begins with has changed since"),
    ],
)
def test_what_has_changed_is_named(tmp_path: Path, changes: dict[str, str], message: str) -> None:
    identity.write(tmp_path, BEGUN)
    with pytest.raises(ConfigError) as caught:
        identity.check(tmp_path, BEGUN | changes)
    assert str(caught.value).startswith(f"{message} {tmp_path} was begun; put the old data back, or begin anew")
    with pytest.raises(ConfigError):
        identity.check(tmp_path, {name: value for name, value in BEGUN.items() if name not in changes} | {"x": ""})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "holds no data.json"),
        ("{", "is no JSON"),
        ("[1]", "must hold an object"),
        (b"\xff", "is no UTF-8"),
    ],
)
def test_where_nothing_is_known_nothing_goes_on(tmp_path: Path, content: str | bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / identity.FILE).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ConfigError, match=message) as caught:
        identity.check(tmp_path, BEGUN)
    assert "\n" not in str(caught.value)


def test_a_run_that_was_killed_before_it_read_anything_goes_on(tmp_path: Path) -> None:
    identity.check_run(tmp_path, BEGUN)
    (tmp_path / "segments.jsonl").touch()
    with pytest.raises(ConfigError, match=r"holds no data\.json"):
        identity.check_run(tmp_path, BEGUN)
