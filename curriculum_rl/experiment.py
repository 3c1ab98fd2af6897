"""An environment file made real: tokenizer, tasks, target, and what makes learners and proxies from them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch

from curriculum_rl.batch import Batch
from curriculum_rl.errors import ConfigError
from curriculum_rl.learners.base import Learner
from curriculum_rl.learners.build import make_learner
from curriculum_rl.learners.transformers.light import require_light
from curriculum_rl.objectives import Classification, Objective, ReadsTags, Tagging
from curriculum_rl.objectives.build import language_modelling, make_objective
from curriculum_rl.proxies.base import Proxy
from curriculum_rl.proxies.build import make_proxy
from curriculum_rl.proxies.finetune import FewShotFineTune
from curriculum_rl.schema import EnvConfig
from curriculum_rl.schema.learners import TransformersLearner
from curriculum_rl.schema.proxies import FineTuneProxy, FineTuneSettings
from curriculum_rl.tasks import Task, Windows
from curriculum_rl.text import divergence
from curriculum_rl.text.cache import Cache
from curriculum_rl.text.corpora import Corpus, LabelledCorpus
from curriculum_rl.text.library import Library
from curriculum_rl.text.tagged import TaggedCorpus
from curriculum_rl.text.targets import Split, Target
from curriculum_rl.text.tokenizers import Tokenizer

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Experiment:
    """All that runs of one environment share.

    Attributes:
        config: the validated environment.
        tokenizer: of the learner.
        tasks: the K arms.
        target: what matters downstream.
        heldout: the part of every read corpus that no task trains on.
        hashes: sha256 of the tokens of every corpus.
        divergence: (K,) of each task's corpus from the target's signal split, as `target.divergence` says; bits.
        baselines: nats per token of unigram and bigram counts on the target's report split.
    """

    config: EnvConfig
    tokenizer: Tokenizer
    tasks: tuple[Task, ...]
    target: Target
    heldout: Mapping[str, Corpus]
    hashes: Mapping[str, str]
    divergence: Floats
    baselines: Mapping[str, float]

    @property
    def target_objective(self) -> str:
        """The name of the objective that the target's text is scored under."""
        return _modelling(self.config, self.tokenizer).name

    @property
    def told(self) -> dict[str, Floats]:
        """What agents are told of every task when a run begins, (K,) each.

        `divergence`; `corpus_tokens`, how long its corpus is; `target_objective`, 1 where its objective is the
        target's own; `target_signal`, 1 for the task that trains on the target's signal split.
        """
        signal = self.target.text["signal"]
        return {
            "divergence": self.divergence.copy(),
            "corpus_tokens": np.array([float(len(task.corpus.tokens)) for task in self.tasks]),
            "target_objective": np.array([float(t.objective.name == self.target_objective) for t in self.tasks]),
            "target_signal": np.array([float(task.corpus is signal) for task in self.tasks]),
        }

    def make_learner(self, replicas: int = 1) -> Learner:
        """Learners as the configuration says, not yet reset.

        Raises:
            ConfigError: if the learner cannot be made, or cannot do one of the tasks' objectives.
        """
        learner = make_learner(self.config, self.tokenizer, replicas=replicas)
        for task in self.tasks:
            if not (learner.causal_rows if task.objective.causal else learner.bidirectional_rows):
                way = "left to right" if task.objective.causal else "in both directions"
                raise ConfigError(f"tasks: {task.name} needs a learner that reads {way}; learner.head says otherwise")
        return learner

    def make_proxy(self, learner: Learner, seeds: Sequence[int]) -> Proxy:
        """The proxy of a run; every replica's windows are drawn by its seed."""
        return make_proxy(self, learner, seeds)

    def target_windows(self, learner: Learner, split: Split, count: int, seeds: Sequence[int]) -> Batch:
        """(N, count, T) windows of a split of the target under the learner's own way of language modelling."""
        corpus = self.target.text[split]
        if corpus.size(self.config.context) < count:
            raise ConfigError(
                f"sequences: {count} windows of the target's {split} split were asked for, "
                f"it has {corpus.size(self.config.context)}"
            )
        return self._windows(learner, corpus, f"target {split}", count, seeds)

    def target_task(self, split: Split, *, causal: bool) -> Task:
        """Language modelling on a split of the target, as what others are compared with; nothing trains on it."""
        return Task(f"target {split}", self.target.text[split], language_modelling(self.tokenizer, causal=causal))

    def heldout_windows(self, learner: Learner, name: str, count: int, seeds: Sequence[int]) -> Batch:
        """(N, up to count, T) windows of the held-out part of a corpus."""
        corpus = self.heldout[name]
        return self._windows(learner, corpus, f"heldout {name}", min(count, corpus.size(self.config.context)), seeds)

    def few_shot(
        self, learner: Learner, split: Split, settings: FineTuneSettings, seeds: Sequence[int]
    ) -> FewShotFineTune:
        """A few-shot fine-tune on signal examples, scored on a split; without updates, a task's objective scored on it.

        Raises:
            ConfigError: if the target has no labels, there are no updates and no task trains them, or light parameters
                are to be tuned that the learner lacks.
        """
        if settings.tune == "light":
            require_light(learner, "finetune.tune: light")
        kind: type[Classification | Tagging] = Classification
        labelled: Mapping[Split, LabelledCorpus | TaggedCorpus] = self.target.labelled
        if self.target.tagged:
            kind, labelled = Tagging, self.target.tagged
        else:
            self.require_labels("finetune")
        objective = kind(self.tokenizer, causal=learner.causal_rows, first=settings.first_label)
        if not settings.updates:
            objective = self._trained_objective(settings, kind, labelled["signal"].classes)
        return FewShotFineTune(
            train=labelled["signal"],
            test=labelled[split],
            objective=objective,
            settings=settings,
            context=min(settings.length or self.config.context, self.config.context),
            seeds=seeds,
        )

    def _trained_objective(
        self, settings: FineTuneSettings, kind: type[Classification | Tagging], classes: tuple[str, ...]
    ) -> Classification | Tagging:
        """That of the first task which trains the target's classes, on the label tokens that the settings name."""
        trained: list[str] = []
        for task in self.tasks:
            if isinstance(task.corpus, LabelledCorpus | TaggedCorpus) and isinstance(task.objective, kind):
                if task.corpus.classes == classes and task.objective.first == settings.first_label:
                    return task.objective
                trained.append(f"{task.name} ({', '.join(task.corpus.classes)}, from {task.objective.first})")
        key = "proxy" if isinstance(settings, FineTuneProxy) else "report.finetune"
        raise ConfigError(
            f"{key}.updates: 0 scores the learner as it is, and no task with labels trains the target's classes "
            f"({', '.join(classes)}) from label token {settings.first_label} on; "
            f"there are: {'; '.join(trained) or 'none'}"
        )

    def _windows(self, learner: Learner, corpus: Corpus, name: str, count: int, seeds: Sequence[int]) -> Batch:
        objective = language_modelling(self.tokenizer, causal=learner.causal_rows)
        task = Task(name, corpus, objective)
        parts = [task.batch(seed=seed, first=0, rows=count, context=self.config.context) for seed in seeds]
        return Batch(
            torch.stack([part.input_ids for part in parts]),
            torch.stack([part.targets for part in parts]),
            torch.stack([part.weights for part in parts]),
            torch.stack([part.causal for part in parts]),
        )

    def require_labels(self, key: str) -> None:
        """See that the target has labels, one for a text.

        Raises:
            ConfigError: naming the key that needs them.
        """
        if self.target.tagged:
            raise ConfigError(
                f"{key}: needs one label for a text, and the words of target.corpus {self.target.name!r} have tags"
            )
        if not self.target.labelled:
            raise ConfigError(f"{key}: needs labels, and target.corpus {self.target.name!r} has no label_field")


