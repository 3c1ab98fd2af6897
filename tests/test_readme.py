"""The README's example runs, and what it names exists."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]


def blocks(file: str, language: str) -> list[str]:
    found = re.findall(r"```(\w*)\n(.*?)```", (ROOT / file).read_text(), flags=re.DOTALL)
    return [body for name, body in found if name == language]


def test_the_python_examples_run(
    tiny: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "almanac-small").write_text(yaml.safe_dump({**tiny, "name": "stand-in"}))
    monkeypatch.setattr("curriculum_rl.config.preset_names", list)  # the file of that name stands in for the preset
    monkeypatch.chdir(tmp_path)
    for code in blocks("README.md", "python"):
        assert len(code.strip().splitlines()) <= 15
        exec(compile(code, "README.md", "exec"), {})
    assert "star.causal_lm" in capsys.readouterr().out


def test_what_the_readme_names_exists() -> None:
    text = (ROOT / "README.md").read_text()
    for link in re.findall(r"\]\(([\w./-]+)\)", text):
        assert (ROOT / link).exists(), link
    (tree,) = [block for block in blocks("README.md", "") if "curriculum_rl/" in block]
    for name in re.findall(r"^  ([\w./]+)", tree, flags=re.MULTILINE):
        assert (ROOT / "curriculum_rl" / name).exists(), name
    for name in re.findall(r"\b(\w+)(?=[,)])", " ".join(re.findall(r"\(([\w, ]+)\)$", tree, flags=re.MULTILINE))):
        assert (ROOT / "curriculum_rl" / f"{name}.py").exists(), name


def test_the_example_of_an_environment_file_is_valid() -> None:
    from curriculum_rl import config as configs

    config = configs.load(yaml.safe_load(blocks("docs/environments.md", "yaml")[0]))
    assert list(config.corpora) == ["wiki", "talk", "papers"]
