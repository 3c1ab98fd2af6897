"""Counts of what reading passed over, and of labels and groups; kept in the cache."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from made_sources import WRITERS, files, written

from curriculum_rl.errors import ConfigError
from curriculum_rl.text import counts
from curriculum_rl.text.cache import Cache
from curriculum_rl.text.counts import Counts, counted
from curriculum_rl.text.documents import CappedSource, Document, MemorySource, Tally
from curriculum_rl.text.splits import SplitSource

NOTHING = Counts(0, 0, 0, 0, 0, 0, 0, 0, {}, 0, 0, 0)


@pytest.mark.parametrize("name", WRITERS)
def test_rows_that_are_passed_over_are_counted(tmp_path: Path, name: str) -> None:
    kinds = [("a b", "x", 1), (None, "x", 1), (" ", "y", None), ("cd", None, None), ("ef", "", 2), ("g", "x", 1)]
    rows = [{"text": text, "label": label, "group": group, "kept": True} for text, label, group in kinds]
    path = written(tmp_path, name, [*rows, *({**row, "kept": False} for row in rows)])
    source = files(path, label_field="label", group_field="group", where={"kept": True})
    assert counted(source).counts == Counts(
        documents=4,
        characters=8,
        filtered=6,
        without_text=2,
        beyond_cap=0,
        labelled=2,
        unlabelled=2,
        classes=1,
        labels={"x": 2},
        groups=2,
        grouped=3,
        ungrouped=1,
    )
    capped = counted(CappedSource(source, 5)).counts
    assert (capped.characters, capped.documents + capped.beyond_cap) == (5, 4)
    assert (capped.filtered, capped.without_text) == (6, 2)
    alone = counted(CappedSource(MemorySource([Document("one text"), Document("another one")]), 12)).counts
    assert (alone.characters, alone.groups, alone.grouped, alone.ungrouped) == (12, 0, 0, 2)


def test_words_are_counted_by_tag() -> None:
    rows = [Document("In Rome", "", "O B-LOC", tagged=True), Document("so"), Document("x", "", "O", tagged=True)]
    found = Counts.of(rows, Tally())
    assert (found.labelled, found.unlabelled, found.classes, found.labels) == (2, 1, 2, {"B-LOC": 1, "O": 2})


def test_the_commonest_labels_are_counted_one_by_one() -> None:
    rows = [Document(f"{n} {k}", "", f"{n:03}") for n in range(150) for k in range(1 + (n >= 120))]
    found = Counts.of(rows, Tally())
    assert found.classes == 150 and len(found.labels) == 100 and found.labelled == 180
    assert {f"{n}" for n in range(120, 150)} <= found.labels.keys() and list(found.labels) == sorted(found.labels)


def test_a_remark_says_what_may_surprise() -> None:
    rows = [Document("a", "g", "x"), Document("b"), Document("c", "", "x")]
    assert Counts.of(rows, Tally(filtered=9)).remark() == "1 without a label, 2 without a group"
    assert Counts.of(rows[1:2], Tally(without_text=1_200)).remark() == "1,200 without text"
    assert Counts.of(rows[1:2], Tally(filtered=9)).remark() == "" == NOTHING.remark()


def test_counts_are_kept_and_read_without_a_document(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "a b"}\n{"text": null}\n{"text": "c"}\n')
    fractions = {"train": 0.5, "heldout": 0.5}
    first = SplitSource(files(tmp_path / "a.jsonl"), fractions).counts(Cache(tmp_path / "cache"))
    again = SplitSource(files(tmp_path / "a.jsonl"), fractions)
    assert again.counts(Cache(tmp_path / "cache")) == first and first.without_text == 1 and first.documents == 2
    assert "_read" not in vars(again)


def test_memory_is_bounded_where_nothing_caps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "_MEMORY", 1 << 20)
    read = 0

    class Endless(MemorySource):
        def documents(self) -> Iterator[Document]:
            nonlocal read
            for number in range(1_000_000):
                read += 1
                yield Document(f"text {number}")

    with pytest.raises(ConfigError, match=r"max_characters: more than [\d,]+ documents take 1 MiB"):
        counted(Endless([]))
    assert 1_000 < read < 10_000
    monkeypatch.setattr(counts, "_MEMORY", 1 << 8)
    assert counted(CappedSource(MemorySource([Document("a" * 900)] * 3), 2_000)).counts.characters == 2_000
