"""Runs that are stopped, killed, damaged or asked for twice: nothing is lost; what is refused changes nothing."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from curriculum_rl.errors import ConfigError
from curriculum_rl.recording import identity
from curriculum_rl.recording.checkpoints import Checkpoints
from curriculum_rl.recording.locks import DirectoryLock
from curriculum_rl.recording.rows import read_rows
from curriculum_rl.scripts.running import recording
from curriculum_rl.scripts.running.progress import Progress
from curriculum_rl.scripts.running.request import Request
from curriculum_rl.scripts.train import go_on, train

OPTIONS: dict[str, dict[str, Any]] = {
    "exp3s": {},
    "a2c": {"agent.n_steps": 8},
    "dqn": {"agent.learning_starts": 8, "agent.batch_size": 8, "agent.gradient_steps": 1, "agent.buffer_size": 24},
}
Stop = Callable[[int, int], None]


@pytest.fixture
def stop(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stop]:
    """Sends this process a signal when it has recorded so many segments of the next run."""
    shown = Progress.update

    def at(segment: int, number: int) -> None:
        def update(self: Progress, row: Any, timestep: int) -> None:
            shown(self, row, timestep)
            if row["segment"] == segment:
                signal.raise_signal(number)

        monkeypatch.setattr(Progress, "update", update)

    yield at


def timeless(run: Path) -> list[dict[str, Any]]:
    return [{key: value for key, value in row.items() if key != "seconds"} for row in read_rows(run / "segments.jsonl")]


def table(run: Path) -> list[dict[str, str]]:
    with (run / "progress.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    return [{key: value for key, value in row.items() if key not in ("time/fps", "time/time_elapsed")} for row in rows]


def curves(run: Path) -> dict[str, list[tuple[int, float]]]:
    """The points of every chart that says no wall time, of all runs in a run directory."""
    found = {}
    for folder in [run, *sorted(path for path in run.iterdir() if path.is_dir())]:
        events = EventAccumulator(str(folder), size_guidance={"scalars": 0}).Reload()
        for tag in events.Tags()["scalars"]:
            if not tag.startswith(("time/", "result/")) and "seconds" not in tag and "overhead" not in tag:
                found[f"{folder.name if folder != run else '.'}:{tag}"] = [
                    (point.step, point.value) for point in events.Scalars(tag)
                ]
    return found


def alike(first: Any, second: Any) -> bool:
    """Whether all curves have the same points, networks' to rounding."""
    return first.keys() == second.keys() and all(
        np.allclose(np.array(first[key]), np.array(second[key]), rtol=1e-3, atol=1e-4) for key in first
    )


