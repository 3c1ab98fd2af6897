"""Splits: disjoint groups and texts, shares in characters, content in the fingerprint."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curriculum_rl.errors import ConfigError
from curriculum_rl.text.documents import Document, MemorySource
from curriculum_rl.text.splits import PartSource, SplitSource, split

FRACTIONS = {"train": 0.7, "signal": 0.05, "reward": 0.1, "report": 0.15}
rows = st.lists(st.builds(Document, st.text("ab", min_size=1, max_size=3), st.sampled_from(["", "x", "y", "z"])))


@given(rows)
def test_no_group_and_no_text_is_in_two_parts(documents: list[Document]) -> None:
    parts = split(documents, FRACTIONS)
    assert list(parts) == list(FRACTIONS)
    for what in ("group", "text"):
        found = [{getattr(row, what) for row in part} - {""} for part in parts.values()]
        assert sum(map(len, found)) == len(set().union(*found))
    assert {row.text for part in parts.values() for row in part} == {row.text for row in documents}


def test_shares_are_met_in_characters_whole_groups_at_a_time() -> None:
    documents = [Document(f"{i} " + "word " * (i % 40), group=f"g{i // 5}") for i in range(1_500)]
    parts = split(documents, FRACTIONS)
    total = sum(len(row.text) for row in documents)
    shares = [sum(len(row.text) for row in part) / total for part in parts.values()]
    assert shares == pytest.approx(list(FRACTIONS.values()), abs=0.008)
    assert all([documents.index(row) for row in part] == sorted(map(documents.index, part)) for part in parts.values())
    assert split(documents, FRACTIONS) == parts


def test_a_small_part_of_few_groups_is_not_empty() -> None:
    parts = split([Document(f"speech {i}", group=str(i)) for i in range(20)], {"train": 0.95, "heldout": 0.05})
    assert [len(part) for part in parts.values()] == [19, 1]


def test_a_text_of_several_groups_stays_in_the_last_part() -> None:
    documents = [Document("the same", group=str(i)) for i in range(20)] + [
        Document(f"own {i}", str(i)) for i in range(20)
    ]
    parts = split(documents, {"train": 0.5, "heldout": 0.5})
    assert [sum(row.text == "the same" for row in part) for part in parts.values()] == [0, 10]


@pytest.mark.parametrize("fractions", [{}, {"train": 0.9}, {"train": 1.5, "heldout": -0.5}, {"a": 1.0, "b": 0.0}])
def test_fractions_must_add_up(fractions: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=r"fractions: must be positive and add up to 1"):
        split([], fractions)


class _Counted(MemorySource):
    reads = 0

    def documents(self):
        type(self).reads += 1
        return super().documents()


def test_a_source_is_read_once_and_only_when_asked() -> None:
    source = SplitSource(_Counted([Document(f"text {i}", label=str(i % 3)) for i in range(100)]), FRACTIONS)
    assert len({source.fingerprint(part) for part in FRACTIONS}) == 4
    assert _Counted.reads == 0
    assert sum(len(source.documents(part)) for part in FRACTIONS) == 100
    assert source.classes() == ("0", "1", "2")
    assert list(PartSource(source, "report").documents()) == source.documents("report")
    assert PartSource(source, "report").fingerprint() == source.fingerprint("report")
    assert _Counted.reads == 1


def test_the_fingerprint_knows_fractions() -> None:
    memory = MemorySource([Document("a")])
    sources = [SplitSource(memory, {"a": 0.5, "b": 0.5}), SplitSource(memory, {"a": 0.4, "b": 0.6})]
    sources += [SplitSource(memory, {"b": 0.5, "a": 0.5})]
    assert len({source.fingerprint("a") for source in sources}) == 3


def test_parts_that_are_missing_or_empty_are_named() -> None:
    source = SplitSource(MemorySource([Document("alone")]), {"train": 0.9, "heldout": 0.1})
    with pytest.raises(ConfigError, match=r"part 'heldout' has no document .train: 1, heldout: 0.: too few documents"):
        source.documents("heldout")
    with pytest.raises(ConfigError, match=r"part: must be one of train, heldout \(got 'test'\)"):
        source.fingerprint("test")
    with pytest.raises(ConfigError, match="label_field: a labelled target needs two classes"):
        source.classes()


def test_numbers_and_booleans_are_no_labels_of_one_source() -> None:
    rows = [Document(f"text {n}", label=label) for n, label in enumerate(["0", "1", "true", "false"] * 3)]
    with pytest.raises(ConfigError, match="label_field: '0' and 'false' are both labels, a number and a boolean"):
        SplitSource(MemorySource(rows), {"train": 0.5, "heldout": 0.5}).classes()
