"""Building a `transformers` model for language modelling, from a configuration, a local directory or a hub name."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, get_args

import torch

from curriculum_rl.errors import ConfigError, wrong
from curriculum_rl.schema import files
from curriculum_rl.schema.learners import Head, ModelOptions


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
) -> Any:
    """A float32 `transformers` model whose embedding has the tokenizer's size.

    Args:
        source: a configuration with `model_type`, a local directory or a hub name (safetensors only, no remote code).
        head: `causal` for next-token models, `masked` for models that read both directions.
        vocabulary: the tokenizer.
        seed: of whatever weights the source does not hold; torch's own generator is left as it was.
        options: attention and gradient checkpointing are prepared for.

    Raises:
        ConfigError: for an unknown model type or setting, a model that cannot be loaded or has no such head.
    """
    if head not in get_args(Head):
        raise wrong("learner.head", head, f"one of {', '.join(get_args(Head))}")
    with _quiet(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        chosen = ModelOptions() if options is None else options
        make: Any = _pretrained if isinstance(source, str) else _from_config
        made = make(source, head, vocabulary, chosen)
    if not chosen.dropout:
        _silence(made)
    if chosen.gradient_checkpointing:
        _checkpoint(made)
    return made


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
        raise ConfigError(f"learner.gradient_checkpointing: {_first_line(error)}") from error


def save(model: Any, directory: Path) -> None:
    """Write a model whose parameters share one buffer: safetensors wants tensors of their own (tied ones stay tied)."""
    copies: dict[int, torch.Tensor] = {}
    state = {
        name: copies.setdefault(tensor.data_ptr(), tensor.detach().cpu().clone())
        for name, tensor in model.state_dict().items()
    }
    with _quiet():
        model.save_pretrained(directory, state_dict=state)


def _auto_class(head: Head) -> Any:
    import transformers

    return transformers.AutoModelForCausalLM if head == "causal" else transformers.AutoModelForMaskedLM


def _from_config(source: Mapping[str, Any], head: Head, vocabulary: Vocabulary, options: ModelOptions) -> Any:
    from transformers import AutoConfig

    settings = dict(source)
    model_type = settings.pop("model_type", None)
    if not isinstance(model_type, str):
        raise ConfigError(f"learner.model: a configuration needs model_type, it has {sorted(source)}")
    if settings.pop("vocab_size", vocabulary.vocab_size) != vocabulary.vocab_size:
        raise ConfigError(
            f"learner.model.vocab_size is {source['vocab_size']}, the tokenizer's is {vocabulary.vocab_size}: drop it"
        )
    ids = {"pad_token_id": vocabulary.pad_id, "eos_token_id": vocabulary.eos_id, "bos_token_id": vocabulary.eos_id}
    try:
        config = AutoConfig.for_model(
            model_type, **(ids | {"use_cache": False} | settings), vocab_size=vocabulary.vocab_size
        )
        _refuse_unknown(type(config)(), settings, model_type)
        return _auto_class(head).from_config(config, attn_implementation=options.attention).float()
    except ConfigError:
        raise
    except (ValueError, TypeError, KeyError, AttributeError, ImportError) as error:
        raise ConfigError(f"learner.model {dict(source)} with head {head!r}: {_first_line(error)}") from error


def _refuse_unknown(default: Any, settings: Mapping[str, Any], model_type: str) -> None:
    """A misspelt size would be stored on the configuration and change nothing."""
    for name in settings:
        if not hasattr(default, name):
            raise ConfigError(f"learner.model.{name} is no setting of model_type {model_type!r}")


def _pretrained(source: str, head: Head, vocabulary: Vocabulary, options: ModelOptions) -> Any:
    folder = Path(source).expanduser()
    files.check_index(folder, f"learner.model {source!r}")
    name = str(folder) if folder.is_dir() else source
    try:
        model = _auto_class(head).from_pretrained(
            name,
            use_safetensors=True,
            trust_remote_code=False,
            dtype=torch.float32,
            attn_implementation=options.attention,
        )
    except (OSError, ValueError, KeyError, ImportError) as error:
        raise ConfigError(
            f"learner.model {source!r} cannot be loaded as a {head} model: {_first_line(error)}"
        ) from error
    if model.get_input_embeddings().num_embeddings != vocabulary.vocab_size:
        # New rows from the model's own initialiser: the mean of the old ones would need a covariance.
        model.resize_token_embeddings(vocabulary.vocab_size, mean_resizing=False)
    model.config.use_cache = False
    return model


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


@contextmanager
def _quiet() -> Iterator[None]:
    """No progress bars and warnings of `transformers`, which prints one for every load."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]
