"""Finding files: each once under all its names; what leads nowhere is said."""

import os
from pathlib import Path

import pytest

from curriculum_rl.errors import ConfigError
from curriculum_rl.text.files import digest, found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.txt", "b.txt", "[c].txt"):
        (tmp_path / name).write_text(name)
    (tmp_path / "inner").mkdir()
    return tmp_path


def _names(folder: Path, *patterns: str) -> list[str]:
    return [path.name for path in found([f"{folder}/{pattern}" for pattern in patterns])]


def test_a_file_is_found_once_under_all_its_names(folder: Path) -> None:
    (folder / "soft.txt").symlink_to(folder / "a.txt")
    (folder / "hard.txt").hardlink_to(folder / "b.txt")
    (folder / "door").symlink_to(folder)
    assert _names(folder, "*.txt") == ["[c].txt", "a.txt", "b.txt"]
    assert _names(folder, "b.txt", "*.txt", "hard.txt", "inner/../a.txt", "door/b.txt") == ["b.txt", "[c].txt", "a.txt"]
    assert _names(folder, "soft.txt", "a.txt") == ["soft.txt"]


def test_a_copy_is_another_file(folder: Path) -> None:
    (folder / "copy.txt").write_text("a.txt")
    assert _names(folder, "a.txt", "copy.txt") == ["a.txt", "copy.txt"]


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("gone.txt", "paths: .*gone.txt is a link to .*nowhere, which is not there"),
        ("g*.txt", "paths: .*gone.txt is a link to .*nowhere, which is not there"),
        ("none.txt", "paths: no file '.*none.txt'"),
        ("*.md", r"paths: no file '.*\*.md'"),
        ("inner", "paths: no file '.*inner' but a folder; name its files, as .*inner/"),
        ("a**", "paths: no file"),
        ("x" * 300, "paths: cannot look for '.*: File name too long"),
        ("a\0b", "paths: no file"),
        ("loop", "paths: .*loop is a link to .*loop, which is not there"),
    ],
)
def test_what_is_no_file(folder: Path, pattern: str, said: str) -> None:
    (folder / "gone.txt").symlink_to(folder / "nowhere")
    (folder / "loop").symlink_to(folder / "loop")
    with pytest.raises(ConfigError, match=said) as caught:
        _names(folder, pattern)
    assert "\n" not in str(caught.value)


def test_a_pipe_is_no_file(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    with pytest.raises(ConfigError, match=r"paths: no file '.*pipe'"):
        _names(folder, "pipe")


def test_nobody_has_no_home() -> None:
    with pytest.raises(ConfigError, match=r"paths: cannot look for '~nobody-at-all/a.txt'"):
        found(["~nobody-at-all/a.txt"])


def test_a_file_that_goes_before_it_is_read(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"paths: cannot read .*none.txt: No such file or directory"):
        digest(folder / "none.txt")
