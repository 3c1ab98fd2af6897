"""What is measured of a learner: few-shot accuracy on held-out domains, and how its tasks' gradients agree.

Shapes: N replicas (seeds), K tasks, P points of a run.
"""

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from meta_train_settings import Column, Size, environment, tuned_on

from curriculum_rl.batch import Batch
from curriculum_rl.draws import key
from curriculum_rl.durable import write_atomically
from curriculum_rl.experiment import Experiment, build
from curriculum_rl.learners import load_learner
from curriculum_rl.learners.base import Learner
from curriculum_rl.learners.build import make_learner
from curriculum_rl.objectives import Classification
from curriculum_rl.pretraining.run import Pretraining
from curriculum_rl.proxies.finetune import FewShotFineTune
from curriculum_rl.schema import load as configs
from curriculum_rl.schema.proxies import FineTuneSettings

Floats = npt.NDArray[np.float64]


def few_shot(column: Column, seed: int, learner: Path | None, out: Path, data: Path, size: Size, device: str) -> None:
    """Fine-tune a saved learner on a few labels of each corpus that is new to it, and write its accuracies.

    The classes are read as label tokens; a supervised body has read those of the target in its own tasks.

    Args:
        column: what the learner was trained by.
        seed: of its run; draws the examples.
        learner: its directory; None: fresh weights.
        out: the file that is written.
        data: the folder of all data.
        size: shots, updates, examples scored on.
        device: where the learner is put.
    """
    torch.set_num_threads(1)
    begun = time.perf_counter()
    found: dict[str, dict[str, Any]] = {}
    loaded = None if learner is None else load_learner(learner, device=device)
    for name in tuned_on(column.setting, size):
        experiment = build(configs.load(environment(column, data, size, device=device, target=name)))
        labelled = experiment.problem.target.labelled
        tuned = _fresh(experiment, seed) if loaded is None else loaded
        found[name] = {"classes": len(labelled["signal"].classes)}
        for shots in size.shots:
            tune = FewShotFineTune(
                train=labelled["signal"],
                test=labelled["report"],
                objective=Classification(experiment.tokenizer, causal=False),
                settings=FineTuneSettings(
                    examples=shots,
                    updates=size.shot_updates,
                    batch=16,
                    test_examples=size.tested,
                    learning_rate=size.shot_rate,
                ),
                context=size.context,
                seeds=[seed],
            )
            result = tune(tuned)
            found[name][str(shots)] = {
                "accuracy": float(result.accuracy[0]), "log_loss": float(result.log_loss[0])
            }  # fmt: skip
    write_atomically(out, json.dumps({"tuned": found, "seconds": time.perf_counter() - begun}, indent=1) + "\n")


def _fresh(experiment: Experiment, seed: int) -> Learner:
    learner = make_learner(experiment.config, experiment.problem)
    learner.reset([key(seed, "weights") >> 1])
    return learner


def gradient_agreement(column: Column, seeds: int, out: Path, data: Path, size: Size, device: str) -> None:
    """Train stratified at a constant rate, all seeds side by side, and write loss and cosine at some points of the run.

    Args:
        column: what is trained, and for how long.
        seeds: N, numbers 0 to N - 1.
        out: the file that is written: `loss` (P, N) on held-out rows of all tasks, `cosine` (P, N) mean over pairs of
            tasks, `clean` (P, N) the same without the noise of the rows in the lengths, `updates` (P,).
        data: the folder of all data.
        size: points, rows.
        device: where learners are.
    """
    torch.set_num_threads(1)
    content = environment(column, data, size, device=device)
    content["optimizer"] = {**content["optimizer"], "schedule": "constant"}
    run = Pretraining(build(configs.load(content)), replicas=seeds, charge_proxy=False, downstream=False)
    begun = time.perf_counter()
    run.begin(range(seeds))
    tasks = len(run.experiment.problem.tasks)
    rows = _fixed_rows(run.experiment, seeds, size.rows)
    points: dict[str, list[Any]] = {"updates": [], "loss": [], "cosine": [], "clean": [], "spent": []}
    while run.next_updates():
        run.segment(np.full((seeds, tasks), 1 / tasks))
        if run.spent * size.points < len(points["loss"]) + 1 - 1e-9:
            continue
        raw = run.learner.gradient_products(Batch.stack([half for pair in rows for half in pair])).raw.cpu().numpy()
        found = {"updates": run.progress.updates, "spent": run.spent, "loss": _loss(run, rows), **cosines(raw)}
        for name, value in found.items():
            points[name].append(value.tolist() if isinstance(value, np.ndarray) else value)
    write_atomically(out, json.dumps({**points, "seconds": time.perf_counter() - begun}) + "\n")


def cosines(products: Floats) -> dict[str, Floats]:
    """(N,) mean over pairs of tasks of (N, 2 K, 2 K) products of the gradients of two halves of each task's rows.

    `cosine` is that of the halves' means. `clean` is the mean product of two tasks over the mean product of a task's
    own two halves, which no noise inflates: the share of the gradients' squares that tasks have in common; NaN where
    noise is all there is.
    """
    N, double, _ = products.shape
    K = double // 2
    whole = products.reshape(N, K, 2, K, 2).mean(axis=(2, 4))
    lengths = np.sqrt(np.einsum("nii->ni", whole))
    own = products[:, range(0, double, 2), range(1, double, 2)].mean(axis=1)
    i, j = np.triu_indices(K, 1)
    clean = np.divide(whole[:, i, j].mean(axis=1), own, out=np.full(N, np.nan), where=own > 0)
    return {"cosine": (whole[:, i, j] / (lengths[:, i] * lengths[:, j])).mean(axis=1), "clean": clean}


def _fixed_rows(experiment: Experiment, seeds: int, rows: int) -> list[tuple[Batch, Batch]]:
    """For each task two halves (N, rows / 2, T), the same at every point and depth, apart from those trained on."""
    context, halves = experiment.config.context, (slice(rows // 2), slice(rows // 2, None))
    found = []
    for task in experiment.problem.tasks:
        drawn = [task.batch(seed=key(n, "agreement"), first=0, rows=rows, context=context) for n in range(seeds)]
        first, second = (Batch.stack([one[half] for one in drawn]) for half in halves)
        found.append((first, second))
    return found


def _loss(run: Pretraining, rows: list[tuple[Batch, Batch]]) -> Floats:
    """(N,) mean over tasks of the nats per scored token on their rows."""
    losses = []
    for half in (half for pair in rows for half in pair):
        nats, weights = run.learner.token_losses(half).cpu(), half.weights
        losses.append((nats.sum(dim=(1, 2)) / weights.sum(dim=(1, 2))).double().numpy())
    return np.mean(losses, axis=0)
