"""Building a `transformers` model for language modelling, from a configuration, a local directory or a hub name."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, get_args

import torch

from curriculum_rl.errors import ConfigError, wrong
from curriculum_rl.learners.transformers.configured import from_config
from curriculum_rl.learners.transformers.library import first_line, quiet
from curriculum_rl.learners.transformers.loading import pretrained
from curriculum_rl.schema.learners import Head, LoadingOptions, ModelOptions


class Vocabulary(Protocol):
    """What a learner needs to know of a tokenizer."""

    vocab_size: int
    pad_id: int
    eos_id: int


def build(
    source: str | Mapping[str, Any],
    *,
    head: Head,
    vocabulary: Vocabulary,
    seed: int,
    options: ModelOptions | None = None,
    loading: LoadingOptions | None = None,
) -> Any:
    """A float32 `transformers` model whose embedding has the tokenizer's size.

    Args:
        source: a configuration with `model_type`, a local directory or a hub name (safetensors only, no remote code).
        head: `causal` for next-token models, `masked` for models that read both directions.
        vocabulary: the tokenizer.
        seed: of whatever weights the source does not hold; torch's own generator is left as it was.
        options: attention and gradient checkpointing are prepared for.
        loading: what a checkpoint need not hold; None: nothing.

    Raises:
        ConfigError: for an unknown model type or setting, a model that cannot be loaded or has no such head.
    """
    if head not in get_args(Head):
        raise wrong("learner.head", head, f"one of {', '.join(get_args(Head))}")
    with quiet(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        chosen = ModelOptions() if options is None else options
        if isinstance(source, str):
            made = pretrained(source, head, chosen.attention, LoadingOptions() if loading is None else loading)
            if made.get_input_embeddings().num_embeddings != vocabulary.vocab_size:
                # New rows from the model's own initialiser: the mean of the old ones would need a covariance.
                made.resize_token_embeddings(vocabulary.vocab_size, mean_resizing=False)
        else:
            made = from_config(source, head, _ids(vocabulary), chosen)
    if made.config.is_encoder_decoder:
        raise ConfigError(f"learner.model: {type(made).__name__} reads two texts, an encoder's and a decoder's")
    if not chosen.dropout:
        _silence(made)
    if chosen.gradient_checkpointing:
        _checkpoint(made)
    return made


def _ids(vocabulary: Vocabulary) -> dict[str, int]:
    eos = vocabulary.eos_id
    ids = {"pad_token_id": vocabulary.pad_id, "eos_token_id": eos, "bos_token_id": eos}
    return ids | {"vocab_size": vocabulary.vocab_size}


def _silence(model: Any) -> None:
    """Set every dropout probability of the modules to 0; the configuration keeps its own, to be saved with it."""
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
        for name, value in vars(module).items():
            if "drop" in name and isinstance(value, float):
                setattr(module, name, 0.0)


def _checkpoint(model: Any) -> None:
    # `gradient_checkpointing_enable` is the name before transformers 5.20, deprecated since.
    enable = getattr(model, "activation_checkpointing_enable", None) or model.gradient_checkpointing_enable
    try:
        enable({"use_reentrant": False})
    except ValueError as error:
        raise ConfigError(f"learner.gradient_checkpointing: {first_line(error)}") from error


def save(model: Any, directory: Path) -> None:
    """Write a model whose parameters share one buffer: safetensors wants tensors of their own (tied ones stay tied)."""
    copies: dict[int, torch.Tensor] = {}
    state = {
        name: copies.setdefault(tensor.data_ptr(), tensor.detach().cpu().clone())
        for name, tensor in model.state_dict().items()
    }
    with quiet():
        model.save_pretrained(directory, state_dict=state)
