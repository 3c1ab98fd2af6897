"""A `transformers` model from a configuration, every key of which does something or is refused.

The classes of the library take any key, and read some only for generation, for other heads or for a loss of their own.
"""

import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from typing import Any

from huggingface_hub.errors import StrictDataclassError

from curriculum_rl.errors import ConfigError, wrong
from curriculum_rl.learners.transformers.library import auto_class, reason
from curriculum_rl.schema.learners import Head, ModelOptions

INSTEAD = {
    "dtype": "parameters are float32, learner.precision is that of products",
    "torch_dtype": "parameters are float32, learner.precision is that of products",
    "attn_implementation": "set learner.attention",
    "_attn_implementation": "set learner.attention",
    "gradient_checkpointing": "set learner.gradient_checkpointing",
    "label_smoothing": "set optimizer.label_smoothing",
    "use_cache": "nothing is generated",
    "output_attentions": "what a model returns is ours to say",
    "output_hidden_states": "what a model returns is ours to say",
    "return_dict": "what a model returns is ours to say",
    "quantization_config": "parameters are float32",
    "is_encoder_decoder": "no learner reads two texts",
    "add_cross_attention": "no learner reads two texts",
}
"""Keys that change nothing here, with the reason or what to set instead; false and null are what they are."""
LOSSES = re.compile(r"output_router_logits|.*(aux|router|z|balanc\w*)_(loss|alpha)\w*|.*loss_(coef|weight|alpha)\w*")
"""Keys of losses that the library adds to its own; ours is that of the scored tokens alone."""
RANDOM = re.compile(r".*(drop|jitter|noise).*")
"""Keys of what is random in training alone."""
ROPE = ("rope_theta", "rope_scaling")
"""Older names, which the library turns into `rope_parameters`."""

UNHEEDED = ("transformers.configuration_utils", "transformers.generation", "transformers.heterogeneity")
"""Modules that read all keys, whatever they are for."""


def from_config(source: Mapping[str, Any], head: Head, ids: Mapping[str, int], options: ModelOptions) -> Any:
    """A model with fresh float32 weights.

    Args:
        source: `model_type` and settings of its configuration class.
        head: which kind of model.
        ids: `vocab_size` and ids of special tokens, which the tokenizer decides.
        options: how it is run.

    Raises:
        ConfigError: for a configuration that the library refuses, or with a key that has no effect.
    """
    settings = dict(source)
    model_type = settings.pop("model_type", None)
    if not isinstance(model_type, str):
        raise ConfigError(f"learner.model: a configuration needs model_type, it has {sorted(source)}")
    _check_ids(settings, ids)
    chosen = {name: value for name, value in settings.items() if name not in ids}
    try:
        config_class = _config_class(model_type)
        _check_names(config_class, chosen, options)
        config = config_class(**({"use_cache": False} | chosen | dict(ids)))
        model = auto_class(head).from_config(config, attn_implementation=options.attention).float()
    except ConfigError:
        raise
    except (
        ValueError, TypeError, KeyError, AttributeError, ImportError, AssertionError, RuntimeError, StrictDataclassError
    ) as error:  # fmt: skip
        raise ConfigError(f"learner.model {dict(source)} with head {head!r}: {reason(error)}") from error
    _check_values(model, chosen)
    return model


@contextmanager
def reads_of(source: str | Mapping[str, Any]) -> Iterator[None]:
    """Raises ConfigError at the end for a key of a configuration that nothing read: it has no effect.

    What reads a configuration in the meantime is the model that is built, and tried.
    """
    if isinstance(source, str):
        yield
        return
    model_type = source.get("model_type")
    try:
        config_class = _config_class(model_type)
    except (ValueError, KeyError, TypeError, AttributeError):
        yield  # the model that is built says so
        return
    seen: set[str] = set()
    plain = config_class.__getattribute__

    def noted(self: Any, name: str) -> Any:
        module = sys._getframe(1).f_globals.get("__name__", "")
        if module.startswith("transformers.") and not module.startswith(UNHEEDED):
            seen.add(name)
        return plain(self, name)

    config_class.__getattribute__ = noted
    try:
        yield
    finally:
        del config_class.__getattribute__
    aliases = config_class.attribute_map
    known = seen | {aliases[name] for name in seen if name in aliases}
    for name, value in source.items():
        if name == "model_type" or name in ROPE or name.endswith("_token_id") or name == "vocab_size" or not value:
            continue
        if aliases.get(name, name) not in known:
            raise ConfigError(f"learner.model.{name}: {model_type} with this head does not read it")


def _config_class(model_type: Any) -> Any:
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    if model_type not in CONFIG_MAPPING:
        raise ValueError(f"Unrecognized model identifier: {model_type}")
    return CONFIG_MAPPING[model_type]


def _check_ids(settings: Mapping[str, Any], ids: Mapping[str, int]) -> None:
    for name, value in ids.items():
        if settings.get(name, value) != value:
            raise ConfigError(f"learner.model.{name} is {settings[name]}, the tokenizer's is {value}: drop it")


def _check_names(config_class: Any, settings: Mapping[str, Any], options: ModelOptions) -> None:
    """A misspelt size would be stored on the configuration and change nothing."""
    known = {field.name for field in fields(config_class)} | set(config_class.attribute_map)
    for name, value in settings.items():
        place = f"learner.model.{name}"
        if name in INSTEAD or LOSSES.fullmatch(name):
            if value not in ((None, True) if name == "return_dict" else (None, False, 0)):
                raise ConfigError(f"{place} has no effect: {INSTEAD.get(name, 'losses of its own are not added')}")
        elif name not in known and not (name in ROPE and "rope_parameters" in known):
            raise ConfigError(f"{place} is no setting of model_type {config_class.model_type!r}")
        elif RANDOM.fullmatch(name) and isinstance(value, int | float) and value > 0 and not options.dropout:
            raise wrong(place, value, "0 unless learner.dropout is true: nothing is dropped")
        _check_inner(config_class, name, value)


def _check_inner(config_class: Any, name: str, value: Any) -> None:
    """The keys of a configuration inside another one."""
    inner: Any = getattr(config_class, "sub_configs", {}).get(name)
    if not isinstance(value, Mapping) or not hasattr(inner, "attribute_map"):
        return
    known = {field.name for field in fields(inner)} | set(inner.attribute_map) | {"model_type"}
    for key in value:
        if key not in known:
            raise ConfigError(f"learner.model.{name}.{key} is no setting of {inner.model_type!r}")


def _check_values(model: Any, settings: Mapping[str, Any]) -> None:
    """What the library has made of the settings: another key may overrule one, or a class may not heed it."""
    config = model.config
    for name, value in settings.items():
        if name in ROPE or not isinstance(value, bool | int | float | str):
            continue
        found = getattr(config, name, value)
        if found != value and (found is None or isinstance(found, bool | int | float | str)):
            raise ConfigError(f"learner.model.{name}: {value!r} has become {found!r} beside other keys")
    if "tie_word_embeddings" in settings and model.get_output_embeddings() is not None:
        tied = model.get_output_embeddings().weight is model.get_input_embeddings().weight
        if tied != settings["tie_word_embeddings"]:
            what = "ties its embeddings always" if tied else "does not tie its embeddings"
            raise ConfigError(f"learner.model.tie_word_embeddings: {type(model).__name__} {what}")
