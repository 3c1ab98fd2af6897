"""The set-up script: which PyTorch it asks for, when it installs nothing, and what it runs."""

import sys
from pathlib import Path
from typing import Any

import pytest

import dev


@pytest.fixture
def commands(monkeypatch):
    """Commands that would have been run; a GPU or a PyTorch is only there where a test says so."""
    seen: list[list[str]] = []
    monkeypatch.setattr(dev, "run", lambda *parts, **_: seen.append([str(part) for part in parts]) or 0)
    monkeypatch.setattr(dev, "torch_kind", lambda _: None)
    monkeypatch.setattr(dev, "has_gpu", lambda: False)
    monkeypatch.setattr(dev.sys, "platform", "linux")
    return seen


PYTHON = Path("python")


def test_without_a_gpu_only_a_cpu_build_can_match(commands):
    dev.install_torch(PYTHON, "auto")
    assert commands[0][-1] == "torch==2.13.0+cpu"
    assert "--no-deps" in commands[0]
    assert dev.TORCH_CPU_INDEX in commands[0]


@pytest.mark.parametrize(("choice", "gpu"), [("cuda", False), ("auto", True)])
def test_the_large_default_is_announced(commands, monkeypatch, capsys, choice, gpu):
    monkeypatch.setattr(dev, "has_gpu", lambda: gpu)
    dev.install_torch(PYTHON, choice)
    assert commands[0][-1] == dev.TORCH_DEFAULT
    assert "several GB" in capsys.readouterr().out


def test_other_systems_take_their_default_wheel(commands, monkeypatch):
    monkeypatch.setattr(dev.sys, "platform", "darwin")
    dev.install_torch(PYTHON, "auto")
    assert commands[0][-1] == dev.TORCH_DEFAULT
    assert dev.TORCH_CPU_INDEX not in commands[0]


@pytest.mark.parametrize(("choice", "found"), [("auto", "cuda"), ("auto", "cpu"), ("cpu", "cpu"), ("skip", None)])
def test_a_pytorch_that_fits_is_kept(commands, monkeypatch, choice, found):
    monkeypatch.setattr(dev, "torch_kind", lambda _: found)
    dev.install_torch(PYTHON, choice)
    assert commands == []


def test_a_pytorch_that_does_not_fit_is_replaced(commands, monkeypatch):
    monkeypatch.setattr(dev, "torch_kind", lambda _: "cuda")
    dev.install_torch(PYTHON, "cpu")
    assert "--force-reinstall" in commands[0]


def test_the_second_call_installs_nothing_until_something_changes(commands, tmp_path, monkeypatch):
    monkeypatch.setattr(dev, "stamp_key", lambda *_: "key")
    (tmp_path / "bin").mkdir()
    dev.install(tmp_path, ["demo"], "skip")
    assert commands[-1][-1] == ".[demo]"
    commands.clear()
    dev.install(tmp_path, ["demo"], "skip")
    assert not [command for command in commands if "install" in command]
    dev.install(tmp_path, ["demo", "dev"], "skip")
    assert commands[-2][-1] == ".[demo,dev]"
    assert commands[-1][-2:] == ["--no-deps", dev.PRETRAINED]
    commands.clear()
    dev.install(tmp_path, ["demo"], "skip")
    assert not [command for command in commands if "install" in command]
    monkeypatch.setattr(dev, "stamp_key", lambda *_: "another")
    dev.install(tmp_path, ["demo"], "skip")
    assert commands[-1][-1] == ".[demo]"


@pytest.mark.parametrize("name", ["pyproject.toml", "curriculum_rl/__init__.py"])
def test_another_dependency_or_version_is_another_installation(tmp_path, monkeypatch, name):
    monkeypatch.setattr(dev, "ROOT", tmp_path)
    (tmp_path / "curriculum_rl").mkdir()
    for file in ("pyproject.toml", "curriculum_rl/__init__.py"):
        (tmp_path / file).write_text("one")
    key = dev.stamp_key(Path(sys.executable), "cpu")
    assert dev.stamp_key(Path(sys.executable), "cpu") == key
    (tmp_path / name).write_text("two")
    assert dev.stamp_key(Path(sys.executable), "cpu") != key


def test_the_lint_runs_every_check_and_keeps_the_worst_status(monkeypatch):
    seen = []
    monkeypatch.setattr(dev, "run", lambda *parts, **_: seen.append(parts[2]) or int(parts[2] == "ruff"))
    assert dev.lint(Path("venv"), []) == 1
    assert seen == ["ruff", "ruff", "mypy", "mypy"]


@pytest.mark.parametrize(
    ("command", "chosen"), [(dev.test, "--ignore=tests/survival"), (dev.survival, "tests/survival")]
)
def test_tests_run_on_two_processes_of_one_thread(monkeypatch, command, chosen):
    seen: dict[str, Any] = {}
    monkeypatch.setattr(dev, "run", lambda *parts, **variables: seen.update(parts=parts, variables=variables) or 0)
    command(Path("venv"), ["-k", "rows"])
    assert seen["parts"][1:] == ("-m", "pytest", "-n", "2", chosen, "-k", "rows")
    assert seen["variables"] == {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive"}


def test_a_wrong_choice_of_pytorch_is_named(monkeypatch, capsys):
    monkeypatch.setenv("CURRICULUM_RL_TORCH", "gpu")
    monkeypatch.setattr(dev.sys, "argv", ["dev.py", "test"])
    assert dev.main() == 2
    assert "CURRICULUM_RL_TORCH=gpu" in capsys.readouterr().out
