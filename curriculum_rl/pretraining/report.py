"""Scores for people, taken once at the end of a run on the report split; never rewarded, never charged."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from curriculum_rl.batch import Batch
from curriculum_rl.learners.base import Learner
from curriculum_rl.learners.losses import mean_loss
from curriculum_rl.problem import Problem
from curriculum_rl.proxies.base import Price
from curriculum_rl.proxies.few_shot import few_shot
from curriculum_rl.proxies.finetune import FewShot
from curriculum_rl.schema.targets import ReportConfig

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class FinalReport:
    """Final figures of each replica.

    Attributes:
        target_loss: (N,) nats per scored token on the target's report split.
        corpus_losses: (N, C) nats per scored token on the held-out part of every corpus.
        few_shot: what a few-shot fine-tune reaches; None where the target has no labels or none is
            asked for.
    """

    target_loss: Floats
    corpus_losses: Floats
    few_shot: FewShot | None

    def entries(self, replica: int, corpora: Sequence[str]) -> dict[str, object]:
        """One replica's figures, JSON-able."""
        out: dict[str, object] = {"target_loss": float(self.target_loss[replica])}
        if self.few_shot is not None:
            out["downstream_accuracy"] = float(self.few_shot.accuracy[replica])
            out["downstream_log_loss"] = float(self.few_shot.log_loss[replica])
            if self.few_shot.entity_f1 is not None:
                out["downstream_entity_f1"] = float(self.few_shot.entity_f1[replica])
        if self.corpus_losses.shape[1]:
            losses = self.corpus_losses[replica]
            out["mean_corpus_loss"] = float(losses.mean())
            out["corpus_losses"] = {name: float(loss) for name, loss in zip(corpora, losses, strict=True)}
        return out


def rehearse_report(problem: Problem, learner: Learner, seeds: Sequence[int], settings: ReportConfig) -> None:
    """Draw all that the final report will score.

    Raises:
        ConfigError: if the target is too small for it or lacks the labels.
    """
    problem.target_windows("report", settings.sequences, seeds, causal=learner.causal_rows)
    if settings.finetune is not None:
        few_shot(problem, learner, "report", settings.finetune, seeds)


def final_report(
    problem: Problem, learner: Learner, seeds: Sequence[int], settings: ReportConfig
) -> tuple[FinalReport, Price]:
    """Score the learners on what no task, proxy or signal has seen.

    Args:
        problem: target and held-out parts.
        learner: N replicas; left bit-identical.
        seeds: N seeds; each draws its own report windows.
        settings: the sizes.

    Returns:
        The figures and what one replica's share of them cost.
    """
    price = Price(0, 0.0)

    def loss(batch: Batch) -> Floats:
        nonlocal price
        tokens = int(np.prod(batch.input_ids.shape[1:]))
        price = Price(price.tokens + tokens, price.flops + learner.flops(tokens, training=False))
        return mean_loss(learner, batch)

    causal = learner.causal_rows
    target = loss(problem.target_windows("report", settings.sequences, seeds, causal=causal))
    heldout, modelling = problem.heldout, problem.modelling(causal)
    corpora = [loss(heldout.report(name, modelling, seeds)) for name in heldout.corpora if heldout.reported]
    reached = None
    if settings.finetune is not None:
        fine_tune = few_shot(problem, learner, "report", settings.finetune, seeds)
        cost = fine_tune.price(learner)
        price = Price(price.tokens + cost.tokens, price.flops + cost.flops)
        reached = fine_tune(learner)
    losses = np.stack(corpora, axis=1) if corpora else np.empty((len(seeds), 0))
    return FinalReport(target, losses, reached), price
