"""An environment file made real: what all its replicas share, and the problem that they are given."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch

from curriculum_rl.errors import ConfigError
from curriculum_rl.heldout import HeldOut
from curriculum_rl.learners.build import weights_sha256
from curriculum_rl.objectives import Objective, ReadsTags
from curriculum_rl.objectives.build import language_modelling, make_objective
from curriculum_rl.priors.tasks import prior
from curriculum_rl.problem import Problem
from curriculum_rl.schema import Custom, EnvConfig
from curriculum_rl.tasks import Task, Windows
from curriculum_rl.text import divergence
from curriculum_rl.text.cache import Cache
from curriculum_rl.text.corpora import Corpus
from curriculum_rl.text.counts import Counts
from curriculum_rl.text.disjoint import Overlap
from curriculum_rl.text.library import Library
from curriculum_rl.text.targets import Target
from curriculum_rl.text.tokenizers import Tokenizer


@dataclass(frozen=True)
class Experiment:
    """What an environment file is once its texts are read.

    Attributes:
        config: the validated environment.
        problem: tasks, target, held-out windows, divergences, a prior.
        hashes: sha256 of the tokens of every corpus.
        counts: what reading counted of every corpus that is read, and of the target's own as "target.corpus".
        overlap: what stood on both sides and was taken out of train parts.
    """

    config: EnvConfig
    problem: Problem
    hashes: Mapping[str, str]
    counts: Mapping[str, Counts]
    overlap: Overlap

    @property
    def tokenizer(self) -> Tokenizer:
        """Of the learners."""
        return self.problem.tokenizer

    @cached_property
    def data(self) -> dict[str, str]:
        """What a run is made of besides its configuration: sha256 by name.

        `corpora.<name>` of every corpus that is read, `target.<split>` of every split, `tokenizer`, and `learner` where
        it begins with the weights of a model.
        """
        weights = weights_sha256(self.config)
        learner = {} if weights is None else {"learner": weights}
        return {**self.overlap.texts, "tokenizer": self.tokenizer.fingerprint, **learner}


def build(config: EnvConfig, cache: Cache | None = None) -> Experiment:
    """Read, split and tokenise everything an environment names.

    Args:
        config: the environment.
        cache: where tokenised corpora are kept; None: the user's.

    Raises:
        ConfigError: for whatever is missing, empty, too short or does not fit together.
    """
    _check_device(config.device)
    cache = cache or Cache()
    library = Library(config, cache)
    target = library.target()
    tasks = _tasks(config, library, target)
    for corpus in [*target.text.values(), *(task.corpus for task in tasks)]:
        corpus.size(config.context)
    return Experiment(
        config=config,
        problem=_problem(config, library, target, tasks, cache),
        hashes=library.hashes(),
        counts=library.counts(),
        overlap=library.overlap,
    )


def _problem(config: EnvConfig, library: Library, target: Target, tasks: tuple[Task, ...], cache: Cache) -> Problem:
    signal, texts = target.text["signal"], [task.corpus.tokens for task in tasks]
    tokenizer = library.tokenizer
    heldout = HeldOut(
        corpora=library.heldout(),
        signal=signal,
        own=config.target.corpus if isinstance(config.target.corpus, str) else None,
        reported=config.report.task_sequences,
        context=config.context,
    )
    return Problem(
        tokenizer=tokenizer,
        context=config.context,
        tasks=tasks,
        target=target,
        heldout=heldout,
        divergence=divergence.of_terms(config.target.divergence, signal.tokens, texts, tokenizer.vocab_size),
        prior=_prior(config, tasks, signal, tokenizer, cache),
        causal=_is_causal(config),
        learning_rate=config.optimizer.learning_rate,
    )


def _prior(
    config: EnvConfig, tasks: tuple[Task, ...], signal: Corpus, tokenizer: Tokenizer, cache: Cache
) -> npt.NDArray[np.float64] | None:
    if config.target.prior == "none":
        return None
    own = language_modelling(tokenizer, causal=_is_causal(config)).name
    return prior(config.target.prior, tasks, signal, objective=own, tokenizer=tokenizer, cache=cache)


def _check_device(device: str) -> None:
    try:
        kind = torch.device(device).type
    except RuntimeError:
        raise ConfigError(f"device: {device!r} is no torch device") from None
    if kind not in ("cpu", "cuda") or (kind == "cuda" and not torch.cuda.is_available()):
        raise ConfigError(f"device: {device!r} cannot be used here")


def _is_causal(config: EnvConfig) -> bool:
    """Whether the learner reads left to right by itself; one that can do both does."""
    return isinstance(config.learner, Custom) or config.learner.causal


def _tasks(config: EnvConfig, library: Library, target: Target) -> tuple[Task, ...]:
    tasks: list[Task] = []
    causal = _is_causal(config)
    for entry in config.tasks:
        objective = make_objective(entry.objective, library.tokenizer, causal=causal, context=config.context)
        names = list(config.corpora) if entry.corpora == "all" else entry.corpora
        for name in names:
            task = Task(f"{name}.{objective.name}", _corpus(library, name, objective), objective)
            given = [] if entry.depth is None else entry.depths(0)
            tasks += [replace(task, name=f"{task.name}@{depth}", depth=depth) for depth in given] or [task]
    if config.target.train:
        signal, own = target.text["signal"], language_modelling(library.tokenizer, causal=causal)
        tasks.append(Task(f"{signal.name}.{own.name}", signal, own))
    names = [task.name for task in tasks]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"tasks: {name!r} is there {names.count(name)} times")
    return tuple(tasks)


def _corpus(library: Library, name: str, objective: Objective) -> Windows:
    """The corpus of a name as an objective needs it."""
    if isinstance(objective, ReadsTags):
        return library.tagged(name)
    return library.labelled(name) if objective.labelled else library.corpus(name)
