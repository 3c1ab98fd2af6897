"""The tasks of an environment, ranked by how far their text is from the target's, by every measure there is.

Shape letters: K tasks, V vocabulary, d width of the features, T tokens of a window.
"""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from scipy.stats import rankdata, spearmanr  # type: ignore[import-untyped]

from curriculum_rl.batch import Batch
from curriculum_rl.draws import key, window_of
from curriculum_rl.errors import ConfigError, wrong
from curriculum_rl.experiment import Experiment
from curriculum_rl.learners.base import Learner
from curriculum_rl.learners.build import make_learner
from curriculum_rl.ranking.features import FEATURE_MEASURES
from curriculum_rl.tasks import Task
from curriculum_rl.text import divergence
from curriculum_rl.text.corpora import Corpus

Floats = npt.NDArray[np.float64]
ROWS = 256
"""Windows of every text that a learner reads."""


MEASURES = (*divergence.TERM_MEASURES, *FEATURE_MEASURES)
"""Names of all measures: first those of token distributions, then those that need a learner."""


@dataclass(frozen=True)
class Measured:
    """What one measure says.

    Attributes:
        name: of the measure.
        divergence: (K,) of each task's text from the target's.
        seconds: wall time of all of it, reading included, as if no other measure had been asked for.
        flops: likewise; leading terms, and a learner's forward passes as the ledger would charge them.
    """

    name: str
    divergence: Floats
    seconds: float
    flops: float

    @property
    def ranks(self) -> Floats:
        """(K,) 1 for the closest task; ties share their mean rank."""
        found: Floats = rankdata(self.divergence)
        return found

    def pruned(self, share: float) -> list[int]:
        """The numbers of the farthest tasks that an agent's option `prune` leaves out, ascending.

        Args:
            share: of the tasks, rounded down, in [0, 1); one task stays. Of equally far ones the later go first.
        """
        K = len(self.divergence)
        count = min(K - 1, int(share * K + 1e-9))
        return sorted(np.argsort(self.divergence, kind="stable")[K - count :].tolist())


@dataclass(frozen=True)
class Ranking:
    """What all measures say of all tasks.

    Attributes:
        target: name of the target.
        tasks: K names.
        texts: K names of what they train on; tasks of one corpus have the same text.
        measures: in the order asked for.
    """

    target: str
    tasks: tuple[str, ...]
    texts: tuple[str, ...]
    measures: tuple[Measured, ...]

    def agreement(self) -> Floats:
        """(M, M) Spearman's correlation of the measures over the different texts; NaN where one is constant."""
        first = [self.texts.index(text) for text in dict.fromkeys(self.texts)]
        columns = [measured.divergence[first] for measured in self.measures]
        return np.array([[_spearman(one, other) for other in columns] for one in columns])

    def order(self) -> list[int]:
        """The tasks from the closest to the farthest, by their mean rank over the measures; a text's stay together."""
        mean = np.mean([measured.ranks for measured in self.measures], axis=0)
        texts = [self.texts.index(text) for text in self.texts]
        found: list[int] = np.lexsort((texts, mean)).tolist()
        return found


def rank(
    experiment: Experiment,
    measures: Sequence[str] = MEASURES,
    *,
    learner: Learner | None = None,
    rows: int = ROWS,
    seed: int = 0,
) -> Ranking:
    """Rank every task by its text, read as the environment's own prior reads it: train text against the signal split.

    Args:
        experiment: the environment.
        measures: names of `MEASURES`.
        learner: whose features are measured (its replica 0); None: the environment's own, freshly initialised.
        rows: windows of each text that it reads, fewer where a text has fewer.
        seed: of the windows and the fresh learner's weights.

    Raises:
        ConfigError: for an unknown measure, or a learner with another vocabulary.
    """
    unknown = [name for name in measures if name not in MEASURES]
    if unknown or not measures:
        raise wrong("measure", ", ".join(unknown) or "none", f"one of {', '.join(MEASURES)}")
    features: _Features | None = None
    if any(name in FEATURE_MEASURES for name in measures):
        features = _read(experiment, learner or _fresh(experiment, seed), rows, seed)
    found = []
    for name in measures:
        if name in FEATURE_MEASURES:
            assert features is not None
            found.append(_by_features(experiment, name, features))
        else:
            found.append(_by_terms(experiment, name))
    return Ranking(
        experiment.problem.target.name,
        tuple(task.name for task in experiment.problem.tasks),
        tuple(_text(task) for task in experiment.problem.tasks),
        tuple(found),
    )


