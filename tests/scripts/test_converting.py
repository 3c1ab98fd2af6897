"""`import` and `export` as a person types them, and files with code in them, which no other command reads."""

import io
import json
import os
import shutil
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import stable_baselines3
import yaml

from curriculum_rl.agents import AGENTS, load, make
from curriculum_rl.agents.rl import foreign
from curriculum_rl.agents.saving import archive
from curriculum_rl.errors import ConfigError
from curriculum_rl.scripts.main import main
from curriculum_rl.scripts.running.request import Request
from curriculum_rl.testing import envs


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["curriculum-rl", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return call


class Evil:
    """Makes a folder when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = str(marker)

    def __reduce__(self) -> Any:
        return os.mkdir, (self.marker,)


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    return tmp_path / "ran"


@pytest.fixture
def evil(tmp_path: Path, marker: Path) -> Path:
    """A file of stable-baselines3 that makes a folder when it is read."""
    plain: Any = stable_baselines3.PPO("MlpPolicy", envs.pool(1), n_steps=8, batch_size=8)
    plain.extra = Evil(marker)
    plain.save(tmp_path / "evil.zip")
    stable_baselines3.PPO.load(tmp_path / "evil.zip")
    marker.rmdir()
    return tmp_path / "evil.zip"


def run_directory(folder: Path, tiny: dict[str, Any], agent: Path) -> Path:
    """What evaluate and compare look at in a run of PPO, with a file in place of its agent's."""
    folder.mkdir()
    request = Request(env=tiny, agent="ppo", seed=0, out=folder, num_envs=1)
    (folder / "config.yaml").write_text(yaml.safe_dump(request.document(request.config())))
    shutil.copy(agent, folder / "agent.zip")
    return folder


def test_no_command_runs_the_code_in_a_file(run: Any, tiny: dict[str, Any], evil: Path, marker: Path) -> None:
    file = evil.with_name("env.yaml")
    file.write_text(yaml.safe_dump(tiny))
    directory = run_directory(evil.with_name("run"), tiny, evil)
    out = str(evil.with_name("out"))
    compared = ["compare", "--env", str(file), "--agents", f"ppo@{directory}", "--seeds", "2", "--out", out]
    for arguments in (
        ["evaluate", str(directory), "--episodes", "1"],
        compared,
        ["export", str(directory), "--out", out],
        ["import", str(evil), "--out", out],
    ):
        status, _, err = run(*arguments)
        assert status == 2 and err.count("\n") == 1, arguments
        assert "runs code when it is read" in err or "may hold code, which runs" in err
        assert "--trust" in err and ("agent.zip" in err or "evil.zip" in err)
    for name in AGENTS:
        with pytest.raises(ConfigError, match=r"curriculum-rl import --trust FILE"):
            load(name, evil)
    assert not marker.exists() and not Path(out).exists()


def test_a_checkpoint_with_such_a_file_is_not_read_by_resume(
    run: Any, tiny: dict[str, Any], evil: Path, marker: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("curriculum_rl.scripts.running.recording.CHECKPOINT_SECONDS", 0.0)
    file, out = evil.with_name("env.yaml"), evil.with_name("run")
    file.write_text(yaml.safe_dump(tiny))
    command = ["train", "--env", str(file), "--agent", "ppo", "--num-envs", "2", "--timesteps", "32", "--out", str(out)]
    command += ["--set", "agent.n_steps=4", "--shards", "1", "--quiet"]

    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as interrupted:
        interrupted.setattr("curriculum_rl.scripts.train.write_outcome", stop)
        assert run(*command)[0] == 130
    agents = [path for path in out.rglob("agent.zip") if archive.read(path).agent == "PPO"]
    assert agents and not (out / "result.json").exists()
    for agent in agents:
        shutil.copy(evil, agent)
    run(*command, "--resume")
    assert not marker.exists()


def test_with_trust_it_comes_in_and_the_code_runs(run: Any, evil: Path, marker: Path) -> None:
    out = evil.with_name("ours.zip")
    status, said, _ = run("import", "--trust", str(evil), "--out", str(out))
    assert status == 0 and marker.is_dir()
    assert said == f"{out}: ppo, 0 segments; it holds nothing that could run\n"
    assert archive.read(out).agent == "PPO"
    status, _, err = run("import", str(evil), "--trust", "--out", str(out))
    assert status == 2 and f"out: {out} exists already" in err


def test_what_cannot_come_in_leaves_nothing(run: Any, tmp_path: Path) -> None:
    (tmp_path / "junk.zip").write_bytes(b"junk")
    make("ppo", envs.pool(1), seed=0).save(tmp_path / "ours.zip")
    before = sorted(tmp_path.iterdir())
    for name, message in (("junk.zip", "cannot read"), ("none.zip", "no saved agent"), ("ours.zip", "cannot read")):
        status, _, err = run("import", "--trust", str(tmp_path / name), "--out", str(tmp_path / "out.zip"))
        assert status == 2 and message in err and name in err and err.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("ppo", {}, "stable_baselines3.PPO.load reads {out}\n"),
        ("ac-odm", {}, "stable_baselines3.TD3.load reads {out}; its MlpMixturePolicy needs curriculum_rl\n"),
    ],
)
def test_export(name: str, options: dict[str, Any], said: str, run: Any, tmp_path: Path) -> None:
    agent = make(name, envs.pool(1, mixture=AGENTS[name].action == "mixture"), seed=0, **options)
    (tmp_path / "run").mkdir()
    agent.save(tmp_path / "run" / "agent.zip")
    for source in (tmp_path / "run", tmp_path / "run" / "agent.zip"):
        out = tmp_path / f"{source.name}-out.zip"
        assert run("export", "--to", "sb3", str(source), "--out", str(out))[:2] == (0, said.format(out=out))
        plain = stable_baselines3.PPO if name == "ppo" else stable_baselines3.TD3
        observation = np.ones((1, 4), np.float32)
        expected, _ = agent.predict(observation, deterministic=True)
        assert np.array_equal(plain.load(out).predict(observation, deterministic=True)[0], expected)
    assert run("export", str(tmp_path / "run"), "--out", str(out))[0] == 2


