"""Files that are written whole, and errors of the system that have a path."""

import errno
import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from curriculum_rl import durable


def test_a_write_that_finds_no_room_names_the_file_and_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "result.json"
    durable.write_atomically(path, "old")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left on device") as caught:
        durable.write_atomically(path, "new")
    assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(path))
    assert {one.name: one.read_text() for one in tmp_path.iterdir()} == {"result.json": "old"}


def test_what_a_library_says_of_the_system_becomes_an_error_of_the_system(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "a.safetensors"
    with pytest.raises(OSError, match="No such file") as caught, durable.naming(path):
        save_file({"a": torch.zeros(2)}, path)
    assert (caught.value.errno, caught.value.filename) == (errno.ENOENT, str(path))
    with pytest.raises(ValueError, match="else"), durable.naming(path):
        raise ValueError("something else")


def test_damage_is_named(tmp_path: Path) -> None:
    for name in ("a", "deep/b"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    known = durable.digests(tmp_path)
    assert set(known) == {"a", "deep/b"}
    assert durable.damage(tmp_path, known) is None
    (tmp_path / "deep" / "b").write_text("B")
    assert durable.damage(tmp_path, known) == "deep/b is not what was written (its sha256 differs)"
    assert durable.damage(tmp_path / "deep", {"../a": known["a"]}) == "../a is elsewhere"
    (tmp_path / "a").unlink()
    assert durable.damage(tmp_path, known) == "a is missing"


def test_only_half_written_files_are_removed(tmp_path: Path) -> None:
    for name in (".result.json.123.tmp", "agent.zip.77.tmp", "mine.tmp", ".hidden", "1.tmp", "notes.1.tmp.txt"):
        (tmp_path / name).touch()
    durable.remove_temporary(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"mine.tmp", ".hidden", "1.tmp", "notes.1.tmp.txt"}