@dataclass(frozen=True)
class _Features:
    """The clouds of the target and of every text, with what reading them cost."""

    target: Floats
    texts: dict[str, Floats]
    seconds: float
    flops: float


def _text(task: Task) -> str:
    """The name of a task's text; labelled examples are other tokens than the running text of the same corpus."""
    return f"{task.corpus.name} (labelled)" if task.objective.labelled else task.corpus.name


def _by_terms(experiment: Experiment, name: str) -> Measured:
    begun = time.perf_counter()
    texts = {_text(task): task.corpus.tokens for task in experiment.problem.tasks}
    signal, size = experiment.problem.target.text["signal"].tokens, experiment.tokenizer.vocab_size
    distances = divergence.of_terms(name, signal, list(texts.values()), size)
    by_text = dict(zip(texts, distances, strict=True))
    seconds = time.perf_counter() - begun
    counted = sum(min(len(tokens), divergence.SAMPLE) for tokens in (signal, *texts.values()))
    values = np.array([by_text[_text(task)] for task in experiment.problem.tasks])
    return Measured(name, values, seconds, float(counted + divergence.FLOPS_PER_TERM * size * len(texts)))


def _by_features(experiment: Experiment, name: str, features: _Features) -> Measured:
    begun = time.perf_counter()
    measure = FEATURE_MEASURES[name]
    by_text = {text: measure.distance(features.target, cloud) for text, cloud in features.texts.items()}
    seconds = features.seconds + time.perf_counter() - begun
    n, d = features.target.shape
    values = np.array([by_text[_text(task)] for task in experiment.problem.tasks])
    return Measured(name, values, seconds, features.flops + measure.flops(n, d) * len(by_text))


def _fresh(experiment: Experiment, seed: int) -> Learner:
    learner = make_learner(experiment.config, experiment.problem)
    learner.reset([key(seed, "weights") >> 1])
    return learner


def _read(experiment: Experiment, learner: Learner, rows: int, seed: int) -> _Features:
    if learner.vocab_size != experiment.tokenizer.vocab_size:
        raise ConfigError(
            f"learner: has a vocabulary of {learner.vocab_size} tokens, "
            f"the environment's tokenizer one of {experiment.tokenizer.vocab_size}"
        )
    begun = time.perf_counter()
    context = min(experiment.config.context, learner.context)
    corpora = {_text(task): task.corpus.tokens for task in experiment.problem.tasks}
    signal = experiment.problem.target.text["signal"]
    target = features_of(learner, Corpus(signal.name, signal.tokens, ""), rows=rows, context=context, seed=seed)
    texts = {
        name: features_of(learner, Corpus(name, tokens, ""), rows=rows, context=context, seed=seed)
        for name, tokens in corpora.items()
    }
    read = sum(len(cloud) for cloud in (target, *texts.values())) * context
    return _Features(target, texts, time.perf_counter() - begun, learner.flops(read, training=False))


def features_of(learner: Learner, corpus: Corpus, *, rows: int, context: int, seed: int) -> Floats:
    """(up to rows, d) features of windows of a corpus in the eyes of replica 0; nothing is masked or labelled.

    Args:
        learner: who reads, left to right where it can.
        corpus: what is read.
        rows: how many windows, each another one.
        context: T.
        seed: which.
    """
    size = corpus.size(context)
    index = window_of(key(seed, "ranked", corpus.name), np.arange(min(rows, size)), size)
    windows = torch.from_numpy(corpus.windows(index, context))
    causal = torch.full((len(index),), learner.causal_rows)
    batch = Batch(windows[:, :-1], windows[:, 1:], torch.ones(windows[:, 1:].shape), causal)
    cloud: Floats = learner.features(batch)[0].double().cpu().numpy()
    return cloud


def _spearman(one: Floats, other: Floats) -> float:
    if len(one) < 2 or np.ptp(one) == 0 or np.ptp(other) == 0:
        return math.nan
    return float(spearmanr(one, other).statistic)
