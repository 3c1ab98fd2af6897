"""One version: the line in `curriculum_rl/__init__.py`, and everything that repeats it."""

import ast
import importlib.metadata
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from curriculum_rl import __version__
from curriculum_rl.recording.runs import versions

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def python(*arguments: str) -> str:
    """What another Python prints that finds the checkout by its path."""
    command = [sys.executable, *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()


def test_it_has_the_form_of_a_release() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+(\.dev\d+|rc\d+)?", __version__)


def test_pyproject_states_where_it_is_and_no_version_of_its_own() -> None:
    assert "version" not in PROJECT["project"]
    assert PROJECT["project"]["dynamic"] == ["version"]
    assert PROJECT["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "curriculum_rl.__version__"}


def test_setuptools_can_read_it_as_a_literal() -> None:
    body = ast.parse((ROOT / "curriculum_rl" / "__init__.py").read_text(encoding="utf-8")).body
    stated = [node for node in body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__version__"]
    assert [ast.literal_eval(node.value) for node in stated] == [__version__]


def test_the_installed_package_says_the_same() -> None:
    assert importlib.metadata.version("curriculum-rl") == __version__


def test_a_checkout_knows_it_without_an_installation() -> None:
    assert python("-S", "-c", "import curriculum_rl; print(curriculum_rl.__version__)") == __version__


def test_the_command_prints_it_without_loading_torch() -> None:
    code = (
        "import sys; from curriculum_rl.scripts.main import app; sys.argv = ['curriculum-rl', '--version']\n"
        "try: app()\nexcept SystemExit as end: print(end.code, 'torch' in sys.modules)"
    )
    assert python("-c", code).split("\n") == [f"curriculum-rl {__version__}", "0 False"]


def test_a_run_names_it_where_nothing_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    assert versions()["curriculum-rl"] == __version__
    assert versions()["numpy"] is None
