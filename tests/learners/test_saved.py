"""Reading learners back: one of the user's own, and what cannot be read."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from made_models import BERT, GPT2, Words
from safetensors.torch import load, save_file

from curriculum_rl.errors import ConfigError
from curriculum_rl.experiment import build
from curriculum_rl.learners import BatchedLearner, TransformerConfig, load_learner
from curriculum_rl.learners.build import make_learner
from curriculum_rl.learners.transformers.learner import TransformersLearner
from curriculum_rl.learners.transformers.light import Light
from curriculum_rl.schema import load as configs
from curriculum_rl.schema.learners import OptimizerConfig
from curriculum_rl.text.tokenizers import train_bpe


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


CONFIG = TransformerConfig(vocab_size=50, layers=1, width=32, heads=2, context=16)
MAKERS: dict[str, Callable[[], Any]] = {
    "native": lambda: BatchedLearner(CONFIG, replicas=2, pad_id=0),
    "one": lambda: TransformersLearner(GPT2, tokenizer=Words(), context=16),
    "two": lambda: TransformersLearner(GPT2, tokenizer=Words(), context=16, replicas=2),
    "light": lambda: TransformersLearner(
        BERT, head="masked", tokenizer=Words(), context=16, light=Light(kind="adapter", labels=(48, 49))
    ),
}


@pytest.fixture(params=MAKERS)
def saved(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A learner that was saved with its optimizer, without hashes: what is changed by hand has to be seen."""
    MAKERS[request.param]().save(tmp_path, optimizer=True)
    description = json.loads((tmp_path / "learner.json").read_text())
    del description["sha256"]
    (tmp_path / "learner.json").write_text(json.dumps(description))
    return tmp_path


def _refused(folder: Path, *said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_learner(folder)
    message = str(caught.value)
    assert "\n" not in message and all(part in message for part in (str(folder), *said)), message


def test_a_description_that_is_damaged_or_not_whole_is_named(saved: Path) -> None:
    path = saved / "learner.json"
    text = path.read_text()
    whole = json.loads(text)
    for damaged in ("", text[:30], "[1]", "[" * 5000, "null"):
        path.write_text(damaged)
        _refused(saved, "learner.json")
    for key in whole:
        if key not in {"kind", "light"}:
            path.write_text(json.dumps({name: value for name, value in whole.items() if name != key}))
            _refused(saved, "learner.json", key)
            path.write_text(json.dumps(whole | {key: []}))
            _refused(saved, "learner.json", key)
    for key, value in whole.items():
        if isinstance(value, dict):
            path.write_text(json.dumps(whole | {key: value | {"extra": 1}}))
            _refused(saved, "learner.json", key, "extra")


def test_a_vocabulary_of_another_size_is_refused(saved: Path) -> None:
    path = saved / "learner.json"
    whole = json.loads(path.read_text())
    key = "config" if whole["kind"] == "native" else "vocabulary"
    path.write_text(json.dumps(whole | {key: whole[key] | {"vocab_size": 60}}))
    _refused(saved, "50" if key == "vocabulary" else "embedding")


def test_tensors_that_do_not_fit_are_named(saved: Path) -> None:
    for file in saved.glob("*.safetensors"):
        content = file.read_bytes()
        tensors = load(content)
        first = sorted(tensors)[0]
        changed = tensors[first].flatten()[:-1].clone()
        file.write_bytes(content[:-5])
        _refused(saved)
        for wrong in (
            {name: tensor for name, tensor in tensors.items() if name != first},
            tensors | {"extra": tensors[first].clone()},
            tensors | {first: changed},
        ):
            save_file(wrong, file, {"format": "pt"})
            _refused(saved)
        file.write_bytes(content)
    assert load_learner(saved).size > 0
