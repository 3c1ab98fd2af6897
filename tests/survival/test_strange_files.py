"""500 environment files and 100 corpora with something strange in them: a run, or a line that says what is wrong."""

from collections import Counter

import pytest


@pytest.mark.parametrize("number", range(4))
def test_environment_files(number, commands, surviving, tmp_path):
    tried = list(surviving("files").play(commands, 125, number, tmp_path))
    assert len(tried) >= 100  # hypothesis leaves out what it has tried
    assert [(data, verdict) for data, verdict in tried if not verdict.sound] == []
    assert Counter(verdict.name for _, verdict in tried).keys() == {"accepted", "refused"}


@pytest.mark.parametrize("number", range(2))
def test_corpora(number, commands, surviving, tmp_path):
    tried = list(surviving("corpora").play(commands, 50, number, tmp_path))
    assert len(tried) >= 40
    assert [one for one in tried if not one[2].sound] == []
    assert Counter(verdict.name for *_, verdict in tried).keys() == {"accepted", "refused"}


@pytest.mark.parametrize("name", ["nesting of 5,000", "number of 6,000 digits"])
def test_files_that_are_too_much(name, commands, surviving, tmp_path):
    for _, verdict in surviving("corpora").play_great(commands, tmp_path, (name,)):
        assert verdict.sound
