"""Forty runs of six kinds, killed at random moments: no row is lost, no bit differs, no continuation is refused."""

import pytest

KINDS = {"bandit": 12, "mixture": 11, "policy": 5, "replay": 3, "shards": 1, "compare": 8}


@pytest.mark.parametrize(("kind", "count"), KINDS.items())
def test_killed_runs_go_on(kind, count, commands, surviving, tmp_path):
    outcomes = list(surviving("kills").play(commands, range(count), 0, tmp_path, (kind,)))
    assert len(outcomes) == count
    assert [outcome for outcome in outcomes if not outcome.survived] == []


def test_all_kinds_are_here(surviving):
    assert surviving("kills").KINDS.keys() == KINDS.keys()
