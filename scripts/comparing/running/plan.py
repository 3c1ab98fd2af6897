"""What a comparison has to do: the jobs whose results are not there yet, and what each of them waits for."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from curriculum_rl.errors import ConfigError
from curriculum_rl.recording.runs import RunDirectory
from curriculum_rl.recording.schedules import read_schedule
from curriculum_rl.schema import EnvConfig
from curriculum_rl.scripts.comparing.running import cells, proposing, search
from curriculum_rl.scripts.comparing.running.contestants import Contestant
from curriculum_rl.scripts.comparing.running.directory import Directory, check_data, check_same, is_finished
from curriculum_rl.scripts.comparing.running.workers import Job
from curriculum_rl.scripts.running.request import Request

TRAINING_SEED = 700_000
REACH = (25, 33, 50)
"""Percent of the budget at which complete runs are made beside the whole one (evidence.md 2)."""


@dataclass(frozen=True)
class Plan:
    """One comparison.

    Attributes:
        folder: where.
        config: the environment.
        data: what the comparison was begun on.
        contestants: the rows.
        seeds: the runs of each.
        tasks: K names.
        objectives: of the tasks.
        divergence: (K,) of each task's text from the target's, bits.
        priors: (K,) shares from the texts alone, "em" and "js".
        objective: the target's own.
        timesteps: segments that a policy is trained for; None: the default. What says itself how many runs it learns
            from is trained for as many.
        mixtures: random static mixtures that are searched.
        reach: labels of those that get runs at parts of the budget.
    """

    folder: Directory
    config: EnvConfig
    data: Mapping[str, str]
    contestants: tuple[Contestant, ...]
    seeds: tuple[int, ...]
    tasks: tuple[str, ...]
    objectives: tuple[str, ...]
    divergence: npt.NDArray[np.float64]
    priors: Mapping[str, npt.NDArray[np.float64]]
    objective: str
    timesteps: int | None = None
    mixtures: int = 0
    reach: tuple[str, ...] = ()

    @property
    def percents(self) -> tuple[int, ...]:
        """Parts of the budget that runs are made at."""
        return (*REACH, 100) if self.reach else (100,)

    @cached_property
    def search(self) -> search.Search:
        """The search for the best fixed task and the best static mixture."""
        some = {self.objective} < set(self.objectives)
        objective = np.array(proposing.of_objective(self.objectives, self.objective)) if some else None
        emphasis = self.config.action.emphasis
        return search.Search(self.folder, len(self.tasks), self.priors, objective, self.mixtures, emphasis)

    def partner(self, seed: int) -> int:
        """The seed whose schedule is replayed under this one; it stays the same when seeds are added."""
        place = self.seeds.index(seed)
        return self.seeds[place - 1] if place else self.seeds[1]

    def named(self, label: str) -> Contestant:
        """The contestant of a label."""
        return next(one for one in self.contestants if one.label == label)

    def places(self) -> list[tuple[Contestant, int, int]]:
        """Every contestant, seed and percent there is to run; stratified only at the whole budget."""
        return [
            (one, seed, percent)
            for percent in reversed(self.percents)
            for seed in self.seeds
            for one in self.contestants
            if percent == 100 or one.label in self.reach
        ]


def jobs(plan: Plan) -> list[Job]:
    """All that is missing, what others wait for first.

    Raises:
        ConfigError: where what is there was made with other settings.
    """
    trainings = [_training(plan, one) for one in plan.contestants if one.pretrained and not one.trained]
    places = [_cell(plan, *place) for place in plan.places()]
    return [job for job in (*trainings, *_searches(plan), *places) if job is not None]


def _training(plan: Plan, one: Contestant) -> Job | None:
    out = plan.folder.training(one)
    timesteps = plan.timesteps if one.entry.runs is None else None
    check_same(out, {"agent": {"name": one.agent, **one.options}, "timesteps": timesteps})
    check_data(out, plan.data)
    if is_finished(out):
        return None
    options = {f"agent.{key}": value for key, value in one.options.items()}
    request = _request(plan, one.agent, TRAINING_SEED, out, options, timesteps)
    return Job(f"train {one.label}", cells.train_cell, lambda: {"request": request, "data": plan.data})


def _searches(plan: Plan) -> list[Job]:
    kinds = {one.found for one in plan.contestants if one.found in ("fixed", "static")}
    if not kinds:
        return []
    first = [part for part in plan.search.known if "static" in kinds or part.kind == "fixed"]
    made = [(part.name, partial(_try, plan, part), frozenset[str]()) for part in first]
    for kind, waited in plan.search.rounds():
        if not kind.startswith("final") or kind.removeprefix("final-") in kinds:
            after = frozenset(f"search {name}" for name in waited)
            made += [(name, partial(_try_best, plan, kind, name), after) for name in plan.search.names(kind)]
    return [
        Job(f"search {name}", cells.try_mixtures, arguments, after)
        for name, arguments, after in made
        if not search.is_there(plan.folder.search(name))
    ]


def _try(plan: Plan, part: search.Part) -> dict[str, Any]:
    out = plan.folder.search(part.name)
    tried = {"mixtures": part.mixtures.tolist(), "seed": part.seed, "out": out, "data": plan.data}
    return {"config": plan.config, "overrides": {}, **tried}


def _try_best(plan: Plan, kind: str, name: str) -> dict[str, Any]:
    return _try(plan, next(part for part in plan.search.parts(kind) if part.name == name))


def _cell(plan: Plan, one: Contestant, seed: int, percent: int) -> Job | None:
    out = plan.folder.cell(one, seed, percent)
    if not one.found and not one.pretrained:
        check_same(out, {"agent": {"name": one.agent, **one.options}, "seed": seed})
    if one.pretrained:
        check_same(out, {"trained": str(plan.folder.training(one)), "seed": seed})
    check_data(out, plan.data)
    if is_finished(out):
        return None
    name = name_of(one, seed, percent)
    if one.pretrained:
        return Job(name, cells.frozen_cell, partial(_frozen, plan, one, seed, percent), _after(plan, one, seed))
    return Job(name, cells.train_cell, partial(_online, plan, one, seed, percent), _after(plan, one, seed))


def name_of(one: Contestant, seed: int, percent: int) -> str:
    """What a cell's job is called."""
    return f"{one.label}, seed {seed}" + ("" if percent == 100 else f", {percent} % of the budget")


