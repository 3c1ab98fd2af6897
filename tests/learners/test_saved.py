"""Saved learners go on as if nothing had happened."""

import pytest

from curriculum_rl.errors import ConfigError
from curriculum_rl.learners import load_learner


def test_what_cannot_be_loaded_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"learner\.json"):
        load_learner(tmp_path)
    (tmp_path / "learner.json").write_text('{"kind": "rnn"}')
    with pytest.raises(ConfigError, match="rnn"):
        load_learner(tmp_path)
