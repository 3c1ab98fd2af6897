"""Cache: built once, checked, repaired, safe between processes."""

import multiprocessing
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from curriculum_rl.errors import ConfigError
from curriculum_rl.text.cache import MANIFEST, Cache, checksums


def _write(path: Path) -> None:
    (path / "data.bin").write_bytes(bytes(range(200)))
    (path / "inner").mkdir()
    (path / "inner" / "more.txt").write_text("more")


def _counting(calls: list[int]) -> Callable[[Path], None]:
    def build(path: Path) -> None:
        calls.append(1)
        _write(path)

    return build


def test_an_entry_is_built_once(tmp_path: Path) -> None:
    calls: list[int] = []
    first, second = Cache(tmp_path), Cache(tmp_path)
    paths = {cache.entry("k", _counting(calls)) for cache in (first, first, second)}
    assert paths == {tmp_path / "k"} and len(calls) == 1
    assert (tmp_path / "k" / "inner" / "more.txt").read_text() == "more"
    assert sorted(checksums(tmp_path / "k")) == ["data.bin", "inner/more.txt"]
    assert [path.name for path in tmp_path.iterdir() if not path.name.endswith(".lock")] == ["k"]


def _flip(entry: Path) -> None:
    data = bytearray((entry / "data.bin").read_bytes())
    data[100] ^= 1
    (entry / "data.bin").write_bytes(data)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "flipped bit": _flip,
    "truncated": lambda entry: os.truncate(entry / "data.bin", 150),
    "deleted file": lambda entry: (entry / "inner" / "more.txt").unlink(),
    "added file": lambda entry: (entry / "alien").write_text("x"),
    "deleted manifest": lambda entry: (entry / MANIFEST).unlink(),
    "broken manifest": lambda entry: (entry / MANIFEST).write_text('{"files": '),
    "odd manifest": lambda entry: (entry / MANIFEST).write_text("[]"),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_entry_is_built_again(tmp_path: Path, damage: Callable[[Path], object]) -> None:
    calls: list[int] = []
    damage(Cache(tmp_path).entry("k", _counting(calls)))
    entry = Cache(tmp_path).entry("k", _counting(calls))
    assert len(calls) == 2
    assert (entry / "data.bin").read_bytes() == bytes(range(200)) and not (entry / "alien").exists()


def test_a_failed_build_leaves_nothing(tmp_path: Path) -> None:
    def fail(path: Path) -> None:
        (path / "half").write_text("half")
        raise RuntimeError("stopped")

    with pytest.raises(RuntimeError, match="stopped"):
        Cache(tmp_path).entry("k", fail)
    assert [path.name for path in tmp_path.iterdir()] == [".k.lock"]
    assert Cache(tmp_path).entry("k", _write).is_dir()


def test_a_draft_of_a_killed_process_is_cleared(tmp_path: Path) -> None:
    (tmp_path / ".k.draft").mkdir()
    (tmp_path / ".k.draft" / "half").write_text("half")
    assert not (Cache(tmp_path).entry("k", _write) / "half").exists()


def _build_slowly(path: Path) -> None:
    (path / "first").write_bytes(b"1" * 100_000)
    time.sleep(0.3)
    (path / "second").write_bytes(b"2" * 100_000)
    with (path.parent / "builds").open("a") as file:
        file.write("built\n")


def _use(root: Path, start: float, answers: "multiprocessing.Queue[int]") -> None:
    time.sleep(max(0.0, start - time.time()))
    entry = Cache(root).entry("k", _build_slowly)
    answers.put((entry / "first").stat().st_size + (entry / "second").stat().st_size)


@pytest.mark.parametrize("damaged", [False, True])
def test_two_processes_may_build_at_once(tmp_path: Path, damaged: bool) -> None:
    if damaged:
        os.truncate(Cache(tmp_path).entry("k", _build_slowly) / "first", 10)
        (tmp_path / "builds").unlink()
    spawn = multiprocessing.get_context("spawn")
    answers = spawn.Queue()
    start = time.time() + 2
    processes = [spawn.Process(target=_use, args=(tmp_path, start, answers)) for _ in range(2)]
    for process in processes:
        process.start()
    assert [answers.get(timeout=60) for _ in processes] == [200_000, 200_000]
    for process in processes:
        process.join(timeout=60)
    assert (tmp_path / "builds").read_text() == "built\n"


def test_the_root_comes_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CURRICULUM_RL_CACHE", str(tmp_path / "here"))
    assert Cache().root == tmp_path / "here"
    monkeypatch.delenv("CURRICULUM_RL_CACHE")
    assert Cache().root == Path.home() / ".cache" / "curriculum_rl"


def test_a_root_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"CURRICULUM_RL_CACHE: cannot write .*file/cache"):
        Cache(tmp_path / "file" / "cache").entry("k", _write)