@pytest.mark.parametrize(("agent", "number"), [("exp3s", 15), ("a2c", 15), ("dqn", 2)])
def test_a_stopped_run_goes_on_as_if_it_had_not_been(
    tiny: dict[str, Any], tmp_path: Path, stop: Stop, agent: str, number: int
) -> None:
    request = request_for(tiny, agent, tmp_path / "cut")
    assert train(replace(request, out=tmp_path / "whole"))
    before = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)}
    for segment in (12, 19):  # in the middle of a rollout of 8, and at the end of a run of 20
        stop(segment, number)
        assert train(request, resume=segment > 12) is False
        assert {one: signal.getsignal(one) for one in before} == before
        found = Checkpoints(tmp_path / "cut").find()
        assert found is not None
        # A rollout of 8 segments of 2 replicas that was under way is played again.
        assert found.about["timesteps"] == (2 * (segment // 8 * 8) if agent == "a2c" else 2 * segment + 2)
    stop(-1, number)
    assert train(request, resume=True)
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    if agent == "exp3s":
        assert timeless(cut) == timeless(whole)
        assert curves(cut) == curves(whole)
    else:
        assert [row["action"] for row in timeless(cut)] == [row["action"] for row in timeless(whole)]
        assert alike(curves(cut), curves(whole))
        assert any(key.startswith("stable-baselines3:train/") for key in curves(cut))
        assert any(key == "stable-baselines3:rollout/ep_rew_mean" for key in curves(cut))
        same = [
            [{**row, **{k: "" for k in row if k.startswith("train/")}} for row in table(run)] for run in (cut, whole)
        ]
        assert [list(row) for row in table(cut)] == [list(row) for row in table(whole)]
        assert [row["rollout/ep_len_mean"] for row in same[0]] == [row["rollout/ep_len_mean"] for row in same[1]]
        assert [row["time/total_timesteps"] for row in same[0]] == [row["time/total_timesteps"] for row in same[1]]
    assert not (cut / "checkpoint").exists()
    assert not [path for path in cut.rglob("*") if path.name.endswith(".tmp")]


def request_for(env: dict[str, Any], agent: str, out: Path, **changes: Any) -> Request:
    overrides = {"budget.updates": 40, "report.finetune": None, **OPTIONS[agent]}
    given: dict[str, Any] = {"timesteps": 60, "num_envs": 2, "quiet": True, "picture": False, "shards": 1}
    return Request(env, agent, 3, out, overrides=overrides, **{**given, **changes})


@pytest.fixture(scope="module")
def whole(tiny: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of exp3s that nothing happened to."""
    request = request_for(tiny, "exp3s", tmp_path_factory.mktemp("runs") / "whole")
    assert train(request)
    return request.out


@pytest.fixture(scope="module")
def killed_once(tiny: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Request:
    request = request_for(tiny, "exp3s", tmp_path_factory.mktemp("runs") / "killed")
    with pytest.MonkeyPatch.context() as patch:
        shown = Progress.update

        def update(self: Progress, row: Any, timestep: int) -> None:
            shown(self, row, timestep)
            if row["segment"] == 19:
                raise RuntimeError("killed")

        patch.setattr(recording, "CHECKPOINT_SECONDS", 0.0)
        patch.setattr(Progress, "update", update)
        with pytest.raises(RuntimeError, match="killed"):
            train(request)
    return request


@pytest.fixture
def killed(killed_once: Request, tmp_path: Path) -> Request:
    """A run that died at its 20th segment, with checkpoints after the 18th and the 19th."""
    shutil.copytree(killed_once.out, tmp_path / "killed")
    return replace(killed_once, out=tmp_path / "killed")


def tree(folder: Path) -> dict[str, bytes]:
    """Every file of a run but its lock."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != ".lock"]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def newest(run: Path) -> Path:
    return run / "checkpoint" / (run / "checkpoint" / "latest").read_text().strip()


@pytest.mark.parametrize("what", ["agent.zip", "state.safetensors", "checkpoint.json", "missing", "pointer", "half"])
def test_a_damaged_checkpoint_is_said_and_the_older_one_is_used(
    killed: Request, whole: Path, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    folder = newest(killed.out)
    match what:
        case "missing":
            (folder / "agent.zip").unlink()
        case "pointer":
            flip(folder.parent / "latest")
        case "half":
            (folder / "state.safetensors").write_bytes((folder / "state.safetensors").read_bytes()[:1000])
        case _:
            flip(folder / what)
    assert train(replace(killed, quiet=False), resume=True)
    said = " ".join(capsys.readouterr().err.split())
    assert ("the checkpoint before it is used" in said) == (what != "pointer")
    assert timeless(killed.out) == timeless(whole)


def _shorter(run: Path) -> None:
    path = run / "segments.jsonl"
    path.write_bytes(path.read_bytes()[:2000])


def _both(run: Path) -> None:
    for path in run.glob("checkpoint/0*/state.safetensors"):
        flip(path)


def _no_number(run: Path) -> None:
    path = run / "config.yaml"
    path.write_text(path.read_text().replace("timesteps: 60", "timesteps: 6p"))


def _old_format(run: Path) -> None:
    shutil.rmtree(run / "checkpoint")
    (run / "checkpoint").mkdir()
    (run / "checkpoint" / "state.safetensors").write_bytes(b"")


@pytest.mark.parametrize(
    ("change", "given", "said"),
    [
        (_shorter, {}, r"segments\.jsonl has 2000 bytes, but had \d+ \(\d+ rows\)"),
        (lambda run: flip(run / "segments.jsonl"), {}, r"the first \d+ rows of .* are not what was written"),
        (_both, {}, r"no checkpoint is sound: .*state\.safetensors.*--overwrite"),
        (_old_format, {}, "was written in format 1, .* reads format 2"),
        (lambda run: None, {"shards": 2}, r"--shards: 2, but .* was begun with 1"),
        (lambda run: None, {"timesteps": 10}, r"--timesteps: 10, but .* has \d+ segments already"),
        (lambda run: None, {"seed": 4}, "--resume: seed of .* differs"),
        (_no_number, {"timesteps": None}, r"config\.yaml: timesteps: must be a whole number of segments \(got '6p'\)"),
    ],
    ids=["shorter", "flipped row", "both", "old format", "shards", "timesteps", "seed", "no number"],
)
def test_what_cannot_go_on_is_refused_and_nothing_is_changed(
    killed: Request, change: Callable[[Path], None], given: dict[str, Any], said: str
) -> None:
    change(killed.out)
    before = tree(killed.out)
    with pytest.raises(ConfigError, match=said) as caught:
        train(replace(killed, **given), resume=True)
    assert "\n" not in str(caught.value)
    assert tree(killed.out) == before


def test_a_run_without_a_checkpoint_begins_anew_and_says_so(
    killed: Request, whole: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(killed.out / "checkpoint")
    assert train(replace(killed, quiet=False), resume=True)
    assert "has no sound checkpoint yet: the run begins anew" in " ".join(capsys.readouterr().err.split())
    assert timeless(killed.out) == timeless(whole)
    assert curves(killed.out) == curves(whole)


def test_a_run_without_rows_whose_checkpoints_are_damaged_begins_anew(killed: Request, whole: Path) -> None:
    _both(killed.out)
    (killed.out / "segments.jsonl").write_bytes(b"")
    assert train(killed, resume=True)
    assert timeless(killed.out) == timeless(whole)


def test_a_run_may_become_longer_until_it_is_complete(killed: Request, tmp_path: Path) -> None:
    assert train(replace(killed, timesteps=80), resume=True)
    assert train(replace(killed, timesteps=80, out=tmp_path / "whole"))
    assert timeless(killed.out) == timeless(tmp_path / "whole")
    assert train(replace(killed, timesteps=None), resume=True)  # complete already
    with pytest.raises(ConfigError, match=r"--timesteps: 90, but .* is complete with 80"):
        train(replace(killed, timesteps=90), resume=True)


def test_a_cell_goes_on_or_begins_anew_whatever_is_there(killed: Request, whole: Path, tmp_path: Path) -> None:
    for change in (lambda run: None, _both, _shorter, lambda run: (run / "config.yaml").write_text("[")):
        cell = replace(killed, out=tmp_path / "cell")
        shutil.copytree(killed.out, cell.out)
        change(cell.out)
        assert go_on(cell, data=identity.read(whole), wait=0)
        assert timeless(cell.out) == timeless(whole)
        shutil.rmtree(cell.out)


def test_overwrite_deletes_what_a_run_writes_and_nothing_else(killed: Request, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    mine = {"notes.txt": "mine", "learner/notes.txt": "mine", "task=mine/data.csv": "1,2", "checkpoints.txt": "mine"}
    for name, text in mine.items():
        path = killed.out / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    (outside / "events.out.tfevents.1").write_text("theirs")
    (killed.out / "task=linked").symlink_to(outside)
    (killed.out / ".result.json.1.tmp").write_text("half")
    assert train(replace(killed, seed=4), overwrite=True)
    assert {name: (killed.out / name).read_text() for name in mine} == mine
    assert (outside / "events.out.tfevents.1").read_text() == "theirs"
    assert not (killed.out / ".result.json.1.tmp").exists()
    assert json.loads((killed.out / "result.json").read_text())["seed"] == 4


@pytest.mark.parametrize("how", [{"resume": True}, {"overwrite": True}, {}])
def test_a_directory_that_is_being_written_is_refused_and_left(killed: Request, how: dict[str, bool]) -> None:
    before = tree(killed.out)
    with DirectoryLock(killed.out):
        said = "--resume.*--overwrite" if not how else rf"{killed.out} is being written by process {os.getpid()} on "
        with pytest.raises(ConfigError, match=said):
            train(killed, **how)
        with pytest.raises(ConfigError, match="is being written"):
            go_on(killed, data=identity.read(killed.out), wait=0.1)
    assert tree(killed.out) == before


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="no process groups on this system")
def test_shards_that_are_asked_to_end_with_all_others_leave_that_to_their_parent(
    tiny: dict[str, Any], tmp_path: Path
) -> None:
    run = tmp_path / "run"
    (tmp_path / "env.yaml").write_text(yaml.safe_dump({**tiny, "budget": {"updates": 4000}}))
    where = ["--env", str(tmp_path / "env.yaml"), "--agent", "exp3s", "--out", str(run), "--quiet"]
    command = [sys.executable, "-m", "curriculum_rl.scripts.main", "train", *where, "--num-envs", "2", "--shards", "2"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    while not (run / "checkpoint" / "latest").exists():
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (130, "")
    found = Checkpoints(run).find()
    assert found is not None and found.about["shards"] == 2
