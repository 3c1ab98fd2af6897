"""Loading a `transformers` checkpoint: what was not in it, or was beside, is an error unless it is allowed by name."""

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError

from curriculum_rl.errors import ConfigError
from curriculum_rl.learners.transformers.library import auto_class, first_line, reason
from curriculum_rl.schema import files
from curriculum_rl.schema.learners import Head, LoadingOptions

NAMED = 3
"""How many weights an error names."""
ADAPTER_FILE = "adapter_config.json"


def pretrained(source: str, head: Head, attention: str, loading: LoadingOptions) -> Any:
    """The float32 model of a checkpoint, every weight of which was read from it.

    Args:
        source: a local directory or a hub name (safetensors only, no remote code).
        head: which kind of model.
        attention: which code.
        loading: the exceptions.

    Raises:
        ConfigError: for a checkpoint that cannot be read, is not whole, or holds what the model does not have.
    """
    folder = Path(source).expanduser()
    if (folder / ADAPTER_FILE).exists():
        raise ConfigError(f"learner.model {source!r} is an adapter of `peft`: merge it into its model first")
    files.check_index(folder, f"learner.model {source!r}")
    try:
        model, info = auto_class(head).from_pretrained(
            str(folder) if folder.is_dir() else source,
            use_safetensors=True,
            trust_remote_code=False,
            dtype=torch.float32,
            attn_implementation=attention,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # they are refused below, by name
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ImportError, RuntimeError, SafetensorError) as e:
        raise ConfigError(f"learner.model {source!r} cannot be loaded as a {head} model: {reason(e)}") from e
    _check_whole(source, model, info, loading)
    _check_tied(source, model)
    if getattr(model.config, "output_router_logits", False):
        raise ConfigError(
            f"learner.model {source!r}: no router losses are added: set output_router_logits to false there"
        )
    model.config.use_cache = False
    return model


def _check_whole(source: str, model: Any, info: dict[str, Any], loading: LoadingOptions) -> None:
    name = type(model).__name__
    wrong = [f"{key} has shape {tuple(there)}, wanted {tuple(here)}" for key, there, here in info["mismatched_keys"]]
    wrong += [first_line(ValueError(message)) for message in info["error_msgs"]]
    missing = _not_allowed("allow_missing", info["missing_keys"], loading.allow_missing)
    unexpected = _not_allowed("allow_unexpected", info["unexpected_keys"], loading.allow_unexpected)
    if missing:
        wrong.append(f"it lacks {_some(missing)} (learner.allow_missing)")
    if unexpected:
        wrong.append(f"it has {_some(unexpected)} that {name} has not (learner.allow_unexpected)")
    if wrong:
        raise ConfigError(f"learner.model {source!r} is not the checkpoint of a {name}: {'; '.join(sorted(wrong))}")


def _not_allowed(option: str, names: Iterable[str], patterns: Sequence[str]) -> list[str]:
    """The names, sorted, that no pattern matches.

    Raises:
        ConfigError: for a pattern that matches none: it has no effect.
    """
    given = sorted(names)
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in given):
            raise ConfigError(f"learner.{option}: nothing of the kind is called {pattern!r}")
    return [name for name in given if not any(fnmatchcase(name, pattern) for pattern in patterns)]


def _some(names: Sequence[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")


def _check_tied(source: str, model: Any) -> None:
    """Weights that the configuration ties, and that the checkpoint has twice, would be one after the next resize."""
    for one, other in model.get_expanded_tied_weights_keys(all_submodels=True).items():
        if model.get_parameter(one) is not model.get_parameter(other):
            raise ConfigError(
                f"learner.model {source!r}: its config.json ties {one} to {other}, its weights differ: "
                "set tie_word_embeddings there"
            )
