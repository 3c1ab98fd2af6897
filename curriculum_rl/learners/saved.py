"""Reading learners back from the directories they were saved to."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from curriculum_rl import plugins
from curriculum_rl.errors import ConfigError, wrong
from curriculum_rl.learners import seals
from curriculum_rl.learners.base import Learner
from curriculum_rl.learners.build import check_tokenizer
from curriculum_rl.learners.description import field, made
from curriculum_rl.learners.native.batched import BatchedLearner
from curriculum_rl.learners.native.transformer import TransformerConfig
from curriculum_rl.schema import own
from curriculum_rl.schema.learners import ModelOptions, OptimizerConfig
from curriculum_rl.text.tokenizers import Tokenizer


def load_learner(
    directory: Path | str,
    *,
    device: torch.device | str = "cpu",
    tokenizer: Tokenizer | None = None,
    trust: bool | None = None,
) -> Learner:
    """The learner that `save` wrote into a directory, of whichever kind.

    `learner.json` says the kind: one of ours, or the `module:Class` whose `load(directory, device=...)` reads it.

    Args:
        directory: of the learner; a run's is `<run>/learner`, or one of its `shard-<n>`.
        device: where it goes.
        tokenizer: of the environment that it comes into; None: it reads no text of one.
        trust: whether the file may name a class; None: as `CURRICULUM_RL_TRUST` says.

    Raises:
        ConfigError: where the directory holds no learner or a file of it does not fit, or the tokenizer that a run
            saved with it is another.
    """
    path = Path(directory) / seals.DESCRIPTION
    description = seals.read(directory)
    if tokenizer is not None:
        check_tokenizer(path.parent, tokenizer)
    kind = description.get("kind")
    if kind == "native":
        return load_batched(directory, device=device)
    if kind == "transformers":
        return load_transformers(directory, device=device)
    if isinstance(kind, str) and ":" in kind:
        own.check(kind, path, "kind", trust)
        found: Any = plugins.suitable(plugins.load(kind, f"{path}: kind"), Learner, kind, f"{path}: kind")
        if not callable(getattr(found, "load", None)):
            raise ConfigError(f"{path}: kind: {found.__name__} lacks load, which reads what it saved")
        loaded: Learner = plugins.require(found.load(Path(directory), device=device), Learner, f"{path}: kind")
        return loaded
    raise wrong(f"{path}: kind", kind, "native, transformers or module:Class")


def load_batched(directory: Path | str, *, device: torch.device | str = "cpu") -> BatchedLearner:
    """The native learner saved in a directory, with its optimizer where that was saved too.

    Raises:
        ConfigError: A file of it is missing, or does not fit the others.
    """
    folder = Path(directory)
    path = folder / "learner.json"
    description = seals.read(folder)
    config = made(TransformerConfig, description, "config", path)
    pad_id = field(description, "pad_id", int, path)
    if not 0 <= pad_id < config.vocab_size:
        raise wrong(f"{path}: pad_id", pad_id, f"one of the {config.vocab_size} tokens")
    learner = BatchedLearner(
        config,
        _optimizer(description, path),
        replicas=field(description, "replicas", int, path),
        pad_id=pad_id,
        device=device,
    )
    learner.flat.load(folder)
    return learner


def _optimizer(description: dict[str, Any], path: Path) -> OptimizerConfig:
    """The optimizer's settings; learners that were saved by 0.1 have `explosion` beside them."""
    beside = {key: description[key] for key in ("explosion",) if key in description}
    settings = {"optimizer": beside | field(description, "optimizer", dict, path)}
    return made(OptimizerConfig, settings, "optimizer", path)


@dataclass
class _SavedVocabulary:
    vocab_size: int
    pad_id: int
    eos_id: int


def load_transformers(directory: Path | str, *, device: torch.device | str = "cpu") -> Learner:
    """The `transformers` learner saved in a directory; its `reset` goes back to the saved weights of replica 0.

    Raises:
        ConfigError: A file of it is missing, or does not fit the others.
    """
    from curriculum_rl.learners.transformers.learner import TransformersLearner  # seconds to import
    from curriculum_rl.learners.transformers.light import Light
    from curriculum_rl.learners.transformers.vocabularies import embedding_rows

    folder = Path(directory)
    path = folder / "learner.json"
    description = seals.read(folder)
    vocabulary = made(_SavedVocabulary, description, "vocabulary", path)
    rows = embedding_rows(str(folder))
    if vocabulary.vocab_size != rows:
        raise wrong(f"{path}: vocabulary.vocab_size", vocabulary.vocab_size, f"that of config.json, {rows}")
    learner = TransformersLearner(
        str(folder),
        _optimizer(description, path),
        head=field(description, "head", str, path),  # type: ignore[arg-type]  # checked where it is used
        tokenizer=vocabulary,
        context=field(description, "context", int, path),
        replicas=field(description, "replicas", int, path),
        device=device,
        options=made(ModelOptions, description, "options", path),
        light=None if description.get("light") is None else made(Light, description, "light", path),
    )
    if learner.has_light:
        learner.load_light(folder)
    if learner.replicas > 1:
        learner.flat.load(folder)
    else:
        learner.flat.load_optimizer(folder)
    return learner
