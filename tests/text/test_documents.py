"""Documents, capped and shuffled sources."""

import weakref
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curriculum_rl import draws
from curriculum_rl.errors import ConfigError
from curriculum_rl.text.documents import CappedSource, Document, MemorySource, ShuffledSource, Source, Tally, read

ROWS = [Document(f"text {i:03} " + "word " * (i % 7), group=f"g{i // 4}", label=str(i % 2)) for i in range(200)]
SOURCE = MemorySource(ROWS)


def test_fingerprints_follow_the_content_and_the_options() -> None:
    sources: list[Source] = [
        SOURCE,
        MemorySource(ROWS[:-1]),
        CappedSource(SOURCE, 500),
        CappedSource(SOURCE, 501),
        ShuffledSource(SOURCE, 0),
        ShuffledSource(SOURCE, 1),
        ShuffledSource(MemorySource(ROWS[:-1]), 0),
    ]
    assert len({source.fingerprint() for source in sources}) == len(sources)
    assert MemorySource(list(ROWS)).fingerprint() == SOURCE.fingerprint()


def test_a_cap_takes_whole_groups_from_everywhere_in_order() -> None:
    kept = list(CappedSource(SOURCE, 1_500).documents())
    assert sum(len(row.text) for row in kept) == 1_500
    assert [row.text[:8] for row in kept] == sorted(row.text[:8] for row in kept)
    assert sum(row not in ROWS for row in kept) <= 1  # one is cut
    by_group = Counter(row.group for row in kept)
    assert sum(count < 4 for count in by_group.values()) <= 1
    numbers = [int(group[1:]) for group in by_group]
    assert min(numbers) < 10 and max(numbers) > 40


def test_a_smaller_cap_takes_a_subset() -> None:
    small, large = ([*CappedSource(SOURCE, cap).documents()] for cap in (700, 1_500))
    assert sum(row not in large for row in small) <= 1


@given(
    st.lists(st.builds(Document, st.text("abc ", min_size=1, max_size=9), st.sampled_from(["", "x", "y"]))),
    st.integers(1, 60),
)
def test_a_cap_takes_the_first_of_a_random_order(rows: list[Document], cap: int) -> None:
    order = sorted(range(len(rows)), key=lambda n: (draws.key("capped", rows[n].group or rows[n].text), n))
    kept, left = {}, cap
    for n in order:
        start = rows[n].text[:left]
        if start.strip() or start == rows[n].text:
            whole = start == rows[n].text
            kept[n] = rows[n] if whole else Document(start, rows[n].group or rows[n].text)
        left -= len(start)
        if start != rows[n].text:
            break
    assert list(CappedSource(MemorySource(rows), cap).documents()) == [kept[n] for n in sorted(kept)]


def test_a_cap_holds_no_more_than_it_keeps() -> None:
    """Documents that are given away may go: of 20,000 texts never more are alive than fit."""
    alive: weakref.WeakSet[_Text] = weakref.WeakSet()
    most = 0

    class Stream(MemorySource):
        def documents(self) -> Iterator[Document]:
            nonlocal most
            for number in range(20_000):
                text = _Text(f"text {number:06}")
                alive.add(text)
                most = max(most, len(alive))
                yield Document(text)
                del text

    tally = Tally()
    kept = list(read(CappedSource(Stream([]), 1_100), tally))
    assert len(kept) == 100 and tally.beyond_cap == 19_900 and most <= 105


class _Text(str):
    __slots__ = ("__weakref__",)
    __hash__ = str.__hash__


def test_a_cap_above_the_source_changes_nothing() -> None:
    assert list(CappedSource(SOURCE, 10**9).documents()) == ROWS


def test_a_cap_of_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"max_characters: must be at least 1 \(got 0\)"):
        CappedSource(SOURCE, 0)


def test_shuffled_words_are_the_same_words() -> None:
    original = [Document("one two three  four\nfive six seven eight", label="a"), Document("x")]
    shuffled = list(ShuffledSource(MemorySource(original), 0).documents())
    assert Counter(shuffled[0].text.split(" ")) == Counter(original[0].text.split())
    assert shuffled[0].text.split() != original[0].text.split()
    assert shuffled[0].label == "a" and shuffled[0].group == original[0].text
    assert shuffled == list(ShuffledSource(MemorySource(original), 0).documents())
    assert shuffled != list(ShuffledSource(MemorySource(original), 1).documents())
