"""The pages of `docs/decisions`: numbered, in one form, in the index, and about files that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "decisions"
PAGES = sorted(FOLDER.glob("[0-9]*.md"))
HEADINGS = ["Status", "Context", "Decision", "Consequences"]
FILES = {
    path.name
    for folder in ("curriculum_rl", "envs", "agents", "scripts", "tests")
    for path in (ROOT / folder).rglob("*.py")
}
INDEX = (FOLDER / "README.md").read_text(encoding="utf-8")


def text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def title(page: Path) -> str:
    return text(page).split("\n", 1)[0].removeprefix("# ")


def test_numbers_follow_each_other() -> None:
    assert [page.name[:5] for page in PAGES] == [f"{number:04}-" for number in range(1, len(PAGES) + 1)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_has_its_number_and_the_four_headings(page: Path) -> None:
    assert title(page).startswith(f"{page.name[:4]}. ")
    assert re.findall(r"^## (.+)$", text(page), flags=re.MULTILINE) == HEADINGS
    parts = re.split(r"^## .+$", text(page), flags=re.MULTILINE)[1:]
    assert all(part.strip() for part in parts)
    assert re.match(r"(Accepted|Superseded by \[\d{4}\])", parts[0].strip())


def test_the_index_lists_every_page_once_by_its_title() -> None:
    rows = re.findall(r"^\| \[(.+?)\]\((\S+?)\) \| (.+) \|$", INDEX, flags=re.MULTILINE)
    assert [(name, file) for name, file, _ in rows] == [(title(page), page.name) for page in PAGES]


@pytest.mark.parametrize("page", [*PAGES, FOLDER / "README.md"], ids=lambda page: page.stem)
def test_what_a_page_names_exists(page: Path) -> None:
    for link in re.findall(r"\]\(([\w./-]+)\)", text(page)):
        assert (page.parent / link).exists(), link
    assert set(re.findall(r"`(\w+\.py)`", text(page))) <= FILES
