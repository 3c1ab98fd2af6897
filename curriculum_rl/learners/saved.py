"""Reading learners back from the directories they were saved to."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from curriculum_rl import plugins
from curriculum_rl.errors import ConfigError, wrong
from curriculum_rl.learners import seals
from curriculum_rl.learners.base import Learner
from curriculum_rl.learners.native.batched import BatchedLearner
from curriculum_rl.learners.native.transformer import TransformerConfig
from curriculum_rl.schema import own
from curriculum_rl.schema.learners import ModelOptions, OptimizerConfig


def load_learner(directory: Path | str, *, device: torch.device | str = "cpu", trust: bool | None = None) -> Learner:
    """The learner that `save` wrote into a directory, of whichever kind.

    `learner.json` says the kind: one of ours, or the `module:Class` whose `load(directory, device=...)` reads it.

    Args:
        directory: where.
        device: to put it on.
        trust: whether the file may name a class; None: as `CURRICULUM_RL_TRUST` says.

    Raises:
        ConfigError: where the directory holds no learner or a file of it does not fit.
    """
    path = Path(directory) / seals.DESCRIPTION
    kind = seals.read(directory).get("kind")
    if kind == "native":
        return load_batched(directory, device=device)
    if kind == "transformers":
        return load_transformers(directory, device=device)
    if isinstance(kind, str) and ":" in kind:
        own.check(kind, path, "kind", trust)
        found: Any = plugins.suitable(plugins.load(kind, f"{path}: kind"), Learner, kind, f"{path}: kind")
        if not callable(getattr(found, "load", None)):
            raise ConfigError(f"{path}: kind: {found.__name__} lacks load, which reads what it saved")
        made: Learner = plugins.require(found.load(Path(directory), device=device), Learner, f"{path}: kind")
        return made
    raise wrong(f"{path}: kind", kind, "native, transformers or module:Class")


def load_batched(directory: Path | str, *, device: torch.device | str = "cpu") -> BatchedLearner:
    """The native learner saved in a directory, with its optimizer where that was saved too."""
    folder = Path(directory)
    description = seals.read(folder)
    learner = BatchedLearner(
        TransformerConfig(**description["config"]),
        _optimizer(description),
        replicas=description["replicas"],
        pad_id=description["pad_id"],
        device=device,
    )
    learner.flat.load(folder)
    return learner


def _optimizer(description: dict[str, Any]) -> OptimizerConfig:
    """The optimizer's settings; learners that were saved by 0.1 have `explosion` beside them."""
    beside = {key: description[key] for key in ("explosion",) if key in description}
    return OptimizerConfig(**(beside | description["optimizer"]))


@dataclass
class _SavedVocabulary:
    vocab_size: int
    pad_id: int
    eos_id: int


def load_transformers(directory: Path | str, *, device: torch.device | str = "cpu") -> Learner:
    """The `transformers` learner saved in a directory; its `reset` goes back to the saved weights of replica 0."""
    from curriculum_rl.learners.transformers.learner import TransformersLearner  # seconds to import
    from curriculum_rl.learners.transformers.light import Light

    folder = Path(directory)
    description = seals.read(folder)
    learner = TransformersLearner(
        str(folder),
        _optimizer(description),
        head=description["head"],
        tokenizer=_SavedVocabulary(**description["vocabulary"]),
        context=description["context"],
        replicas=description["replicas"],
        device=device,
        options=ModelOptions(**description["options"]),
        light=None if description.get("light") is None else Light(**description["light"]),
    )
    if learner.has_light:
        learner.load_light(folder)
    if learner.replicas > 1:
        learner.flat.load(folder)
    else:
        learner.flat.load_optimizer(folder)
    return learner
