"""Forty runs of six kinds, killed at random moments: no row is lost, no bit differs, no continuation is refused."""

import pytest

KINDS = ("bandit", "mixture", "policy", "replay", "shards", "compare")


@pytest.mark.parametrize("kind", KINDS)
def test_killed_runs_go_on(kind, commands, surviving, tmp_path):
    count = 4 if kind == "shards" else 7
    outcomes = list(surviving("kills").play(commands, range(count), 0, tmp_path, (kind,)))
    assert len(outcomes) == count
    assert [outcome for outcome in outcomes if not outcome.survived] == []


def test_all_kinds_are_here(surviving):
    assert tuple(surviving("kills").KINDS) == KINDS
