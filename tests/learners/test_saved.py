"""Reading learners back: one of the user's own, and what cannot be read."""

import json

import pytest

from curriculum_rl.errors import ConfigError
from curriculum_rl.learners import load_learner


class Own:
    """What a learner of the user's own needs to be read back."""

    @classmethod
    def load(cls, directory, *, device):
        return json.loads((directory / "learner.json").read_text())["size"], device


def test_a_learner_of_ones_own_is_read_by_its_class(tmp_path):
    (tmp_path / "learner.json").write_text(json.dumps({"kind": f"{__name__}:Own", "size": 3}))
    assert load_learner(str(tmp_path), device="meta") == (3, "meta")


def test_what_cannot_be_loaded_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"learner\.json"):
        load_learner(tmp_path)
    (tmp_path / "learner.json").write_text('{"kind": "nowhere:Thing"}')
    with pytest.raises(ConfigError, match=r"learner\.json: kind: 'nowhere:Thing': there is no module 'nowhere'"):
        load_learner(tmp_path)
    (tmp_path / "learner.json").write_text('{"kind": "rnn"}')
    with pytest.raises(ConfigError, match="rnn"):
        load_learner(tmp_path)
