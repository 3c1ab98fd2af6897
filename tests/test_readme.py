"""The README's example runs, and what it names exists."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from curriculum_rl.agents import AGENTS
from curriculum_rl.schema import load as configs
from curriculum_rl.scripts.main import main

ROOT = Path(__file__).resolve().parents[1]


def blocks(file: str, language: str) -> list[str]:
    found = re.findall(r"```(\w*)\n(.*?)```", (ROOT / file).read_text(), flags=re.DOTALL)
    return [body for name, body in found if name == language]


def test_the_python_examples_run(
    tiny: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "almanac-small").write_text(yaml.safe_dump({**tiny, "name": "stand-in"}))
    # The file of that name stands in for the preset.
    monkeypatch.setattr("curriculum_rl.schema.load.preset_names", list)
    monkeypatch.chdir(tmp_path)
    for code in blocks("README.md", "python"):
        assert len(code.strip().splitlines()) <= 15
        exec(compile(code, "README.md", "exec"), {})
    assert "star.causal_lm" in capsys.readouterr().out


@pytest.mark.parametrize("name", sorted(AGENTS))
def test_another_agent_is_another_word(
    name: str, tiny: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first example with every name of the table, in an environment whose actions the agent plays."""
    entry = AGENTS[name]
    overrides = {**entry.env, "budget.updates": 80 if entry.needs_signals else 20}
    if entry.action == "mixture":
        overrides["action.kind"] = "mixture"
    config = configs.load(tiny, overrides).model_dump(mode="json", exclude_defaults=True)
    (tmp_path / "almanac-small").write_text(yaml.safe_dump(config))
    monkeypatch.setattr("curriculum_rl.schema.load.preset_names", list)
    monkeypatch.chdir(tmp_path)
    code = blocks("README.md", "python")[0]
    assert code.count('make("d-ts"') == 1
    found: dict[str, Any] = {}
    exec(compile(code.replace('make("d-ts"', f'make("{name}"'), "README.md", "exec"), found)
    assert found["info"]["final"]["target_loss"] > 0


def test_the_first_example_runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """What it prints has other numbers whenever the docs and the code have other words; its form stays."""
    command, *shown = blocks("README.md", "console")[0].splitlines()
    while command.endswith("\\"):
        command = command[:-1] + shown.pop(0)
    prompt, name, *arguments = shlex.split(command)
    assert (prompt, name) == ("$", "curriculum-rl")
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr("sys.argv", [name, *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    printed = capsys.readouterr().out.splitlines()

    def form(lines: list[str]) -> list[str]:
        words = [re.sub(r"[-+]?[\d,.]*\d", "0", line) for line in lines if not line.startswith("texts on both")]
        return sorted(" ".join(line.split()) for line in words)

    assert form(printed) == form(shown)


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
    config = configs.load(yaml.safe_load(blocks("docs/environments.md", "yaml")[0]))
    assert list(config.corpora) == ["wiki", "talk", "papers"]
