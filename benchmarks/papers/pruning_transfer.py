"""One seed of the transfer experiment: a shared body, its divergences, and every source tuned once, scored everywhere.

A part that is finished stands in the seed's JSON file and is never repeated.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pruning_data import Domain, read_domains

from curriculum_rl.batch import SegmentPlan
from curriculum_rl.draws import key, window_of
from curriculum_rl.durable import write_atomically
from curriculum_rl.errors import ConfigError
from curriculum_rl.learners import load_learner
from curriculum_rl.learners.base import Learner
from curriculum_rl.learners.build import learner_of
from curriculum_rl.learners.schedule import learning_rate
from curriculum_rl.objectives import CausalLM, Classification
from curriculum_rl.proxies.examples import labelled_batch
from curriculum_rl.ranking.features import FEATURE_MEASURES
from curriculum_rl.ranking.ranking import features_of
from curriculum_rl.schema import load as configs
from curriculum_rl.schema.learners import RateConfig
from curriculum_rl.tasks import Task, segment_batches
from curriculum_rl.text import divergence
from curriculum_rl.text.tokenizers import Tokenizer

SEGMENT = 20
"""Updates between two looks at the clock: how many batches are made at once."""


@dataclass(frozen=True)
class Size:
    """How large the experiment is; all of it stands in the results.

    Attributes:
        vocab_size: V.
        context: T, tokens that are read of a review.
        layers: of the native transformer.
        width: d.
        heads: of its attention.
        body_updates: of causal language modelling on the unlabelled text of all domains, 32 windows each.
        body_rate: its highest learning rate.
        epochs: passes over a source's labelled examples.
        rate: the highest learning rate there.
        batch: labelled examples of an update.
        rows: windows of each text that feature measures read.
        limit: documents read of each part of each domain; None: all.
        domains: the first so many; None: all.
    """

    vocab_size: int = 4096
    context: int = 64
    layers: int = 2
    width: int = 128
    heads: int = 4
    body_updates: int = 1800
    body_rate: float = 2e-3
    epochs: int = 3
    rate: float = 1e-3
    batch: int = 16
    rows: int = 256
    limit: int | None = None
    domains: int | None = None


def play(data: Path, out: Path, size: Size, seed: int, device: str) -> Path:
    """Do what is left of one seed and return its file, `seed-<n>.json` in `out`.

    Raises:
        ConfigError: the file was begun at another size.
    """
    torch.set_num_threads(1)
    file = out / f"seed-{seed}.json"
    state: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {"size": asdict(size), "sources": {}}
    if state["size"] != asdict(size):
        raise ConfigError(f"out: {file} was begun at another size; choose another folder")
    tokenizer, domains = read_domains(data, vocab_size=size.vocab_size, limit=size.limit, first=size.domains)
    names = [domain.name for domain in domains]
    if all(part in state for part in ("body", "divergence")) and set(names) == set(state["sources"]):
        return file
    state |= {"domains": names, "truth": {domain.name: _bits(domain.test.labels == 1) for domain in domains}}
    learner = _body(state, out / f"body-{seed}", tokenizer, domains, size, seed, device)
    write_atomically(file, json.dumps(state))
    if "divergence" not in state:
        state["divergence"] = _divergences(learner, tokenizer, domains, size, seed)
        write_atomically(file, json.dumps(state))
    start = learner.snapshot()
    for domain in domains:
        if domain.name not in state["sources"]:
            learner.restore(start)
            state["sources"][domain.name] = _transfer(learner, tokenizer, domain, domains, size, seed)
            write_atomically(file, json.dumps(state))
    return file


def _body(
    state: dict[str, Any],
    folder: Path,
    tokenizer: Tokenizer,
    domains: list[Domain],
    size: Size,
    seed: int,
    device: str,
) -> Learner:
    """The shared body, pretrained or read back."""
    if "body" in state:
        return load_learner(folder, device=device)
    begun = time.perf_counter()
    learner = learner_of(_config(size, device), tokenizer)
    learner.reset([key(seed, "weights") >> 1])
    objective = CausalLM(tokenizer)
    tasks = [Task(domain.name, domain.unlabelled, objective) for domain in domains]
    windows = np.array([task.corpus.size(size.context) for task in tasks])
    rows = 32
    # Every window of every domain is as likely as any other: one pass reads each about once.
    place = window_of(key(seed, "domains"), np.arange(size.body_updates * rows), int(windows.sum()))
    owner = np.searchsorted(np.cumsum(windows), place, side="right").reshape(size.body_updates, 1, rows)
    losses = _train(learner, tasks, owner, seed, size.context, size.body_rate, decay=0.4)
    learner.save(folder)
    tokens = size.body_updates * rows * size.context
    state["body"] = {"loss": float(np.mean(losses[-50:])), "tokens": tokens, **_cost(learner, tokens, True, begun)}
    return learner


def _train(
    learner: Learner, tasks: list[Task], plan: Any, seed: int, context: int, rate: float, *, decay: float
) -> list[float]:
    """The losses of (k, 1, B) updates, each row of the task that the plan says, at a rate that rises and falls."""
    counters = np.zeros((1, len(tasks)), np.int64)
    losses: list[float] = []
    for first in range(0, len(plan), SEGMENT):
        part = plan[first : first + SEGMENT]
        batches, counters = segment_batches(tasks, part, counters, [seed], context)
        spent = (np.arange(first, first + len(part)) + 0.5) / len(plan)
        rates = learning_rate(spent, RateConfig(learning_rate=rate, warmup=0.1, decay=decay))
        losses += learner.train(SegmentPlan(batches, rates[:, None])).losses[:, 0].tolist()
    return losses


def _transfer(
    learner: Learner, tokenizer: Tokenizer, source: Domain, domains: list[Domain], size: Size, seed: int
) -> dict[str, Any]:
    """Tune the body on a source's labels, once, and say for every target's test examples which it gets right."""
    begun = time.perf_counter()
    objective = Classification(tokenizer, causal=False)
    updates = max(1, size.epochs * len(source.train.labels) // size.batch)
    plan = np.zeros((updates, 1, size.batch), np.int64)
    learner.reset_optimizer()
    tasks = [Task(f"{source.name}.classification", source.train, objective)]
    losses = _train(learner, tasks, plan, seed, size.context, size.rate, decay=0.9)
    tune = _cost(learner, plan.size * size.context, True, begun)
    label_ids = torch.tensor(source.train.label_ids)
    right, evaluate = {}, {}
    for target in domains:
        begun = time.perf_counter()
        test = target.test
        batch = labelled_batch(test, np.arange(len(test.labels))[None], objective, size.context)
        predicted = learner.label_logits(batch, label_ids)[0].argmax(dim=-1).cpu().numpy()
        right[target.name] = _bits(predicted == test.labels)
        evaluate[target.name] = _cost(learner, len(test.labels) * size.context, False, begun)
    return {"loss": float(np.mean(losses[-20:])), "right": right, "tune": tune, "evaluate": evaluate}


def _divergences(
    learner: Learner, tokenizer: Tokenizer, domains: list[Domain], size: Size, seed: int
) -> dict[str, dict[str, Any]]:
    """By measure the (source, target) matrix and what it cost: labelled sources' text against targets' unlabelled."""
    found: dict[str, dict[str, Any]] = {}
    sources = [domain.text.tokens for domain in domains]
    targets = [domain.unlabelled.tokens for domain in domains]
    V, D = tokenizer.vocab_size, len(domains)
    for name in divergence.TERM_MEASURES:
        begun = time.perf_counter()
        rows = [divergence.of_terms(name, target, sources, V) for target in targets]
        counted = sum(min(len(tokens), divergence.SAMPLE) for tokens in (*sources, *targets))
        flops = float(counted + D * D * divergence.FLOPS_PER_TERM * V)
        found[name] = {"matrix": _columns(rows), "flops": flops, "seconds": time.perf_counter() - begun}
    begun = time.perf_counter()
    settings = {"rows": size.rows, "context": size.context, "seed": seed}
    clouds = [
        (features_of(learner, domain.text, **settings), features_of(learner, domain.unlabelled, **settings))
        for domain in domains
    ]
    read = _cost(learner, sum(len(a) + len(b) for a, b in clouds) * size.context, False, begun)
    for name, measure in FEATURE_MEASURES.items():
        begun = time.perf_counter()
        rows = [np.array([measure.distance(target, source) for source, _ in clouds]) for _, target in clouds]
        flops = read["flops"] + D * D * measure.flops(*clouds[0][1].shape)
        found[name] = {
            "matrix": _columns(rows),
            "flops": flops,
            "seconds": read["seconds"] + time.perf_counter() - begun,
        }
    # A control that knows no divergence: a longer source is taken to be closer to everything.
    found["source length"] = {"matrix": [[-float(len(s))] * D for s in sources], "flops": 0.0, "seconds": 0.0}
    return found


def _columns(rows: list[Any]) -> list[list[float]]:
    matrix: list[list[float]] = np.stack(rows, axis=1).tolist()
    return matrix


def _cost(learner: Learner, tokens: int, training: bool, begun: float) -> Mapping[str, float]:
    return {"flops": learner.flops(tokens, training=training), "seconds": time.perf_counter() - begun}


def _bits(values: Any) -> str:
    return "".join("1" if value else "0" for value in values)


def _config(size: Size, device: str) -> configs.EnvConfig:
    """What `make_learner` reads of an environment; corpora and budget are not looked at."""
    return configs.load(
        {
            "corpora": {"none": {"kind": "noise", "tokens": 1}},
            "target": {"corpus": "none"},
            "budget": {"updates": 1},
            "learner": {"kind": "transformer", "layers": size.layers, "width": size.width, "heads": size.heads},
            "context": size.context,
            "device": device,
        }
    )
