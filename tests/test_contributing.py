"""What CONTRIBUTING.md sends people to is there, and each recipe has its file, its row and its contract."""

import re
from pathlib import Path

import pytest

from curriculum_rl import plugins

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
RECIPES = dict(re.findall(r"^### An? (\w+)\n(.*?)(?=^### |\Z)", TEXT, flags=re.MULTILINE | re.DOTALL))


def test_links_and_files_exist() -> None:
    for link in re.findall(r"\]\(([\w./-]+)\)", TEXT):
        assert (ROOT / link).exists(), link
    files = re.findall(r"`([a-z_]+/[\w/.-]+(?:\.py|\.ini|/))`", TEXT)
    assert len(files) > 20
    for file in files:
        place = ROOT / file
        assert (place.parent if place.stem in ("mine", "test_mine") else place).exists(), file


def test_classes_exist() -> None:
    names = set(re.findall(r"`(curriculum_rl(?:\.\w+)*)\.([A-Z]\w+)`", TEXT))
    assert len(names) >= 12
    for module, name in names:
        plugins.load(f"{module}:{name}", "CONTRIBUTING.md")


@pytest.mark.parametrize(
    ("kind", "row", "contract"),
    [
        ("agent", "agents/entries/bandits.py", "RuleContract"),
        ("objective", "OBJECTIVES", "ObjectiveContract"),
        ("proxy", "PROXIES", "ProxyContract"),
        ("signal", "INSTRUMENTS", "SignalContract"),
        ("learner", "LEARNERS", "LearnerContract"),
        ("method", "METHODS", "MethodContract"),
        ("environment", "curriculum_rl/presets/", "test_presets.py"),
    ],
)
def test_a_recipe_for_every_kind(kind: str, row: str, contract: str) -> None:
    assert row in RECIPES[kind] and contract in RECIPES[kind]
