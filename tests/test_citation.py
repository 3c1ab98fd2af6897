"""CITATION.cff: readable, of this version, and about the papers that the documentation is about."""

import re
import tomllib
from pathlib import Path

import yaml

from curriculum_rl import __version__

ROOT = Path(__file__).resolve().parents[1]
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_it_has_what_the_format_asks_for() -> None:
    assert CITATION["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= CITATION.keys()
    assert CITATION["authors"] == [{"name": "The curriculum_rl authors"}]


def test_version_licence_and_keywords_are_those_of_the_package() -> None:
    assert str(CITATION["version"]) == __version__
    assert CITATION["license"] == PROJECT["license"]
    assert CITATION["keywords"] == PROJECT["keywords"]


def test_the_references_are_the_five_papers_of_the_documentation() -> None:
    pages = [page.read_text(encoding="utf-8") for page in sorted((ROOT / "docs" / "papers").glob("*.md"))]
    heads = {numbers[0]: page for page in pages if (numbers := re.findall(r"arXiv (\d{4}\.\d{5})", page))}
    cited = {reference["url"].removeprefix("https://arxiv.org/abs/"): reference for reference in CITATION["references"]}
    assert cited.keys() == heads.keys()
    assert len(cited) == 5
    for number, reference in cited.items():
        words = " ".join(heads[number].split())
        assert f"*{reference['title']}*" in words
        assert words.startswith("# ") and reference["authors"][0]["family-names"] in words[:120]
