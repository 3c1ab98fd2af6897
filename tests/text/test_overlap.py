"""Texts on both sides of a split: what is the same text, what stands in another, and what shares thirteen words."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curriculum_rl.text import overlap
from curriculum_rl.text.documents import Document
from curriculum_rl.text.overlap import GRAM, Cut, HeldOutTexts, grams_of, lines_of

line = st.lists(st.sampled_from(["a", "B", "b", "ẞ"]), min_size=1, max_size=2).map(" ".join)
text = st.lists(line, min_size=1, max_size=4).map("\n".join)


def test_white_space_and_case_make_no_other_text() -> None:
    assert lines_of(" The\tSTRASSE \n\n\u00a0\r\n  is  long\u2028Now ") == ["the strasse", "is long", "now"]
    assert lines_of("the Straße") == lines_of("THE STRASSE")
    assert lines_of(" \n\t") == []


def runs(lines: list[str]) -> list[tuple[int, int]]:
    return [(a, b) for a in range(len(lines)) for b in range(a + 1, len(lines) + 1)]


@given(st.lists(text, max_size=4), text)
def test_what_is_found_is_what_a_search_of_every_run_of_lines_finds(held: list[str], asked: str) -> None:
    lines, documents = lines_of(asked), [lines_of(one) for one in held]
    inside = any(lines == document[a:b] for document in documents for a, b in runs(document))
    whole = any(" ".join(lines) == " ".join(document) for document in documents)
    wanted = {n for a, b in runs(lines) if lines[a:b] in documents for n in range(a, b)}
    if inside or whole:
        wanted = {*range(len(lines))}
    found = set(HeldOutTexts(held).found_in(lines))
    # Beyond the search: a run of lines whose words are a document's, though that breaks its lines elsewhere.
    assert wanted <= found
    joined = {" ".join(document) for document in documents}
    assert found <= wanted | {n for a, b in runs(lines) if " ".join(lines[a:b]) in joined for n in range(a, b)}


words = st.lists(st.sampled_from("abc"), max_size=GRAM + 3)


@given(st.lists(words, max_size=4), st.lists(words, max_size=4))
def test_near_duplicates_share_thirteen_words_of_one_text(held: list[list[str]], asked: list[list[str]]) -> None:
    def shingles(text: list[str]) -> set[tuple[str, ...]]:
        return {tuple(text[n : n + GRAM]) for n in range(len(text) - GRAM + 1)}

    texts = HeldOutTexts(" ".join(one) for one in held)
    found = {int(number) for grams, numbers in grams_of([[" ".join(one)] for one in asked if one])
             for number in numbers[texts.shares(grams)]}  # fmt: skip
    stand: set[tuple[str, ...]] = set().union(*map(shingles, held))
    assert found == {n for n, one in enumerate(one for one in asked if one) if shingles(one) & stand}


def test_words_are_hashed_in_several_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [[" ".join(f"w{n}-{k}" for k in range(GRAM + 1))] for n in range(50)]
    whole = next(grams_of(texts))
    monkeypatch.setattr(overlap, "_AT_ONCE", 200)
    parts = list(grams_of(texts))
    assert len(parts) > 10
    assert np.array_equal(np.concatenate([grams for grams, _ in parts]), whole[0])
    assert np.concatenate([numbers for _, numbers in parts]).tolist() == np.repeat(np.arange(50), 2).tolist()


def test_a_cut_takes_documents_and_lines() -> None:
    rows = [Document("a"), Document("b\n\nc\nd", "g", "x"), Document("e\nf")]
    assert Cut([0], {1: [0], 2: [1]})(rows) == [Document("c\nd", "g", "x"), Document("e", "e\nf")]
    assert not Cut()
    assert Cut()(rows) == rows
