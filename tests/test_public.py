"""docs/public.md names every command and every environment that there is; forms and hooks can be read."""

import re
from pathlib import Path

import gymnasium
import pytest
import typer
import yaml

import curriculum_rl.envs
from curriculum_rl.scripts.main import app

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "public.md").read_text(encoding="utf-8")


def row(name: str) -> str:
    (found,) = re.findall(rf"^\| {name} \|(.+)$", PAGE, flags=re.MULTILINE)
    return str(found)


def test_every_command_is_public() -> None:
    assert typer.main.get_group(app).commands.keys() <= set(
        re.findall(r"`(?:curriculum-rl )?(\w+)`", row("the command line"))
    )


def test_every_environment_is_public_under_its_version() -> None:
    gymnasium.register_envs(curriculum_rl.envs)
    ids = {name for name in gymnasium.registry if name.startswith("CurriculumRL/")}
    assert ids == set(re.findall(r"`(CurriculumRL/[\w-]+-v\d+)`", row("environments")))


def test_what_the_page_names_exists() -> None:
    for link in re.findall(r"\]\(([\w./-]+)\)", PAGE):
        assert (ROOT / "docs" / link).exists(), link


def test_the_changelog_begins_with_what_is_unreleased_and_links_to_what_exists() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    versions = re.findall(r"^## (.+)$", text, flags=re.MULTILINE)
    assert versions[0] == "Unreleased"
    assert all(re.fullmatch(r"\d+\.\d+\.\d+( - \d{4}-\d\d-\d\d)?", version) for version in versions[1:])
    assert {"Added", "Changed", "Removed", "Fixed"} >= set(re.findall(r"^####? ([A-Z]\w+)$", text, flags=re.MULTILINE))
    for link in re.findall(r"\]\(([\w./-]+)\)", text):
        assert (ROOT / link).exists(), link


@pytest.mark.parametrize("name", ["bug", "idea"])
def test_a_form_can_be_filled_in(name: str) -> None:
    form = yaml.safe_load((ROOT / ".github" / "ISSUE_TEMPLATE" / f"{name}.yml").read_text(encoding="utf-8"))
    assert {"name", "description", "body"} <= form.keys()
    ids = [field["id"] for field in form["body"]]
    assert len(ids) == len(set(ids))
    assert all(field["attributes"]["label"] for field in form["body"])
    assert any(field.get("validations", {}).get("required") for field in form["body"])


def test_the_commit_hook_is_make_lint() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    ((repository,), (hook,)) = config["repos"], config["repos"][0]["hooks"]
    assert repository["repo"] == "local"
    assert (hook["language"], hook["pass_filenames"]) == ("system", False)
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8").replace("$(PYTHON)", "python3")
    assert f"lint: ; {hook['entry']}\n" in makefile
