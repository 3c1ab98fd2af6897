"""Reading learners back: one of the user's own, and what cannot be read."""

import json

import pytest

from curriculum_rl.errors import ConfigError
from curriculum_rl.experiment import build
from curriculum_rl.learners import load_learner
from curriculum_rl.learners.build import make_learner
from curriculum_rl.schema import load as configs
from curriculum_rl.testing.problems import GPT2
from curriculum_rl.text.tokenizers import train_bpe


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


def test_a_learner_comes_to_the_tokens_it_was_trained_on(experiment, tiny, tmp_path):
    """Also one of several shards, whose tokenizer is in the folder above, and one that an environment begins with."""
    model = {"kind": "transformers", "model": GPT2}
    began = build(configs.load(tiny, {"learner": model, "tasks": [{"objective": "causal_lm"}]}))
    make_learner(experiment.config, experiment.problem).save(tmp_path / "run" / "shard-0")
    make_learner(began.config, began.problem).save(tmp_path / "own")
    changes = {"learner.model": str(tmp_path / "own")}
    for folder in (tmp_path / "run", tmp_path / "own"):
        experiment.tokenizer.save(folder)
    load_learner(tmp_path / "run" / "shard-0", tokenizer=experiment.tokenizer)
    make_learner(configs.load(began.config, changes), began.problem)
    for folder in (tmp_path / "run", tmp_path / "own"):
        train_bpe(["other words"], vocab_size=400, labels=4).save(folder)
    with pytest.raises(ConfigError, match=r"learner: '.*shard-0' was trained with another tokenizer"):
        load_learner(tmp_path / "run" / "shard-0", tokenizer=experiment.tokenizer)
    with pytest.raises(ConfigError, match=r"learner: '.*own' was trained with another tokenizer"):
        make_learner(configs.load(began.config, changes), began.problem)
    load_learner(tmp_path / "run" / "shard-0")
