"""What stratified batches score after every segment: recorded once per experiment, kept in the cache."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from curriculum_rl.experiment import Experiment
from curriculum_rl.pretraining.run import Pretraining
from curriculum_rl.text.cache import Cache
from curriculum_rl.text.documents import sha256_of

REPLICAS = 4
"""Stratified runs that the reference is the mean of."""
_IRRELEVANT: Any = {
    **dict.fromkeys(("action", "observation", "reward", "name"), True),
    "report": {"sequences", "finetune"},  # other readers of held-out parts begin behind `task_sequences`
}


@dataclass(frozen=True)
class Reference:
    """Scores of stratified runs.

    Attributes:
        scores: (S + 1,) mean score before the first segment, and that plus the mean gains up to each.
        tokens: trained and scored for it, all runs together.
        flops: likewise.
    """

    scores: npt.NDArray[np.float64]
    tokens: int
    flops: float


def stratified_reference(experiment: Experiment, cache: Cache | None = None) -> Reference:
    """Train a few learners on stratified batches, or find their scores in the cache.

    Args:
        experiment: what to train on; its action space, observation and reward make no difference.
        cache: where the scores are kept; None: the default place.
    """

    def record(path: Path) -> None:
        scores, ledger = _play(experiment)
        (path / "reference.json").write_text(json.dumps({"scores": scores, **ledger}), encoding="utf-8")

    entry = (cache or Cache()).entry(fingerprint(experiment), record)
    kept = json.loads((entry / "reference.json").read_text(encoding="utf-8"))
    return Reference(np.array(kept["scores"]), kept["tokens"], kept["flops"])


def fingerprint(experiment: Experiment) -> str:
    """sha256 of all that the scores depend on: settings, texts, tokenizer, first weights, and torch's version."""
    settings = experiment.config.model_dump(mode="json", exclude=_IRRELEVANT)
    tasks = [task.corpus.sha256 for task in experiment.problem.tasks]
    content = json.dumps([settings, tasks, experiment.data], sort_keys=True)
    return sha256_of("stratified reference", 2, REPLICAS, torch.__version__, content)


def _play(experiment: Experiment) -> tuple[list[float], dict[str, float]]:
    run = Pretraining(experiment, replicas=REPLICAS, downstream=False)
    run.begin(range(REPLICAS))
    shares = np.full((REPLICAS, len(experiment.problem.tasks)), 1 / len(experiment.problem.tasks))
    scores = [float(run.progress.initial.mean())]
    while run.next_updates():
        # Gains, since the gain of a segment need not be a difference of scores.
        scores.append(scores[-1] + float(run.segment(shares).gain.mean()))
    ledger = run.ledger
    return scores, {
        "tokens": REPLICAS * sum(ledger.tokens.values()),
        "flops": REPLICAS * sum(ledger.flops.values()),
    }