def build(config: EnvConfig) -> Experiment:
    """Read, split and tokenise everything an environment names.

    Raises:
        ConfigError: for whatever is missing, empty, too short or does not fit together.
    """
    _check_device(config.device)
    library = Library(config, Cache())
    tokenizer = library.tokenizer
    target = library.target()
    tasks = _tasks(config, library, target)
    for corpus in [*target.text.values(), *(task.corpus for task in tasks)]:
        corpus.size(config.context)
    texts = [task.corpus.tokens for task in tasks]
    signal = target.text["signal"].tokens
    return Experiment(
        config=config,
        tokenizer=tokenizer,
        tasks=tasks,
        target=target,
        heldout=library.heldout(),
        hashes=library.hashes(),
        divergence=divergence.of_terms(config.target.divergence, signal, texts, tokenizer.vocab_size),
        baselines=_baselines(library, target, tokenizer),
    )


def _check_device(device: str) -> None:
    try:
        kind = torch.device(device).type
    except RuntimeError:
        raise ConfigError(f"device: {device!r} is no torch device") from None
    if kind not in ("cpu", "cuda") or (kind == "cuda" and not torch.cuda.is_available()):
        raise ConfigError(f"device: {device!r} cannot be used here")


def _is_causal(config: EnvConfig) -> bool:
    """Whether the learner reads left to right by itself; one that can do both does."""
    return not (isinstance(config.learner, TransformersLearner) and config.learner.head == "masked")


def _modelling(config: EnvConfig, tokenizer: Tokenizer) -> Objective:
    """The learner's own way of language modelling."""
    return language_modelling(tokenizer, causal=_is_causal(config))


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
        signal, objective = target.text["signal"], _modelling(config, library.tokenizer)
        tasks.append(Task(f"{signal.name}.{objective.name}", signal, objective))
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


def _baselines(library: Library, target: Target, tokenizer: Tokenizer) -> dict[str, float]:
    """What counting alone reaches: trained on the target's own corpus where a task has it, else on the signal split."""
    train = library.target_train() or target.text["signal"]
    tokens = target.text["report"].tokens[:200_000]
    counts = divergence.unigram(train.tokens, tokenizer.vocab_size)
    return {
        "unigram": divergence.unigram_loss(counts, tokens),
        "bigram": divergence.bigram_loss(train.tokens, tokens, tokenizer.vocab_size),
    }
