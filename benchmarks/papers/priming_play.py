"""One seed and left-out language: its ways to prime as comparisons, its arms tuned and scored, each kept as a file."""

import json
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from priming_data import Language, read_languages, sampled, without_shared, write
from priming_settings import ARMS, WAYS, Size, backbone_env, light, priming_env

from curriculum_rl.draws import key
from curriculum_rl.durable import write_atomically
from curriculum_rl.errors import ConfigError
from curriculum_rl.experiment import Experiment, build
from curriculum_rl.learners.build import make_learner
from curriculum_rl.learners.transformers.light import require_light
from curriculum_rl.proxies.few_shot import few_shot
from curriculum_rl.recording.rows import read_rows
from curriculum_rl.schema import load as configs
from curriculum_rl.schema.learners import TransformersLearner
from curriculum_rl.schema.proxies import FineTuneSettings
from curriculum_rl.scripts.compare import compare
from curriculum_rl.scripts.running.request import Request
from curriculum_rl.scripts.train import train

AGENT = "stratified"


@dataclass(frozen=True)
class Job:
    """What is played in one go."""

    seed: int
    target: str
    arms: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """What all jobs share.

    Attributes:
        data: the folder of the languages' folders.
        out: where the files are.
        languages: all of them; each target is left out of the others.
        size: of everything.
        split: clean or published.
        scored: the part of the target that is tuned on and scored, `test`, or `dev` while rates are chosen.
        limit: sentences read of each part; None: all.
        device: where it runs.
    """

    data: Path
    out: Path
    languages: tuple[str, ...]
    size: Size
    split: str
    scored: str
    limit: int | None
    device: str

    def begin(self) -> None:
        """Write down what the folder is for, and the files of sentences that all seeds share.

        Raises:
            ConfigError: it was begun for something else, or there are too few languages.
        """
        if len(self.languages) < 2:
            raise ConfigError(f"--languages: one is left out, so at least 2 are needed, not {len(self.languages)}")
        mine = {k: v for k, v in asdict(self).items() if k not in ("data", "out", "device")}
        text, file = json.dumps(mine, indent=1), self.out / "plan.json"
        if file.exists() and file.read_text() != text:
            raise ConfigError(f"out: {self.out} was begun at another size or split; choose another folder")
        read(self)
        self.out.mkdir(parents=True, exist_ok=True)
        write_atomically(file, text)
        for name, parts in read(self).items():
            write(self.texts(name, "train"), parts["train"])
            write(self.texts(name, self.scored), parts[self.scored])
        write(self.texts("all", "dev"), [row for parts in read(self).values() for row in parts["dev"]])

    def texts(self, language: str, part: str) -> Path:
        """A file of sentences."""
        return self.out.absolute() / "texts" / part / f"{language}.conll"

    def pool(self, language: str, seed: int) -> Path:
        """The sentences of a source language that a seed primes on."""
        return self.texts(language, f"pool-{seed}")

    def backbone(self, seed: int) -> Path:
        """The run directory of a seed's backbone."""
        return self.out.absolute() / "backbones" / f"seed-{seed}"

    def compared(self, target: str, way: str, seed: int) -> Path:
        """The comparison that primes the backbone of a seed in some way."""
        return self.out.absolute() / "compare" / f"{target}-{way}-{seed}"

    def file(self, job: Job, arm: str) -> Path:
        """The result of an arm."""
        return self.out / f"{job.target}.{arm.replace('->', '-after-')}.{job.seed}.json"


@cache
def read(plan: Plan) -> dict[str, Language]:
    """The languages, read once a process."""
    found = read_languages(plan.data, plan.languages, limit=plan.limit)
    return without_shared(found) if plan.split == "clean" else found


def play_backbone(plan: Plan, seed: int) -> Path:
    """Pretrain the backbone of a seed unless that is done, going on where it stopped; its run directory."""
    out = plan.backbone(seed)
    if (out / "result.json").exists() and (out / "learner" / "config.json").exists():
        return out
    files = {name: plan.texts(name, "train") for name in plan.languages}
    env = backbone_env(files, plan.texts("all", "dev"), plan.size, device=plan.device)
    request = Request(env=env, agent=AGENT, seed=seed, out=out, quiet=True, summarise=False, picture=False)
    if not train(request, resume=True):
        raise KeyboardInterrupt
    return out


