"""Final learners of a comparison on several labelled targets: a light head, and a fine-tune, on their report splits."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from curriculum_rl.draws import key
from curriculum_rl.durable import write_atomically
from curriculum_rl.experiment import Experiment, build
from curriculum_rl.learners import load_learner
from curriculum_rl.learners.base import Learner
from curriculum_rl.learners.build import make_learner
from curriculum_rl.proxies.few_shot import few_shot
from curriculum_rl.proxies.head import Head
from curriculum_rl.schema import load as configs
from curriculum_rl.schema.proxies import HeadProxy
from curriculum_rl.text.cache import Cache
from curriculum_rl.text.library import Library

HEAD = HeadProxy(kind="head", examples=512, test_examples=1000)
"""Of the scores that are told: more examples than the proxy's, and the report split's."""
UNTRAINED = "untrained"


def score_target(
    env: Mapping[str, Any] | str,
    overrides: Mapping[str, Any],
    target: str,
    corpus: Mapping[str, Any] | None,
    cells: Sequence[tuple[str, int, Path | None]],
    out: Path,
) -> None:
    """Score every learner on one target; what is finished is not repeated.

    Args:
        env: the environment that all learners were trained in.
        overrides: changes to it, by dotted key.
        target: its name, for the files.
        corpus: the target's; None: the environment's own.
        cells: what the learner is called, its seed, and its run directory; None: fresh weights of that seed.
        out: where `<target>/<name>/seed-<n>.json` go.
    """
    left = [cell for cell in cells if not _file(out, target, cell).is_file()]
    if not left:
        return
    torch.set_num_threads(1)
    changes = {**overrides, "proxy": {"kind": "heldout_loss"}}
    config = configs.load(env, changes)
    if corpus is not None:
        # Another target takes other texts out of the train parts: the learners know the tokens of their own.
        folder = out / "tokenizers" / target
        Library(config, Cache()).tokenizer.save(folder)
        path, labels = str(folder), config.tokenizer.labels
        tokenizer = {"kind": "transformers", "path": path, "labels": labels}
        config = configs.load(env, {**changes, "target.corpus": dict(corpus), "tokenizer": tokenizer})
    experiment = build(config)
    for cell in left:
        _, seed, run = cell
        file = _file(out, target, cell)
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(file, json.dumps(figures(experiment, learner_of(experiment, run, seed), seed)) + "\n")


def learner_of(experiment: Experiment, run: Path | None, seed: int) -> Learner:
    """The learner that a run kept, or one with fresh weights."""
    if run is not None:
        return load_learner(run / "learner", device=experiment.config.device, tokenizer=experiment.tokenizer)
    learner = make_learner(experiment.config, experiment.problem)
    learner.reset([key(seed, "weights") >> 1])
    return learner


def figures(experiment: Experiment, learner: Learner, seed: int) -> dict[str, float]:
    """Log-loss in nats per label and accuracy, of a light head and of a fine-tune, all on the report split."""
    reading = Head.build(HEAD, experiment.problem, learner, [seed], "report").score(learner)
    found = {"probe_loss": -float(reading.score[0]), "probe_accuracy": float(reading.details["accuracy"][0])}
    settings = experiment.config.report.finetune
    if settings is not None:
        tuned = few_shot(experiment.problem, learner, "report", settings, [seed])(learner)
        found |= {"finetune_loss": float(tuned.log_loss[0]), "finetune_accuracy": float(tuned.accuracy[0])}
    return found


def read_scores(
    out: Path, targets: Sequence[str], cells: Sequence[tuple[str, int, Path | None]]
) -> dict[str, dict[str, dict[int, dict[str, float]]]]:
    """By learner, target and seed the figures that are there."""
    found: dict[str, dict[str, dict[int, dict[str, float]]]] = {}
    for cell in cells:
        for target in targets:
            file = _file(out, target, cell)
            if file.is_file():
                figures_of = json.loads(file.read_text(encoding="utf-8"))
                found.setdefault(cell[0], {}).setdefault(target, {})[cell[1]] = figures_of
    return found


def _file(out: Path, target: str, cell: tuple[str, int, Path | None]) -> Path:
    name, seed, _ = cell
    return out / target / name / f"seed-{seed}.json"
