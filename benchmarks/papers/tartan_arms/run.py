"""One arm with one seed from the pretrained body to the test score: `run_arm`."""

import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

from curriculum_rl.errors import ConfigError
from curriculum_rl.learners.precision import products, resolved
from tartan_arms.lm_head import Fit, ensure_lm_head
from tartan_arms.metrics import METRICS
from tartan_arms.model import TartanModel
from tartan_arms.phases import History, Phase, train
from tartan_arms.rows import Problem, picked
from tartan_arms.settings import END, Arm, Settings
from tartan_arms.state import Run
from tartan_arms.weights import Even, Meta, Weigher


def start(
    source: str | Mapping[str, Any], problem: Problem, arm: Arm, settings: Settings, *, seed: int, device: str = "cpu"
) -> Run:
    """A run before its first update.

    Args:
        source: the body: a configuration, a local directory or a hub name.
        problem: the end-task and its texts.
        arm: how the texts are used.
        settings: sizes and rates.
        seed: of heads, orders, masks, dropout and of the dev set's halves.
        device: where it runs.

    Raises:
        ConfigError: for texts that the problem lacks, a model that cannot be built, or an arm that trains on the dev
            examples that it is selected on.
    """
    for name in (*arm.before, *arm.beside):
        if name not in problem.texts:
            raise ConfigError(f"arm: there is no text {name!r}, the problem has {', '.join(problem.texts)}")
    if arm.dev_labels and settings.dev == "shared":
        raise ConfigError("dev: shared, but the arm trains on dev labels and would be selected on them; use halves")
    signal = selection = problem.dev
    if settings.dev == "halves":
        size = len(problem.dev.labels)
        order = picked(seed, "dev halves", 0, size, size)
        signal, selection = problem.dev[order[: size // 2]], problem.dev[order[size // 2 :]]
    examples = problem.train + signal if arm.dev_labels else problem.train
    where = torch.device(device)
    model = TartanModel(source, problem, settings, seed=seed, device=where).eval()
    return Run(model, problem, examples, signal, selection, settings, seed, where)


def run_arm(
    source: str | Mapping[str, Any],
    problem: Problem,
    arm: Arm,
    settings: Settings,
    *,
    seed: int,
    device: str = "cpu",
    lm_head: Path | None = None,
    weigher: Weigher | None = None,
) -> dict[str, Any]:
    """Train one arm and score it on the test rows.

    Args:
        source: see `start`, as the next five.
        problem: see `start`.
        arm: see `start`.
        settings: see `start`.
        seed: see `start`.
        device: see `start`.
        lm_head: file that keeps the fitted masked-LM head, the same for all arms of a seed; None: fit it here.
        weigher: says the weights of the tasks, the end-task's first; None: as the arm says.

    Returns:
        What JSON can hold: `test` (both metrics), `dev` (best on the selection rows), histories of the phases, final
        weights by task, the ledger's entries and seconds.
    """
    begun = time.perf_counter()
    run = start(source, problem, arm, settings, seed=seed, device=device)
    with products(resolved(settings.precision, run.device)):
        fit = ensure_lm_head(run, lm_head)
        return _played(run, arm, fit, weigher) | {"seed": seed, "seconds": time.perf_counter() - begun}


def _played(run: Run, arm: Arm, fit: Fit, weigher: Weigher | None) -> dict[str, Any]:
    settings, before = run.settings, None
    if arm.before:
        updates = settings.updates if settings.pretrain_updates is None else settings.pretrain_updates
        rate = settings.pretrain_rate
        phase = Phase("before", arm.before, updates, rate, rate)
        before = train(run, phase, Even(len(arm.before)))
    tasks = (END, *arm.beside)
    if weigher is None:
        weigher = Meta(len(tasks), rate=settings.weight_rate) if arm.meta else Even(len(tasks))
    phase = Phase(
        "joint",
        tasks,
        settings.updates,
        settings.body_rate,
        settings.head_rate,
        every=settings.every,
        patience=settings.patience,
        matched=arm.matched,
    )
    joint = train(run, phase, weigher)
    final = train(run, _final(run, joint), Even(1)) if settings.final_updates != 0 else History(best=joint.best)
    predicted = run.predicted(run.problem.test, "report")
    return {
        "test": {name: metric(run.problem.test.labels, predicted) for name, metric in METRICS.items()},
        "dev": final.best,
        "final kept": final.improved,
        "weights": dict(zip(tasks, joint.weights, strict=True)),
        "mean weights": dict(zip(tasks, joint.mean_weights, strict=True)),
        "lm head": asdict(fit),
        "before": None if before is None else asdict(before),
        "joint": asdict(joint),
        "final": asdict(final),
        "ledger": run.ledger.entries(),
        "flops": run.ledger.charged,
    }


def _final(run: Run, joint: History) -> Phase:
    """The last fine-tune on the end-task alone, kept only where the selection rows like it better."""
    settings = run.settings
    epoch = max(1, len(run.train.labels) // (settings.batch * settings.accumulate))
    every = epoch if settings.final_every is None else settings.final_every
    updates = 10 * epoch if settings.final_updates is None else settings.final_updates
    phase = Phase("final", (END,), updates, settings.final_rate, settings.final_rate, constant=True)
    return replace(phase, every=every, patience=settings.final_patience, best=joint.best)