def play(plan: Plan, job: Job) -> list[Path]:
    """Play the arms of a job that are missing; their files."""
    if plan.device == "cpu":
        torch.set_num_threads(1)
    files = [plan.file(job, arm) for arm in job.arms]
    left = [(arm, file) for arm, file in zip(job.arms, files, strict=True) if not file.exists()]
    if left:
        for name in plan.languages:
            if name != job.target:
                rows = sampled(read(plan)[name]["train"], key(job.seed, name), plan.size.pool)
                write(plan.pool(name, job.seed), rows)
        experiment = build(configs.load(_env(plan, job, "multitask", flops=1e12)))
        flops = plan.size.budget * _full_update(experiment)
        for arm, file in left:
            _play_arm(plan, job, experiment, flops, arm, file)
    return files


def _env(plan: Plan, job: Job, way: str, *, flops: float) -> dict[str, Any]:
    pools = {name: plan.pool(name, job.seed) for name in plan.languages if name != job.target}
    body = plan.backbone(job.seed) / "learner"
    target = plan.texts(job.target, plan.scored)
    return priming_env(pools, target, body, WAYS[way], plan.size, flops=flops, device=plan.device)


def _full_update(experiment: Experiment) -> float:
    """FLOPs of an ordinary update of everything."""
    learner = require_light(make_learner(experiment.config, experiment.problem), "learner")
    return learner.label_flops(experiment.config.batch * experiment.config.context, "all")


def _play_arm(plan: Plan, job: Job, experiment: Experiment, flops: float, name: str, file: Path) -> None:
    arm = ARMS[name]
    body, told = plan.backbone(job.seed) / "learner", None
    if arm.way is not None:
        body, told = _primed(plan, job, arm.way, flops)
    backbone = json.loads((plan.backbone(job.seed) / "result.json").read_text())
    watched = read_rows(plan.backbone(job.seed) / "segments.jsonl")[-1]
    row = {
        "seed": job.seed,
        "target": job.target,
        "arm": name,
        "tuned": _tuned(plan, job, experiment, body, arm.tune),
        "priming": told,
        "backbone": {"loss": -float(watched["score"]), "bigram": backbone["baselines"]["bigram"]},
        "scored": f"{plan.scored}, {plan.split}",
    }
    write_atomically(file, json.dumps(row, indent=1))


def _primed(plan: Plan, job: Job, way: str, flops: float) -> tuple[Path, dict[str, Any]]:
    """The learner that a way of priming leaves, and what happened."""
    out = plan.compared(job.target, way, job.seed)
    env = _env(plan, job, way, flops=flops)
    compare(env, AGENT, out=out, seeds=1, first_seed=job.seed, static_mixtures=0, baselines=False, quiet=True)
    run = out / "runs" / AGENT / f"seed-{job.seed}"
    if not (run / "segments.jsonl").exists():
        raise ConfigError(f"{way}, {job.target}: the run failed: {run}.error.txt says why")
    rows = read_rows(run / "segments.jsonl")
    last, batches = rows[-1], env["method"]["steps"] + 1
    return run / "learner", {
        "flops": last["ledger"]["train"]["flops"],
        "seconds": last["seconds"]["train"],
        "updates": last["updates"],
        "sentences": last["updates"] * batches * plan.size.batch,
        "drop": float(np.mean([row["inner_drop"] for row in rows])) if batches > 1 else None,
        "share falling": float(np.mean([row["inner_drop"] > 0 for row in rows])) if batches > 1 else None,
        "loss": last["loss"],
    }


def _tuned(plan: Plan, job: Job, experiment: Experiment, body: Path, tune: str) -> dict[str, Any]:
    """A learner tuned on a few sentences of the target with fresh light parameters and head, and scored."""
    size, full = plan.size, tune == "full"
    model = {
        "kind": "transformers", "model": str(body), "head": "masked", "light": light("head" if full else tune, size),
    }  # fmt: skip
    config = experiment.config.model_copy(update={"learner": TransformersLearner.model_validate(model)})
    learner = make_learner(config, experiment.problem)
    learner.reset([key(job.seed, "weights") >> 1])
    settings = FineTuneSettings(
        examples=size.shots,
        updates=size.tuning,
        batch=size.batch,
        learning_rate=size.rate,
        test_examples=size.scored,
        tune="all" if full else "light",
    )
    few = few_shot(experiment.problem, learner, "report", settings, [job.seed])
    found = few(learner)
    assert found.entity_f1 is not None, "the target is tagged"
    return {
        "f1": float(found.entity_f1[0]),
        "log_loss": float(found.log_loss[0]),
        "flops": few.price(learner).flops,
    }
