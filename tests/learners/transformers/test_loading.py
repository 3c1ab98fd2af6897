"""A checkpoint is read whole, or the weights that are missing or too many are named."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from made_models import BERT, GPT2, LLAMA, Words
from safetensors.torch import load_file, save_file

from curriculum_rl.errors import ConfigError
from curriculum_rl.learners.transformers.learner import TransformersLearner
from curriculum_rl.schema.learners import Head, LoadingOptions
from curriculum_rl.schema.learners import TransformersLearner as Section

UNTIED = LLAMA | {"tie_word_embeddings": False}
MODELS: list[tuple[dict[str, Any], Head]] = [(UNTIED, "causal"), (LLAMA, "causal"), (GPT2, "causal"), (BERT, "masked")]


def _saved(folder: Path, model: dict[str, Any], head: Head) -> dict[str, torch.Tensor]:
    """A saved model, all of whose weights are a quarter; its tensors by name."""
    made = TransformersLearner(model, head=head, tokenizer=Words(), context=16)
    for block in made.flat.parameters.values():
        block.fill_(0.25)
    made.save(folder)
    return load_file(folder / "model.safetensors")


def _loaded(folder: Path, head: Head, **allowed: tuple[str, ...]) -> TransformersLearner:
    return TransformersLearner(str(folder), head=head, tokenizer=Words(), context=16, loading=LoadingOptions(**allowed))


def _write(folder: Path, tensors: dict[str, torch.Tensor]) -> None:
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})


@pytest.mark.parametrize(("model", "head"), MODELS)
def test_what_was_saved_is_loaded_and_a_missing_weight_is_named(
    model: dict[str, Any], head: Head, tmp_path: Path
) -> None:
    tensors = _saved(tmp_path, model, head)
    learner = _loaded(tmp_path, head)
    assert all(bool((block == 0.25).all()) for block in learner.flat.parameters.values())
    for name in sorted(tensors)[::4]:
        _write(tmp_path, {other: tensor for other, tensor in tensors.items() if other != name})
        with pytest.raises(ConfigError, match=rf"is not the checkpoint of a \w+: it lacks .*{name}") as caught:
            _loaded(tmp_path, head)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("model", "head"), MODELS)
def test_names_of_another_program_are_refused(model: dict[str, Any], head: Head, tmp_path: Path) -> None:
    tensors = _saved(tmp_path, model, head)
    for prefix in ("_orig_mod.", "module.", "other."):
        _write(tmp_path, {prefix + name: tensor for name, tensor in tensors.items()})
        with pytest.raises(ConfigError, match=rf"it has {prefix}.* has not .*; it lacks"):
            _loaded(tmp_path, head)


def test_exceptions_are_by_name_and_have_an_effect(tmp_path: Path) -> None:
    tensors = _saved(tmp_path, UNTIED, "causal")
    head = tensors.pop("lm_head.weight")
    _write(tmp_path, tensors | {"extra.weight": head})
    with pytest.raises(ConfigError, match=r"extra\.weight .*allow_unexpected.*lm_head\.weight .*allow_missing"):
        _loaded(tmp_path, "causal")
    learner = _loaded(tmp_path, "causal", allow_missing=("lm_head.*",), allow_unexpected=("extra.*",))
    fresh = learner.flat.parameters["lm_head.weight"]
    assert 0.01 < float(fresh.std()) < 0.03
    assert bool((learner.flat.parameters["model.embed_tokens.weight"] == 0.25).all())
    with pytest.raises(ConfigError, match=r"learner\.allow_missing: nothing of the kind is called 'norm\*'"):
        _loaded(tmp_path, "causal", allow_missing=("lm_head.*", "norm*"), allow_unexpected=("extra.*",))
    with pytest.raises(ConfigError, match="allow_missing: must be left out where model is a configuration"):
        Section(kind="transformers", model=LLAMA, allow_missing=("lm_head.*",))


def test_a_wrong_shape_is_named_with_both(tmp_path: Path) -> None:
    tensors = _saved(tmp_path, LLAMA, "causal")
    _write(tmp_path, tensors | {"model.norm.weight": torch.ones(31)})
    with pytest.raises(ConfigError, match=r"model\.norm\.weight has shape \(31,\), wanted \(32,\)"):
        _loaded(tmp_path, "causal")


def test_tied_weights_that_differ_are_refused(tmp_path: Path) -> None:
    tensors = _saved(tmp_path, UNTIED, "causal")
    settings = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(settings | {"tie_word_embeddings": True}))
    assert bool((_loaded(tmp_path, "causal").flat.parameters["model.embed_tokens.weight"] == 0.25).all())
    _write(tmp_path, tensors | {"lm_head.weight": torch.ones(50, 32)})
    with pytest.raises(ConfigError, match=r"ties lm_head\.weight to model\.embed_tokens\.weight, its weights differ"):
        _loaded(tmp_path, "causal")


def test_a_checkpoint_with_losses_of_its_own_is_refused(tmp_path: Path) -> None:
    mixtral = {**LLAMA, "model_type": "mixtral", "num_key_value_heads": 1, "num_local_experts": 2}
    _saved(tmp_path, mixtral, "causal")
    assert _loaded(tmp_path, "causal").flat.size() > 0
    settings = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(settings | {"output_router_logits": True}))
    with pytest.raises(ConfigError, match="no router losses are added"):
        _loaded(tmp_path, "causal")


def test_files_that_are_no_checkpoint_are_one_line(tmp_path: Path) -> None:
    _saved(tmp_path, LLAMA, "causal")
    weights = (tmp_path / "model.safetensors").read_bytes()
    for damaged in (b"", weights[:100], weights[:-10], b"no" + weights):
        (tmp_path / "model.safetensors").write_bytes(damaged)
        with pytest.raises(ConfigError) as caught:
            _loaded(tmp_path, "causal")
        assert "\n" not in str(caught.value) and str(tmp_path) in str(caught.value)
    (tmp_path / "model.safetensors").write_bytes(weights)
    (tmp_path / "adapter_config.json").write_text("{}")
    with pytest.raises(ConfigError, match="is an adapter of `peft`"):
        _loaded(tmp_path, "causal")


def test_a_checkpoint_of_torch_save_is_explained(tmp_path: Path) -> None:
    tensors = _saved(tmp_path, GPT2, "causal")
    (tmp_path / "model.safetensors").unlink()
    torch.save(tensors, tmp_path / "pytorch_model.bin")
    with pytest.raises(
        ConfigError, match=r"no file named model.safetensors .*; of checkpoints of torch.save, save_pre"
    ):
        _loaded(tmp_path, "causal")
