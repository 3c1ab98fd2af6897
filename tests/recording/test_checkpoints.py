"""Checkpoints on disk: the last two, whole and sound, or not used; wherever a process is killed or a bit flips."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from curriculum_rl.durable import json_sha256
from curriculum_rl.errors import ConfigError
from curriculum_rl.recording import checkpoints
from curriculum_rl.recording.checkpoints import Checkpoints


def keep(kept: Checkpoints, number: int) -> None:
    draft = kept.draft()
    (draft / "agent.zip").write_bytes(bytes(50) + b"agent %d" % number)
    (draft / "state.safetensors").write_bytes(bytes(80) + b"state %d" % number)
    kept.commit({"number": number})


def content(run: Path) -> int | None:
    """The number of the checkpoint that is found, of which all is as it was written; None where there is none."""
    found = Checkpoints(run).find()
    if found is None:
        return None
    number = found.about["number"]
    assert (found.folder / "agent.zip").read_bytes().endswith(b"agent %d" % number)
    assert (found.folder / "state.safetensors").read_bytes().endswith(b"state %d" % number)
    return int(number)


def test_two_are_kept_and_the_newest_is_found(tmp_path: Path) -> None:
    assert Checkpoints(tmp_path).find() is None
    kept = Checkpoints(tmp_path)
    for number in range(4):
        keep(kept, number)
        assert content(tmp_path) == number
        assert len(list((tmp_path / "checkpoint").glob("0*"))) == min(number + 1, 2)
    kept.clear()
    assert not (tmp_path / "checkpoint").exists()


class Killed(BaseException):
    pass


def steps(monkeypatch: pytest.MonkeyPatch, at: int) -> Iterator[int]:
    """Lets the process die before its `at`-th call to the disk."""
    calls = iter(range(1000))

    def dying(function: Any) -> Any:
        def call(*arguments: Any, **options: Any) -> Any:
            if next(calls) >= at:
                raise Killed
            return function(*arguments, **options)

        return call

    monkeypatch.setattr(checkpoints, "sync", dying(checkpoints.sync))
    monkeypatch.setattr(checkpoints, "write_atomically", dying(checkpoints.write_atomically))
    monkeypatch.setattr(shutil, "rmtree", dying(shutil.rmtree))
    monkeypatch.setattr(Path, "rename", dying(Path.rename))
    monkeypatch.setattr(Path, "mkdir", dying(Path.mkdir))
    return calls


def test_a_process_that_is_killed_anywhere_leaves_the_older_or_the_newer_one(tmp_path: Path) -> None:
    seen: list[int] = []
    for at in range(30):
        run = tmp_path / str(at)
        kept = Checkpoints(run)
        keep(kept, 1)
        keep(kept, 2)
        with pytest.MonkeyPatch.context() as patch:
            steps(patch, at)
            try:
                keep(kept, 3)
                died = False
            except Killed:
                died = True
        seen.append(content(run) or 0)
        again = Checkpoints(run)
        assert again.find() is not None
        keep(again, 4)  # and whoever goes on can take the next one
        assert content(run) == 4
        assert len(list((run / "checkpoint").glob("0*"))) == 2
        if not died:
            break
    else:
        pytest.fail("a checkpoint takes more steps than were tried")
    assert seen == sorted(seen) and set(seen) == {2, 3} and len(seen) > 6


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("two")
    kept = Checkpoints(run)
    keep(kept, 1)
    keep(kept, 2)
    return run


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True
)
@given(data=st.data())
def test_a_flipped_bit_or_a_cut_is_never_loaded(two: Path, tmp_path: Path, data: st.DataObject) -> None:
    run = tmp_path / "run"
    shutil.rmtree(run, ignore_errors=True)
    shutil.copytree(two, run)
    files = sorted(path for path in (run / "checkpoint").rglob("*") if path.is_file())
    path = data.draw(st.sampled_from(files))
    whole = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(whole) * 8 - 1))
    if data.draw(st.booleans()):
        whole[place // 8] ^= 1 << place % 8
    else:
        whole = whole[: place // 8]
    path.write_bytes(whole)
    found = Checkpoints(run).find()
    damaged = found is not None and found.damaged
    number = content(run)  # asserts that what is found is as it was written
    if path.name == "latest" or path.parent.name == "000001":
        assert (number, damaged) == (2, None) or path.name == "latest"
    else:
        # White space of a manifest may change: its content is what counts.
        assert (number == 1 and damaged) or path.name == "checkpoint.json"


def test_where_both_are_damaged_it_is_said_how_to_go_on(two: Path, tmp_path: Path) -> None:
    shutil.copytree(two, tmp_path / "run")
    for path in (tmp_path / "run" / "checkpoint").glob("0*/agent.zip"):
        path.write_bytes(b"")
    with pytest.raises(ConfigError, match=r"no checkpoint is sound: .*000002: agent\.zip .*000001: .*--overwrite"):
        Checkpoints(tmp_path / "run").find()


def test_the_damaged_one_makes_room_and_the_sound_one_stays(two: Path, tmp_path: Path) -> None:
    shutil.copytree(two, tmp_path / "run")
    (tmp_path / "run" / "checkpoint" / "000002" / "agent.zip").write_bytes(b"")
    kept = Checkpoints(tmp_path / "run")
    assert kept.find() is not None
    keep(kept, 3)
    assert {path.name for path in (tmp_path / "run" / "checkpoint").glob("0*")} == {"000001", "000003"}


@pytest.mark.parametrize("number", [1, 3])
def test_another_format_is_refused_by_its_number(two: Path, tmp_path: Path, number: int) -> None:
    run = tmp_path / "run"
    shutil.copytree(two, run)
    if number == 1:
        (run / "checkpoint" / "state.safetensors").touch()
    else:
        path = run / "checkpoint" / "000002" / "checkpoint.json"
        document = {**json.loads(path.read_text()), "format": number}
        del document["sha256"]
        path.write_text(json.dumps({**document, "sha256": json_sha256(document)}))
    with pytest.raises(ConfigError, match=f"was written in format {number}, and this version .* reads format 2"):
        Checkpoints(run).find()


@pytest.mark.parametrize("text", ["[" * 100_000, "null", "[1]", '{"sha256": 1}', "{", '{"a": NaN}', "\udcff"])
def test_a_manifest_that_is_no_manifest_is_a_damaged_checkpoint(tmp_path: Path, text: str) -> None:
    kept = Checkpoints(tmp_path)
    for number in range(2):
        keep(kept, number)
    (tmp_path / "checkpoint/000002/checkpoint.json").write_bytes(text.encode(errors="surrogateescape"))
    assert content(tmp_path) == 0
