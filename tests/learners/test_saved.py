"""Reading learners back: one of the user's own, and what cannot be read."""

import json

import pytest

from curriculum_rl.errors import ConfigError
from curriculum_rl.learners import load_learner
from curriculum_rl.learners.native.batched import BatchedLearner
from curriculum_rl.learners.native.transformer import TransformerConfig
from curriculum_rl.schema.learners import OptimizerConfig


class Own(BatchedLearner):
    """A learner of the user's own that reads itself back."""

    @classmethod
    def load(cls, directory, *, device):
        size = json.loads((directory / "learner.json").read_text())["size"]
        shape = TransformerConfig(vocab_size=size, context=8, layers=1, width=16, heads=1)
        return cls(shape, OptimizerConfig(), replicas=1, pad_id=0, device=device)


class Unread(Own):
    """One that cannot."""

    load = None  # type: ignore[assignment]


def test_a_learner_of_ones_own_is_read_by_its_class_where_the_file_is_trusted(tmp_path, monkeypatch):
    (tmp_path / "learner.json").write_text(json.dumps({"kind": f"{__name__}:Own", "size": 40}))
    with pytest.raises(ConfigError, match=rf"learner\.json: kind: '{__name__}:Own' is a class whose code would run"):
        load_learner(str(tmp_path))
    learner = load_learner(str(tmp_path), device="cpu", trust=True)
    assert (type(learner), learner.vocab_size) == (Own, 40)
    monkeypatch.setenv("CURRICULUM_RL_TRUST", "1")
    assert load_learner(tmp_path).vocab_size == 40
    with pytest.raises(ConfigError, match="--trust"):
        load_learner(tmp_path, trust=False)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("subprocess:Popen", "kind: Popen lacks bidirectional_rows, "),
        ("os:system", "kind: 'os:system' is no class, but builtin_function_or_method"),
        (f"{__name__}:Unread", "kind: Unread lacks load"),
        ("nowhere:Thing", "kind: 'nowhere:Thing': there is no module 'nowhere'"),
    ],
)
def test_what_is_no_learner_is_never_called(tmp_path, kind, said):
    (tmp_path / "learner.json").write_text(json.dumps({"kind": kind, "args": "true"}))
    with pytest.raises(ConfigError, match=rf"learner\.json: {said}"):
        load_learner(tmp_path, trust=True)


def test_what_cannot_be_loaded_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"learner\.json"):
        load_learner(tmp_path)
    for text in ("[]", "{", '{"kind": 1, "kind": 2}'):
        (tmp_path / "learner.json").write_text(text)
        with pytest.raises(ConfigError, match=r"learner\.json"):
            load_learner(tmp_path)
    (tmp_path / "learner.json").write_text('{"kind": "rnn"}')
    with pytest.raises(ConfigError, match="rnn"):
        load_learner(tmp_path)
