"""Counting alone: what counts of token pairs, on the rows that stratified batches read, reach on the target.

Shape letter: K tasks.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from curriculum_rl.experiment import Experiment
from curriculum_rl.methods.base import Shares
from curriculum_rl.pretraining.run import Pretraining
from curriculum_rl.problem import Problem
from curriculum_rl.tasks import Task
from curriculum_rl.text.bigrams import BACKOFF, Bigrams, Texts
from curriculum_rl.text.cache import Cache
from curriculum_rl.text.documents import sha256_of

RUN_SEED = 1_826_701_615
"""The seed of the run that an environment plays under seed 0."""
BACKOFFS = tuple(2.0**power for power in range(-2, 13))
"""Pseudo-counts that the smoothed line chooses from."""
_TOKENS = 1 << 20  # counted at once
_FORMAT = 1  # of what is kept; a change makes every kept one stale


@dataclass(frozen=True)
class CountingLosses:
    """Losses on the target's report split, nats per token, each token predicted from the one before.

    Attributes:
        unigram: of token counts on the rows that stratified batches read in the whole budget.
        bigram: of pair counts on these rows with the usual back-off: the line that a run must end below.
        smoothed: of the same counts with the back-off that is best on the selection split.
        backoff: that one, in pseudo-counts.
        single: of pair counts, with the usual back-off, on as many rows of the one corpus that is best on the selection
            split.
        corpus: its name.
        rows: how many.
    """

    unigram: float
    bigram: float
    smoothed: float
    backoff: float
    single: float
    corpus: str
    rows: int

    def __str__(self) -> str:
        """In words."""
        return (
            f"unigram {self.unigram:.2f}, bigram {self.bigram:.2f} on the {self.rows:,} rows that stratified reads; "
            f"best smoothed {self.smoothed:.2f} (back-off {self.backoff:g}), "
            f"best single corpus {self.single:.2f} ({self.corpus})"
        )


def stratified_rows(run: Pretraining) -> dict[str, int]:
    """Rows of each task that stratified batches read where nothing but training is paid from the budget.

    What no even share divides goes to tasks in the order of their names, so that the order of a file makes no
    difference; a run deals that in the order of its file.
    """
    config, names = run.config, sorted(task.name for task in run.problem.tasks)
    arms, most = len(names), config.segment.updates
    updates = int(run.budget / run.method.flops(run.learner, config.batch * config.context) + 1e-9)
    rows, credit = np.zeros(arms, np.int64), np.zeros(arms)
    for first in range(0, updates, most):
        shares = Shares(np.full(arms, 1 / arms), min(most, updates - first), config.batch, credit, RUN_SEED, first)
        plan, credit = run.method.rows(shares)
        rows += np.bincount(plan.ravel(), minlength=arms)
    return dict(zip(names, rows.tolist(), strict=True))


def counting_losses(experiment: Experiment, rows: Mapping[str, int], cache: Cache | None = None) -> CountingLosses:
    """Count, or find in the cache what was counted.

    A row is the T + 1 tokens of its window as they stand in the corpus, whatever its objective hides or puts in their
    place; padding and labels are left out. Nothing is capped: an epoch is counted once and multiplied.

    Args:
        experiment: names tasks and target.
        rows: how many of each task, by name; `stratified_rows`.
        cache: where the figures are kept; None: the default place.
    """
    tasks = [
        (task.name, task.corpus.name, type(task.corpus).__name__, task.corpus.sha256)
        for task in _by_name(experiment.problem)
    ]
    splits = {name: corpus.sha256 for name, corpus in experiment.problem.target.text.items()}
    content = [tasks, dict(rows), splits, experiment.tokenizer.fingerprint]
    parts = (RUN_SEED, BACKOFF, BACKOFFS, experiment.problem.context, json.dumps(content, sort_keys=True))

    def record(path: Path) -> None:
        (path / "counting.json").write_text(json.dumps(asdict(_counted(experiment.problem, rows))), encoding="utf-8")

    entry = (cache or Cache()).entry(sha256_of("counting", _FORMAT, *parts), record)
    return CountingLosses(**json.loads((entry / "counting.json").read_text(encoding="utf-8")))


def _counted(problem: Problem, rows: Mapping[str, int]) -> CountingLosses:
    counter = _Counter(problem)
    mixed = counter.counts(rows)
    backoff = min(BACKOFFS, key=lambda tried: mixed.loss("selection", backoff=tried))
    total = sum(rows.values())
    single, corpus = counter.best_single(total)
    return CountingLosses(
        unigram=mixed.unigram_loss("report"),
        bigram=mixed.loss("report"),
        smoothed=mixed.loss("report", backoff=backoff),
        backoff=backoff,
        single=single,
        corpus=corpus,
        rows=total,
    )


class _Counter:
    """Counts rows of a problem's tasks."""

    def __init__(self, problem: Problem) -> None:
        tokenizer, target = problem.tokenizer, problem.target.text
        self._texts = Texts({name: target[name].tokens for name in ("selection", "report")}, tokenizer.vocab_size)
        self._ignored = [tokenizer.pad_id, tokenizer.cls_id, *tokenizer.label_ids]
        self._context = problem.context
        self._tasks = {task.name: task for task in _by_name(problem)}

    def counts(self, rows: Mapping[str, int]) -> Bigrams:
        """Those of the first so many rows of some tasks; an epoch holds every window once, in whatever order."""
        counted, context, most = Bigrams(self._texts, self._ignored), self._context, max(1, _TOKENS // self._context)
        for name, count in rows.items():
            task = self._tasks[name]
            size = task.corpus.size(context)
            epochs = count // size
            for first in range(0, size if epochs else 0, most):
                counted.add(task.corpus.windows(np.arange(first, min(first + most, size)), context), times=epochs)
            for first in range(epochs * size, count, most):
                index = task.draw(seed=RUN_SEED, first=first, rows=min(most, count - first), context=context)
                counted.add(task.corpus.windows(index, context))
        return counted

    def best_single(self, rows: int) -> tuple[float, str]:
        """Loss and name of the corpus whose rows predict the selection split best; tasks on one are tried once."""
        tried = []
        tasks = {(task.corpus.name, type(task.corpus).__name__): name for name, task in reversed(self._tasks.items())}
        for (corpus, kind), name in tasks.items():
            counted = self.counts({name: rows})
            tried.append((counted.loss("selection"), corpus, kind, counted.loss("report")))
        _, corpus, _, loss = min(tried)
        return loss, corpus


def _by_name(problem: Problem) -> list[Task]:
    return sorted(problem.tasks, key=lambda task: task.name)
