"""One seed and left-out language: its arms, each played once and kept as a JSON file; what they share is kept too."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from curriculum_rl.draws import key
from curriculum_rl.errors import ConfigError
from curriculum_rl.methods.priming import (
    ARMS,
    Priming,
    Problem,
    Settings,
    primed,
    problem,
    read_languages,
    tags_of,
    tuned,
    without_shared,
)
from curriculum_rl.methods.priming.backbone import BackboneSize, environment, load_vocabulary, write_texts
from curriculum_rl.methods.priming.ner import Language
from curriculum_rl.methods.priming.tagger import Tensors
from curriculum_rl.rows import write_atomically
from curriculum_rl.scripts.train import Request, train


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
        settings: of priming and tuning.
        size: of the backbone.
        split: clean or published.
        scored: the part of the target that is scored.
        most: sentences of it; None: all.
        limit: sentences read of each part; None: all.
        device: where it runs.
    """

    data: Path
    out: Path
    languages: tuple[str, ...]
    settings: Settings
    size: BackboneSize
    split: str
    scored: str
    most: int | None
    limit: int | None
    device: str

    def begin(self) -> None:
        """Write down what the folder is for.

        Raises:
            ConfigError: it was begun for something else, or there are too few languages.
        """
        if len(self.languages) < 2:
            raise ConfigError(f"--languages: one is left out, so at least 2 are needed, not {len(self.languages)}")
        if self.settings.context > self.size.context:
            raise ConfigError(f"--set context: {self.settings.context} is above the backbone's {self.size.context}")
        mine = {k: v for k, v in asdict(self).items() if k not in ("data", "out", "device")}
        text, file = json.dumps(mine, indent=1), self.out / "plan.json"
        if file.exists() and file.read_text() != text:
            raise ConfigError(f"out: {self.out} was begun at another size or split; choose another folder")
        read(self)
        self.out.mkdir(parents=True, exist_ok=True)
        write_atomically(file, text)

    def backbone(self, seed: int) -> Path:
        """The run directory of a seed's backbone."""
        return self.out / "backbones" / f"seed-{seed}"

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
    texts = (plan.out / f"texts-{seed}").absolute()
    write_texts(texts, read(plan))
    env = environment(texts, plan.languages, plan.size, device=plan.device)
    request = Request(env=env, agent="stratified", seed=seed, out=out, quiet=True, summarise=False, picture=False)
    if not train(request, resume=True):
        raise KeyboardInterrupt
    return out


def play(plan: Plan, job: Job) -> list[Path]:
    """Play the arms of a job that are missing; their files."""
    if plan.device == "cpu":
        torch.set_num_threads(1)
    files = [plan.file(job, arm) for arm in job.arms]
    if all(file.exists() for file in files):
        return files
    what = _problem(plan, job)
    for arm, file in zip(job.arms, files, strict=True):
        if not file.exists():
            _play_arm(plan, job, what, arm, file)
    return files


def _problem(plan: Plan, job: Job) -> Problem:
    source = plan.backbone(job.seed) / "learner"
    languages = read(plan)
    return problem(
        source,
        load_vocabulary(source),
        languages,
        tags_of(languages),
        job.target,
        plan.settings,
        seed=key(job.seed, job.target),
        device=plan.device,
        scored=plan.scored,
        most=plan.most,
    )


def _play_arm(plan: Plan, job: Job, what: Problem, name: str, file: Path) -> None:
    arm = ARMS[name]
    backbone, told = (None, None) if arm.priming is None else _primed(plan, job, what, arm.priming)
    found = tuned(what, arm, backbone)
    pretraining = json.loads((plan.backbone(job.seed) / "segments.jsonl").read_text().splitlines()[-1])
    row = {
        "seed": job.seed,
        "target": job.target,
        "arm": name,
        "tuned": found,
        "priming": told,
        "backbone": {"loss": -float(pretraining["score"]), "bigram": _result(plan, job)["baselines"]["bigram"]},
        "scored": f"{plan.scored}, {plan.split}",
    }
    write_atomically(file, json.dumps(row, indent=1))


def _result(plan: Plan, job: Job) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((plan.backbone(job.seed) / "result.json").read_text())
    return found


def _primed(plan: Plan, job: Job, what: Problem, priming: Priming) -> tuple[Tensors, Mapping[str, Any]]:
    """The primed backbone of a job, which several arms may start from."""
    stem = plan.out / "primed" / f"{job.target}.{priming.kind}.{priming.pe}.{job.seed}"
    weights, notes = Path(f"{stem}.safetensors"), Path(f"{stem}.json")
    if not (weights.exists() and notes.exists()):
        weights.parent.mkdir(parents=True, exist_ok=True)
        state, told = primed(what, priming)
        draft = Path(f"{stem}.draft")
        save_file({name: tensor.contiguous() for name, tensor in state.items()}, draft)
        draft.replace(weights)
        write_atomically(notes, json.dumps(told))
    loaded: Tensors = load_file(weights)
    return loaded, json.loads(notes.read_text())
