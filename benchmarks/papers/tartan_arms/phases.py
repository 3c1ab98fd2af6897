"""A phase of a run: updates on some tasks at once, with a schedule, selection on dev and early stopping.

Shapes: K tasks of the phase.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from curriculum_rl.draws import key
from tartan_arms.dev import BETAS, DevHead, dev_gradient, fit_dev_head
from tartan_arms.gradients import Reading, Slopes, add_gradients
from tartan_arms.model import copied, put_back
from tartan_arms.state import Run
from tartan_arms.weights import Weigher


@dataclass(frozen=True)
class Phase:
    """What a phase trains on, and how.

    Attributes:
        name: its draws of data and dropout follow from it.
        tasks: K names, the end-task first where it is one of them.
        updates: at most.
        body_rate: highest learning rate of body and masked-LM head.
        head_rate: that of the end-task's head.
        every: updates between two looks at the selection rows; None: never look, keep the last weights.
        patience: looks without a new best.
        best: what the selection rows say already; the weights of the start stay unless a look is better.
        constant: no warm-up and no fall of the rates.
        matched: as of `Arm`.
    """

    name: str
    tasks: Sequence[str]
    updates: int
    body_rate: float
    head_rate: float
    every: int | None = None
    patience: int = 1
    best: float | None = None
    constant: bool = False
    matched: bool = False


@dataclass
class History:
    """What a phase did.

    Attributes:
        updates: made.
        best: highest metric on the selection rows; None: nobody looked.
        improved: whether a look was better than what was known before.
        weights: (K,) the last ones.
        mean_weights: (K,) over all updates.
        rows: of each look: update, metric, mean losses, body norms, cosines (or None) and the weights.
    """

    updates: int = 0
    best: float | None = None
    improved: bool = False
    weights: list[float] = field(default_factory=list)
    mean_weights: list[float] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)


def train(run: Run, phase: Phase, weigher: Weigher) -> History:
    """Make the updates; the model ends with the best weights seen, or the last where nobody looks."""
    optimizer, schedule = _optimizer(run, phase)
    everything = list(run.model.parameters())
    history = History(best=phase.best)
    kept = copied(everything) if phase.best is not None else None
    readings: list[Reading] = []
    every_weight, misses = [], 0
    for update in range(phase.updates):
        every_weight.append(weigher.weights())
        readings.append(_update(run, phase, weigher, update))
        _clip(run)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        schedule.step()
        history.updates = update + 1
        last = update + 1 == phase.updates
        if phase.every is None or ((update + 1) % phase.every and not last):
            continue
        score = run.selected()
        history.rows.append(_row(update + 1, score, readings, weigher))
        readings, misses = [], misses + 1
        if history.best is None or score > history.best:
            history.best, history.improved, kept, misses = score, True, copied(everything), 0
        if misses >= phase.patience:
            break
    if kept is not None:
        put_back(everything, kept)
    if phase.every is None:
        history.rows.append(_row(history.updates, None, readings, weigher))
    history.weights = weigher.weights().tolist()
    history.mean_weights = np.mean(every_weight, axis=0).tolist()
    return history


def _update(run: Run, phase: Phase, weigher: Weigher, update: int) -> Reading:
    """The gradients of one update, and what its batches said on average; the weigher hears it."""
    parts = run.settings.accumulate
    weights = weigher.weights()
    head = _dev_head(run, update) if weigher.listens else None
    found = []
    for part in range(parts):
        number = update * parts + part
        dev = None if head is None else _dev(run, head, number)
        batches = [run.batch(task, _stream(phase, task), number) for task in phase.tasks]
        for batch in batches:
            run.charge("train", batch, training=True)
        with run.model.training_with(key(run.seed, "tartan", phase.name, "dropout", number) >> 1):
            found.append(add_gradients(run.model, batches, weights, dev=dev, matched=phase.matched, share=1 / parts))
    cosines = None
    if head is not None:
        cosines = torch.stack([reading.cosines for reading in found if reading.cosines is not None]).mean(dim=0)
        weigher.hear(cosines.double().cpu().numpy())
    losses, norms = (torch.stack([getattr(r, name) for r in found]).mean(dim=0) for name in ("losses", "norms"))
    return Reading(losses, cosines, norms)


def _stream(phase: Phase, task: str) -> str:
    """The same batches in every arm, whenever they come, but others in the last fine-tune."""
    return f"{phase.name} {task}" if phase.name == "final" else task


def _dev_head(run: Run, update: int) -> DevHead:
    rows = run.settings.dev_head_rows
    batch = run.labelled(run.signal, "dev head", update * rows, rows)
    run.charge("signal", batch, training=False)
    return fit_dev_head(run.model, batch, run.settings, seed=key(run.seed, "tartan", "dev head", update) >> 1)


def _dev(run: Run, head: DevHead, number: int) -> Slopes:
    rows = run.settings.batch if run.settings.dev_rows is None else run.settings.dev_rows
    batch = run.labelled(run.signal, "dev gradient", number * rows, rows)
    run.charge("signal", batch, training=True)
    return dev_gradient(run.model, head.head, batch)


def _optimizer(run: Run, phase: Phase) -> tuple[torch.optim.Optimizer, Any]:
    """AdamW of body and heads at their rates, and the schedule of `transformers`."""
    from transformers import get_constant_schedule, get_linear_schedule_with_warmup

    settings, model = run.settings, run.model
    groups = []
    for parameters, rate, decay in (
        ([*model.body, *model.lm_only], phase.body_rate, settings.body_decay),
        (model.end_only, phase.head_rate, settings.head_decay),
    ):
        groups.append({"params": [p for p in parameters if p.dim() > 1], "lr": rate, "weight_decay": decay})
        groups.append({"params": [p for p in parameters if p.dim() < 2], "lr": rate, "weight_decay": 0.0})
    optimizer = torch.optim.AdamW(groups, betas=BETAS, eps=1e-6, fused=True)
    if phase.constant:
        return optimizer, get_constant_schedule(optimizer)
    warmup = round(settings.warmup * phase.updates)
    schedule = get_linear_schedule_with_warmup(optimizer, warmup, phase.updates)
    return optimizer, schedule


def _clip(run: Run) -> None:
    """Each group alone: a fresh head's long gradient must not shorten the body's."""
    for group in (run.model.body, run.model.lm_only, run.model.end_only):
        torch.nn.utils.clip_grad_norm_(group, run.settings.clip)


def _row(update: int, score: float | None, readings: list[Reading], weigher: Weigher) -> dict[str, Any]:
    """Means since the last look."""
    cosines = [reading.cosines for reading in readings if reading.cosines is not None]
    return {
        "update": update,
        "metric": score,
        "losses": torch.stack([reading.losses for reading in readings]).mean(dim=0).tolist(),
        "norms": torch.stack([reading.norms for reading in readings]).mean(dim=0).tolist(),
        "cosines": torch.stack(cosines).mean(dim=0).tolist() if cosines else None,
        "weights": weigher.weights().tolist(),
    }
