"""Tables of the docs that follow from the code: made anew they are the same, and nothing is left out."""

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from curriculum_rl.schema import KINDS, Section
from curriculum_rl.signals import SIGNALS

ROOT = Path(__file__).resolve().parent.parent


def _tables() -> Any:
    spec = importlib.util.spec_from_file_location("docs_tables", ROOT / "docs" / "tables.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


TABLES = _tables()
PAGES = {page: page.read_text(encoding="utf-8") for page in TABLES.pages()}


@pytest.mark.parametrize("page", [page for page, text in PAGES.items() if TABLES.MARKED.search(text)], ids=str)
def test_tables_made_anew_are_the_same(page: Path) -> None:
    assert TABLES.written(PAGES[page]) == PAGES[page], "run python docs/tables.py"


def test_every_table_stands_on_one_page() -> None:
    standing = [found[2] for text in PAGES.values() for found in TABLES.MARKED.finditer(text)]
    assert sorted(standing) == sorted(TABLES.TABLES)


def test_a_changed_table_is_seen() -> None:
    page = ROOT / "docs" / "environments.md"
    assert TABLES.written(PAGES[page].replace("| `heldout_loss` |", "| `held_out` |")) == PAGES[page]


def test_every_kind_and_every_signal_is_there() -> None:
    text = PAGES[ROOT / "docs" / "environments.md"]
    for name in [*SIGNALS, *(section.name() for sections in KINDS.values() for section in sections)]:
        assert f"`{name}`" in text


def _described(section: type[Section]) -> list[str]:
    """The keys of a section without a description."""
    kind = {"kind"} if hasattr(section, "builds") else set()
    return [key for key, field in section.model_fields.items() if key not in kind and not field.description]


SECTIONS = [*TABLES.SECTIONS.values(), *(section for sections in KINDS.values() for section in sections)]


@pytest.mark.parametrize("section", SECTIONS)
def test_every_key_says_what_it_is(section: type[Section]) -> None:
    assert _described(section) == []
