"""Classes of the user's own in the directory where a command runs: train, resume, evaluate, compare, in workers too."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from curriculum_rl.errors import ConfigError
from curriculum_rl.recording.rows import read_rows
from curriculum_rl.recording.runs import HEADER
from curriculum_rl.scripts.evaluate import evaluate

ROOT = Path(__file__).resolve().parents[2]

MINE = '''
import os, signal
from dataclasses import dataclass

import numpy as np

from curriculum_rl.proxies.base import Price, Reading


class Score:
    """A proxy that finds all learners alike."""

    def __init__(self, problem, learner, seeds):
        self.count = len(seeds)

    def price(self, learner):
        return Price(0, 0.0)

    def score(self, learner):
        return Reading(np.zeros(self.count))

    def state(self):
        return {}

    def load_state(self, state):
        pass


@dataclass(frozen=True)
class Sticky:
    """Plays the task it played last, mostly."""

    stay: float = 0.8

    def start(self, seeds, arms):
        return {"last": np.eye(arms)[np.zeros(seeds, int)], "plays": np.zeros(seeds)}

    def probabilities(self, state):
        return self.stay * state["last"] + (1 - self.stay) / state["last"].shape[1]

    def update(self, state, arms, rewards, probabilities):
        state["last"][:] = np.eye(state["last"].shape[1])[arms.reshape(len(state["last"]), -1)[:, 0]]
        state["plays"] += 1
        if state["plays"][0] == 4 and "STOP" in os.environ:
            os.kill(os.getpid(), signal.SIGINT)


@dataclass(frozen=True)
class Bent(Sticky):
    """Its constructor fails."""

    def __post_init__(self):
        len(5)
'''


@pytest.fixture
def command(tiny: dict[str, Any], tmp_path: Path) -> Any:
    """Runs the command in a directory that holds mine.py; -P: as an installed command, which does not see it itself."""
    (tmp_path / "mine.py").write_text(MINE)
    report = {**tiny["report"], "finetune": None}
    (tmp_path / "env.yaml").write_text(yaml.safe_dump({**tiny, "proxy": {"kind": "mine:Score"}, "report": report}))

    def call(*arguments: str, cwd: str = ".", **environment: str) -> subprocess.CompletedProcess[str]:
        whole = [sys.executable, "-P", "-m", "curriculum_rl.scripts.main", *arguments]
        environment = {**os.environ, **environment}
        return subprocess.run(whole, cwd=tmp_path / cwd, env=environment, capture_output=True, text=True, check=False)

    return call


def test_train_in_shards_resume_and_evaluate(command: Any, tmp_path: Path) -> None:
    train = ["train", "--env", "env.yaml", "--agent", "mine:Sticky", "--set", "agent.stay=0.5", "--quiet"]
    train += ["--num-envs", "2", "--shards", "2"]
    refused = command(*train, "--out", "untrusted")
    assert (refused.returncode, len(refused.stderr.splitlines())) == (2, 1)
    assert "env.yaml: proxy.kind: 'mine:Score' is a class whose code would run" in refused.stderr
    assert not (tmp_path / "untrusted").exists()
    train.append("--trust")
    for name, environment in (("whole", {}), ("cut", {"STOP": "1"})):
        done = command(*train, "--out", name, **environment)
        assert done.returncode == (130 if environment else 0), done.stderr
    rows = read_rows(tmp_path / "whole" / "segments.jsonl")
    assert sorted(rows[0]["probabilities"]) == pytest.approx([0.1] * 4 + [0.6])
    assert 0 < len(read_rows(tmp_path / "cut" / "segments.jsonl")) < len(rows)
    assert command(*train, "--out", "cut", "--resume").returncode == 0
    timeless = [
        [{key: value for key, value in row.items() if key != "seconds"} for row in read_rows(path)]
        for path in (tmp_path / "whole" / "segments.jsonl", tmp_path / "cut" / "segments.jsonl")
    ]
    assert timeless[0] == timeless[1]
    for changed, said in (({}, "agent.name: 'mine:Sticky'"), ({"agent": {"name": "ucb1"}}, "proxy.kind: ")):
        document = yaml.safe_load((tmp_path / "cut" / "config.yaml").read_text())
        assert document["env"]["proxy"]["kind"] == f"{tmp_path}/mine:Score"
        (tmp_path / "cut" / "config.yaml").write_text(HEADER + yaml.safe_dump({**document, **changed}))
        with pytest.raises(ConfigError, match=rf"^{tmp_path}/cut/config.yaml: {said}.* is a class .*--trust"):
            evaluate(tmp_path / "cut", episodes=1, seed=0, frozen=False, deterministic=False)
        (tmp_path / "cut" / "config.yaml").write_text(HEADER + yaml.safe_dump(document))
    (tmp_path / "elsewhere").mkdir()
    done = command("evaluate", "../cut", "--episodes", "1", "--trust", cwd="elsewhere", PYTHONPATH=f"{ROOT}:{tmp_path}")
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "cut" / "evaluation.json").read_text())["agent"] == "mine:Sticky"


def test_compare_with_options_in_workers(command: Any, tmp_path: Path) -> None:
    agents = "mine:Sticky,mine:Sticky:stay=0.5:reward_clip=2"
    done = command(
        "compare", "--env", "env.yaml", "--agents", agents, "--out", "all", "--seeds", "1", "--jobs", "2",
        "--no-baselines", "--set", "budget.updates=8", CURRICULUM_RL_TRUST="1",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "all" / "compare.json").read_text())["agents"]
    assert set(found) == {"stratified", *agents.split(",")}
    assert all(len(one["runs"]) == 1 and one["section"] == "online" for label, one in found.items() if ":" in label)
    (row, *_) = read_rows(next((tmp_path / "all" / "runs").glob("*stay=0.5*/seed-0/segments.jsonl")))
    assert sorted(row["probabilities"]) == pytest.approx([0.1] * 4 + [0.6])


@pytest.mark.parametrize(
    ("agent", "status", "said"),
    [
        ("mine:Stucky", 2, "curriculum-rl: agent: 'mine:Stucky': {here}/mine.py has no 'Stucky'"),
        ("mine:Bent", 1, "TypeError: object of type 'int' has no len()"),
    ],
)
def test_a_mistake_is_one_line_and_an_error_inside_is_shown(
    command: Any, tmp_path: Path, agent: str, status: int, said: str
) -> None:
    done = command("train", "--env", "env.yaml", "--agent", agent, "--out", "run", "--quiet", "--trust")
    assert (done.returncode, done.stderr.strip().splitlines()[-1]) == (status, said.format(here=tmp_path))
    assert not (tmp_path / "run").exists()


SHADOW = "import pathlib; pathlib.Path(__file__).with_suffix('.ran').touch()"


def test_a_folder_of_foreign_files_runs_nothing(command: Any, tmp_path: Path) -> None:
    """Neither a library's name nor that of one that is not installed is read there, in no process of the command."""
    for name in ("json", "pickle", "random", "struct", "flash_attn", "tensorflow", "sitecustomize", "env"):
        (tmp_path / f"{name}.py").write_text(SHADOW)
    train = ["--num-envs", "2", "--shards", "2", "--quiet", "--agent"]
    done = command("train", "--env", "env.yaml", "--out", "b", *train, "stratified", "--trust")
    assert done.returncode == 0, done.stderr
    assert not list(tmp_path.glob("*.ran"))


def test_what_is_no_class_of_ours_is_never_called(command: Any, tmp_path: Path) -> None:
    content = yaml.safe_load((tmp_path / "env.yaml").read_text())
    learner = {"kind": "subprocess:Popen", "args": ["touch", "ran"]}
    (tmp_path / "hostile.yaml").write_text(yaml.safe_dump({**content, "learner": learner}))
    done = command("train", "--env", "hostile.yaml", "--out", "run", "--agent", "random", "--quiet", "--trust")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done.stderr
    assert "curriculum-rl: learner: Popen lacks bidirectional_rows, " in done.stderr
    assert not (tmp_path / "ran").exists()