def _after(plan: Plan, one: Contestant, seed: int) -> frozenset[str]:
    if one.pretrained:
        return frozenset({f"train {one.label}"})
    if one.found in ("fixed", "static"):
        return frozenset(f"search {name}" for name in plan.search.names(f"final-{one.found}"))
    if one.role == "decomposition":
        return frozenset({name_of(plan.named(one.of), plan.partner(seed), 100)})
    return frozenset()


def _online(plan: Plan, one: Contestant, seed: int, percent: int) -> dict[str, Any]:
    options = one.options if not one.found else options_found(plan, one, seed)
    overrides = {f"agent.{key}": value for key, value in options.items()} | _part(plan.config, percent)
    if one.found:  # what was found are shares by the environment's own numbers
        overrides["action.permute"] = False
    out = plan.folder.cell(one, seed, percent)
    return {"request": _request(plan, one.agent, seed, out, overrides), "data": plan.data}


def _frozen(plan: Plan, one: Contestant, seed: int, percent: int) -> dict[str, Any]:
    trained = plan.folder.training(one)
    if not (trained / "agent.zip").is_file() or (not one.trained and not is_finished(trained)):
        raise ConfigError(f"{one.label}: its training did not finish")
    before = RunDirectory.open(trained).read_config()["env"]
    # A frozen policy sees what it saw in training; nobody is paid.
    kept = {f"action.{key}": before["action"][key] for key in ("kind", "permute")}
    overrides = {**kept, "observation": before["observation"], "reward.baseline": "none", **_part(plan.config, percent)}
    out = plan.folder.cell(one, seed, percent)
    return {"request": _request(plan, one.agent, seed, out, overrides), "trained": trained, "data": plan.data}


def options_found(plan: Plan, one: Contestant, seed: int) -> dict[str, Any]:
    """Options that come from the search, the target's objective, its text or another run.

    Raises:
        ConfigError: where the other run did not finish.
    """
    if one.found == "objective":
        return {"shares": proposing.of_objective(plan.objectives, plan.objective)}
    if one.found in ("fixed", "static"):
        return {"shares": plan.search.choose(one.found).shares}
    if one.found in ("em", "js"):
        return {"shares": plan.priors[one.found].tolist()}
    source = plan.folder.cell(plan.named(one.of), plan.partner(seed))
    if not is_finished(source):
        raise ConfigError(f"{one.label}: its source, {source.parent.name} under {source.name}, did not finish")
    if one.found == "mean":
        mean = read_schedule(source / "schedule.json").mean_mixture()
        return {"shares": [mean[task] for task in plan.tasks]}
    order = {"shuffle": seed} if one.found == "shuffled" else {}
    return {"path": str(source / "segments.jsonl"), **order}


def _request(
    plan: Plan, agent: str, seed: int, out: Path, overrides: Mapping[str, Any], timesteps: int | None = None
) -> Request:
    return Request(
        env=plan.config,
        agent=agent,
        seed=seed,
        out=out,
        timesteps=timesteps,
        shards=1,
        overrides=overrides,
        quiet=True,
        summarise=False,
        picture=False,
    )


def _part(config: EnvConfig, percent: int) -> dict[str, Any]:
    """The budget of a run at a part of the whole."""
    if percent == 100:
        return {}
    budget = config.budget
    for unit in ("updates", "tokens"):
        whole = getattr(budget, unit)
        if whole is not None:
            return {f"budget.{unit}": max(1, round(whole * percent / 100))}
    assert budget.flops is not None  # the schema wants exactly one
    return {"budget.flops": budget.flops * percent / 100}
