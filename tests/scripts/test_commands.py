"""The command line as a person uses it: run directories, errors, resume, evaluate, list."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from curriculum_rl.agents import AGENTS
from curriculum_rl.pretraining.counting import CountingLosses
from curriculum_rl.recording.rows import read_rows
from curriculum_rl.schema import KINDS
from curriculum_rl.scripts.main import Listed, main
from curriculum_rl.scripts.running.request import Request


@pytest.fixture
def file(tiny: dict[str, Any], tmp_path: Path) -> str:
    path = tmp_path / "env.yaml"
    path.write_text(yaml.safe_dump(tiny))
    return str(path)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["curriculum-rl", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return call


def timeless(directory: Path) -> list[dict[str, Any]]:
    return [{k: v for k, v in row.items() if k != "seconds"} for row in read_rows(directory / "segments.jsonl")]


FILES = ["config.yaml", "versions.json", "segments.jsonl", "result.json", "schedule.json", "policy.png", "agent.zip"]


@pytest.mark.parametrize("agent", ["exp3s", "sw-ucb", "d-ts", "stratified", "round-robin", "random", "fixed"])
def test_train_writes_a_whole_run_directory(run: Any, file: str, tmp_path: Path, agent: str) -> None:
    out = tmp_path / "run"
    status, _, err = run("train", "--env", file, "--agent", agent, "--out", str(out))
    assert status == 0
    assert "tensorboard --logdir" in err
    for name in FILES:
        assert (out / name).stat().st_size > 0, name
    assert list(out.glob("events.out.tfevents.*"))
    assert len(list(out.glob("task=*/events.out.tfevents.*"))) == 5
    result = json.loads((out / "result.json").read_text())
    rows = read_rows(out / "segments.jsonl")
    assert result["status"] == "finished"
    assert result["segments"] == len(rows) > 0
    assert result["final"]["target_loss"] > 0
    assert sum(result["share"].values()) == pytest.approx(1)
    assert set(result["corpora"]) == {"sea", "land", "star", "noise"}
    counted = CountingLosses(**result["baselines"])
    assert counted.rows == 100  # of 20 updates, whether or not this agent paid for a proxy
    assert (counted.corpus, counted.bigram < counted.unigram) == ("star", True)
    assert all(abs(sum(row["probabilities"]) - 1) < 1e-6 for row in rows)
    assert not (out / "checkpoint").exists()


def test_what_reading_dropped_is_said_and_kept(run: Any, tiny: dict[str, Any], tmp_path: Path) -> None:
    star = tmp_path / "star.jsonl"
    more = '\n{"text": null, "label": "dark", "id": "a"}' + '\n{"text": "comet", "label": NaN, "id": "b"}' * 2
    star.write_text(Path(tiny["corpora"]["star"]["paths"]).read_text() + more)
    tiny = {**tiny, "corpora": {**tiny["corpora"], "star": {**tiny["corpora"]["star"], "paths": str(star)}}}
    (tmp_path / "env.yaml").write_text(yaml.safe_dump(tiny, sort_keys=False))
    arguments = ["--env", str(tmp_path / "env.yaml"), "--agent", "stratified", "--out", str(tmp_path / "run")]
    status, _, err = run("train", *arguments)
    assert status == 0 and "rows of star: 1 without text, 2 without a label" in err and "rows of sea" not in err
    counts = json.loads((tmp_path / "run" / "result.json").read_text())["data"]["corpora"]
    assert list(counts) == ["sea", "land", "star"]
    assert (counts["star"]["documents"], counts["star"]["without_text"], counts["star"]["unlabelled"]) == (902, 1, 2)
    assert sum(counts["star"]["labels"].values()) == 900 and counts["sea"]["labels"] == {}


def test_ppo_trains_over_many_runs(run: Any, file: str, tmp_path: Path) -> None:
    out = tmp_path / "run"
    assert run("train", "--env", file, "--agent", "ppo", "--timesteps", "40", "--out", str(out))[0] == 0
    result = json.loads((out / "result.json").read_text())
    assert result["episodes"] >= 3
    assert (out / "learning.png").exists() == (result["episodes"] >= 2 * result["num_envs"])
    tokens = [row["tokens"] for row in read_rows(out / "segments.jsonl")]
    assert tokens == sorted(tokens)
    status, printed, _ = run("evaluate", str(out), "--episodes", "2")
    assert status == 0
    assert "mean ± sd" in printed
    finals = json.loads((out / "evaluation.json").read_text())["finals"]
    assert [final["seed"] for final in finals] == [10_000, 10_001]


def chosen(env: Any, **overrides: Any) -> tuple[str, bool, str]:
    request = Request(env=env, agent="ppo", seed=0, out=Path("out"), overrides=overrides)
    config = request.config()
    return config.observation, config.action.permute, config.reward.baseline


def test_ppo_is_given_what_suits_a_policy_unless_the_user_chose(tiny: dict[str, Any]) -> None:
    assert chosen(tiny) == ("dict", True, "stratified")
    assert chosen(tiny, observation="flat") == ("flat", True, "stratified")
    assert chosen({**tiny, "reward": {"baseline": "none"}, "action": {"permute": False}}) == ("dict", False, "none")


@pytest.mark.parametrize(
    ("policy", "observation"), [("MlpPolicy", "dict"), ("EquivariantPolicy", "flat"), ("Mlp", "flat")]
)
def test_a_policy_that_cannot_be_is_one_line(
    run: Any, file: str, tmp_path: Path, policy: str, observation: str
) -> None:
    arguments = ["--set", f"agent.policy={policy}", "--set", f"observation={observation}"]
    out = tmp_path / "run"
    status, _, err = run("train", "--env", file, "--agent", "ppo", "--out", str(out), *arguments)
    assert status == 2
    assert f"policy: {policy!r}" in err
    assert not out.exists()


def test_same_seed_same_rows(run: Any, file: str, tmp_path: Path) -> None:
    for name, seed in (("a", "3"), ("b", "3"), ("c", "4")):
        assert run("train", "--env", file, "--agent", "d-ts", "--seed", seed, "--out", str(tmp_path / name))[0] == 0
    assert timeless(tmp_path / "a") == timeless(tmp_path / "b")
    assert timeless(tmp_path / "a") != timeless(tmp_path / "c")


def test_config_repeats_the_run(run: Any, file: str, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    changes = ["--set", "budget.updates=12", "--set", "agent.step=0.1"]
    assert run("train", "--env", file, "--agent", "exp3s", "--out", str(first), *changes)[0] == 0
    document = yaml.safe_load((first / "config.yaml").read_text())
    assert document["agent"] == {"name": "exp3s", "step": 0.1}
    (tmp_path / "again.yaml").write_text(yaml.safe_dump(document["env"]))
    again = ["train", "--env", str(tmp_path / "again.yaml"), "--agent", "exp3s", "--set", "agent.step=0.1"]
    assert run(*again, "--out", str(second))[0] == 0
    assert timeless(first) == timeless(second)


@pytest.mark.parametrize("frozen", [True, False])
def test_evaluate_an_online_agent(run: Any, file: str, tmp_path: Path, frozen: bool) -> None:
    out = tmp_path / "run"
    assert run("train", "--env", file, "--agent", "exp3s", "--out", str(out))[0] == 0
    assert run("evaluate", str(out), "--episodes", "1", *(["--frozen"] if frozen else []))[0] == 0
    assert json.loads((out / "evaluation.json").read_text())["frozen"] is frozen


def test_an_existing_directory_is_refused_and_kept(run: Any, file: str, tmp_path: Path) -> None:
    out = tmp_path / "run"
    arguments = ["train", "--env", file, "--agent", "random", "--out", str(out)]
    assert run(*arguments)[0] == 0
    before = (out / "segments.jsonl").read_bytes()
    status, _, err = run(*arguments)
    assert status == 2
    assert "--resume" in err
    assert "--overwrite" in err
    assert (out / "segments.jsonl").read_bytes() == before
    assert run(*arguments, "--overwrite", "--seed", "5")[0] == 0
    assert (out / "segments.jsonl").read_bytes() != before
    assert run(*arguments, "--resume", "--seed", "5")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--agent", "oracle"], ["agent", "'oracle'", "exp3s"]),
        (["--env", "nowhere.yaml"], ["'nowhere.yaml'", "almanac"]),
        (["--set", "budget.updates=0"], ["budget.updates", "0"]),
        (["--set", "colour=red"], ["colour", "unknown key"]),
        (["--set", "agent.colour=red"], ["colour"]),
        (["--set", "nothing"], ["--set", "key=value"]),
        (["--agent", "stratified", "--set", "action.kind=task"], ["action.kind", "stratified", "mixture"]),
    ],
)
def test_mistakes_are_one_line_and_write_nothing(
    run: Any, file: str, tmp_path: Path, arguments: list[str], said: list[str]
) -> None:
    out = tmp_path / "run"
    status, _, err = run("train", "--env", file, "--out", str(out), *arguments)
    line = err.strip().splitlines()[-1]
    assert status == 2
    assert "Traceback" not in err
    for word in said:
        assert word in line
    assert not out.exists()


def test_everything_that_has_kinds_can_be_listed() -> None:
    assert set(get_args(Listed)) == {"envs", "agents", "signals", "tasks", *KINDS}


@pytest.mark.parametrize("what", get_args(Listed))
def test_list(run: Any, file: str, what: str) -> None:
    status, out, _ = run("list", what, "--env", file)
    expected = {"envs": "almanac-traps", "agents": "exp3s", "tasks": "star.masked_lm", "tokenizers": "vocab_size=2048"}
    assert status == 0
    assert expected.get(what, "module:Class") in out
    assert all(section.name() in out for section in KINDS.get(what, ()))


def test_a_narrow_list_still_says_what_agents_are(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    _, out, _ = run("list", "agents")
    said = " ".join(out.replace("│", " ").split())
    for name, entry in AGENTS.items():
        assert name in said and f"pays for: {entry.cost}" in said
    assert f"auto {AGENTS['auto'].summary}" in said


def test_demo_compares_three_agents(run: Any, file: str, tmp_path: Path) -> None:
    status, out, err = run("demo", "--env", file, "--out", str(tmp_path / "demo"))
    assert status == 0
    for word in ("auto", "stratified", "round-robin", "target loss", "share noise.causal_lm"):
        assert word in out
    counted = CountingLosses(**json.loads((tmp_path / "demo-1" / "auto" / "result.json").read_text())["baselines"])
    assert f"target loss of counting alone: {counted}" in " ".join(out.split())
    assert f"auto: {AGENTS['auto'].summary}" in " ".join(err.split())
    assert f"tensorboard --logdir {tmp_path / 'demo-1'}" in err.replace("\n", "")
    assert run("demo", "--env", file, "--out", str(tmp_path / "demo"))[0] == 0
    assert (tmp_path / "demo-2" / "auto" / "result.json").is_file()


def test_help_is_fast_and_imports_no_torch() -> None:
    code = "import sys, curriculum_rl.scripts.main as m; sys.argv=['x','--help']\ntry: m.main()\n"
    code += "except SystemExit: pass\n"
    out = subprocess.run(
        [sys.executable, "-c", code + "print('torch' in sys.modules)"], capture_output=True, text=True, check=True
    )
    assert out.stdout.strip().endswith("False")