def test_an_agent_of_ones_own_is_named(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(Path(__file__).parents[1] / "agents")
    make("own_agents:Network", envs.pool(1), seed=0).save(tmp_path / "agent.zip")
    arguments = ["export", str(tmp_path / "agent.zip"), "--out", str(tmp_path / "out.zip")]
    status, _, err = run(*arguments)
    assert status == 2 and "is of 'Network', a class of your own; --agent module:Network says where it is" in err
    assert run(*arguments, "--agent", "own_agents:Network")[0] == 0
    assert type(foreign.read(tmp_path / "out.zip", "own_agents:Network")).__name__ == "Network"
    status, _, err = run("export", str(tmp_path / "agent.zip"), "--out", str(tmp_path / "new.zip"), "--agent", "d-ts")
    assert status == 2 and "holds agent 'Network', not 'DiscountedThompsonAgent'" in err


def of_version_01(path: Path, saved: archive.Saved) -> None:
    """Write what an agent's file holds as version 0.1 did."""

    def space(found: dict[str, Any]) -> dict[str, Any]:
        if found["kind"] != "box":
            return {"kind": "discrete", "n": found["n"]}
        bounds = {key: [repr(float(bound)) for bound in found[key]] for key in ("low", "high")}
        return {"kind": "box", **bounds, "shape": [*found["low"].shape], "dtype": str(found["low"].dtype)}

    content = dict(saved.content)
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **content.pop("memory"))
    content |= {name: space(content[name]) for name in ("observation_space", "action_space")}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("agent.json", json.dumps({"format": 4, "agent": saved.agent, **content}))
        made.writestr("state.npz", buffer.getvalue())


def test_an_agent_of_version_01_is_refused_by_its_format_and_comes_in(run: Any, tmp_path: Path) -> None:
    agent: Any = make("exp3s", envs.pool(2), seed=3).learn(30)
    agent.save(tmp_path / "new.zip")
    of_version_01(tmp_path / "old.zip", archive.read(tmp_path / "new.zip"))
    with pytest.raises(
        ConfigError, match=r"it is of an older format than 5; curriculum-rl import --trust FILE --out NEW"
    ):
        load("exp3s", tmp_path / "old.zip")
    out = tmp_path / "out.zip"
    status, said, _ = run("import", "--trust", str(tmp_path / "old.zip"), "--out", str(out))
    assert (status, said) == (0, f"{out}: exp3s, 30 segments; it holds nothing that could run\n")
    again: Any = load("exp3s", out, envs.pool(2))
    looked = np.zeros((2, 4), np.float32)
    assert np.array_equal(again.probabilities(looked), agent.probabilities(looked))
    assert np.array_equal(again.predict(looked)[0], agent.predict(looked)[0])
