"""Runs of letters, signs or blanks: long ones in pieces, few of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curriculum_rl.text import runs
from curriculum_rl.text.runs import without_long_runs


@given(st.lists(st.text("ab .\n", max_size=400)))
def test_texts_without_long_runs_stay(texts: list[str]) -> None:
    assert list(without_long_runs(texts)) == texts


@pytest.mark.parametrize("character", ["a", "界", ".", " ", "\n"])
def test_a_long_run_is_cut_and_a_longer_one_ends(character: str) -> None:
    before, after = ("b. ", " b.") if character.strip() else (".", ".")
    assert "".join(without_long_runs([before + character * 3_500 + after])) == before + character * 3_500 + after
    pieces = list(without_long_runs([before + character * 5_000_000 + after, "next", character * 2_000]))
    assert max(map(len, pieces)) == 1_000
    assert sum(map(len, pieces)) == 2_000_000 + len(before) + len(after) + len("next")
    assert pieces[0] == before and "next" in pieces


def test_large_texts_are_looked_at_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["word " * 5_000, "x" * 3_000, "a" + " " * 2_000 + "b", "short"]
    small = list(without_long_runs(texts))
    monkeypatch.setattr(runs, "_SMALL", 10)
    assert list(without_long_runs(texts)) == small and len(small) == 1 + 5 + 4 + 1
