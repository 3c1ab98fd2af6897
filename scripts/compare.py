"""`curriculum-rl compare`: agents against each other and against the baselines, at equal total cost, seed by seed."""

import json
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console

from curriculum_rl.durable import write_atomically
from curriculum_rl.errors import ConfigError
from curriculum_rl.experiment import Experiment, build
from curriculum_rl.pretraining.counting import counting_losses, stratified_rows
from curriculum_rl.pretraining.run import Pretraining
from curriculum_rl.priors.tasks import PriorName, prior
from curriculum_rl.recording.rows import to_json
from curriculum_rl.schema import load as configs
from curriculum_rl.scripts.comparing.analysis import results
from curriculum_rl.scripts.comparing.output import boards, markdown, page, table
from curriculum_rl.scripts.comparing.running import checks, contestants, directory, watching, workers
from curriculum_rl.scripts.comparing.running import plan as plans
from curriculum_rl.scripts.comparing.running.contestants import Contestant
from curriculum_rl.scripts.comparing.running.directory import Directory
from curriculum_rl.scripts.comparing.running.plan import Plan
from curriculum_rl.text.cache import Cache

STATIC_MIXTURES = 64


def compare(
    env: str | Path | Mapping[str, Any],
    agents: str | Sequence[str],
    *,
    out: str | Path,
    seeds: int = 10,
    first_seed: int = 0,
    jobs: int = 1,
    overrides: Mapping[str, Any] | None = None,
    timesteps: int | None = None,
    static_mixtures: int = STATIC_MIXTURES,
    baselines: bool | Sequence[str] = True,
    reach: Sequence[str] = (),
    decompose: Sequence[str] = (),
    minutes: float | None = None,
    quiet: bool = False,
) -> dict[str, Any]:
    """Run whatever is missing, then judge it all; call it again with more agents or seeds to go on.

    Args:
        env: name, path or content of an environment.
        agents: `name`, `name:option=value` or `name@run/directory`; separated by commas in a string.
        out: the directory of the comparison.
        seeds: runs of every agent.
        first_seed: of the first run; the others follow.
        jobs: processes; more than 1 need the `if __name__ == "__main__"` guard in a script.
        overrides: changes to the environment by dotted key.
        timesteps: segments that a policy is trained for; None: `train`'s default.
        static_mixtures: random static mixtures that are searched for the best, and half as many refinements; 0: none.
        baselines: which stand beside the agents, by label; True: all, False: none. Stratified always does.
        reach: labels, baselines' too, of which complete runs at 25, 33 and 50 % of the budget are made as well.
        decompose: labels of agents whose dynamics and feedback are taken apart.
        minutes: after which nothing more is begun: what was begun is ended, the rest counts as not run; None: no limit.
        quiet: no progress, no table.

    Returns:
        The content of `compare.json` (docs/compare.md).

    Raises:
        ConfigError: for what is wrong with the request, before anything runs.
        KeyboardInterrupt: on Ctrl-C; what was finished stays.
    """
    for key in overrides or {}:
        if key.startswith("agent."):
            raise ConfigError(f"{key}: options belong to one agent each; write them as agents: name:{key[6:]}=value")
    wanted = contestants.parse(agents)
    numbers = {"seeds": (seeds, 1), "jobs": (jobs, 1), "static-mixtures": (static_mixtures, 0)}
    checks.check(wanted, {**numbers, "minutes": (minutes or 0, 0)}, decompose)
    every = contestants.baselines(mixtures=static_mixtures, objective="any")
    checks.check_baselines(baselines, every)
    checks.check_reach(wanted, reach, _named(baselines, every))
    until = None if minutes is None else time.monotonic() + 60 * minutes
    config = configs.load(dict(env) if isinstance(env, Mapping) else env, overrides)
    console = Console(stderr=True, quiet=quiet)
    with Directory(Path(out)) as folder:
        folder.settle(config)
        with console.status("reading and tokenising the corpora"):
            experiment = build(config)
        folder.settle_data(experiment.data)
        if said := str(experiment.overlap):
            console.print(said, soft_wrap=True, highlight=False)
        others = contestants.baselines(mixtures=static_mixtures, objective=_objective(experiment))
        everybody = _everybody(wanted, _named(baselines, others), decompose)
        plan = _plan(folder, experiment, everybody, range(first_seed, first_seed + seeds))
        searched = static_mixtures if any(one.found == "static" for one in everybody) else 0
        plan = replace(plan, timesteps=timesteps, mixtures=searched, reach=tuple(dict.fromkeys(reach)))
        _run(plan, jobs, console, until)
        return _show(plan, experiment, console, quiet=quiet)


def _named(baselines: bool | Sequence[str], known: Sequence[Contestant]) -> list[Contestant]:
    """Stratified, and the other baselines that are wanted of those that there are."""
    if isinstance(baselines, bool):
        return [*known] if baselines else [contestants.stratified()]
    return [one for one in known if one.label in (contestants.STRATIFIED, *baselines)]


def _objective(experiment: Experiment) -> str | None:
    """The target's objective, where some tasks have it and others have not."""
    objective = experiment.problem.target_objective
    names = [task.objective.name for task in experiment.problem.tasks]
    return objective if objective in names and any(name != objective for name in names) else None


def _everybody(wanted: Sequence[Contestant], fixed: Sequence[Contestant], decompose: Sequence[str]) -> list[Contestant]:
    """The baselines, what was asked for, and the controls of a decomposition; every label once."""
    controls = [control for one in wanted if one.label in decompose for control in contestants.decomposition(one)]
    return list({one.label: one for one in [*wanted, *fixed, *controls]}.values())


def _plan(folder: Directory, experiment: Experiment, everybody: Sequence[Contestant], seeds: range) -> Plan:
    problem = experiment.problem
    told: dict[str, Any] = {"objective": problem.target_objective, "tokenizer": problem.tokenizer, "cache": Cache()}
    names: tuple[PriorName, ...] = ("em", "js")
    return Plan(
        folder=folder,
        config=experiment.config,
        data=experiment.data,
        contestants=tuple(everybody),
        seeds=tuple(seeds),
        tasks=tuple(task.name for task in problem.tasks),
        objectives=tuple(task.objective.name for task in problem.tasks),
        divergence=problem.divergence,
        priors={name: prior(name, problem.tasks, problem.target.text["signal"], **told) for name in names},
        objective=problem.target_objective,
    )


def _run(plan: Plan, processes: int, console: Console, until: float | None) -> None:
    """Do what is missing; a job that fails leaves its error where its cell would be."""
    todo, done = plans.jobs(plan), 0
    cells = {
        plans.name_of(one, seed, percent): plan.folder.cell(one, seed, percent) for one, seed, percent in plan.places()
    }
    with watching.Watch(len(todo), len(cells), console) as watch:
        performing = workers.perform(todo, processes=processes, started=watch.started, until=until)
        try:
            with closing(performing):  # type: ignore[type-var]
                for ended in performing:
                    done += 1
                    watch.ended(ended)
                    if ended.error is not None and ended.job.name in cells:
                        directory.write_error(cells[ended.job.name], ended.error)
        except KeyboardInterrupt:
            console.print(f"stopped; the same command goes on where it was ({plan.folder.path})", soft_wrap=True)
            raise
    if done < len(todo):
        console.print(f"time is up, {len(todo) - done} jobs are left; the same command goes on ({plan.folder.path})")


def _show(plan: Plan, experiment: Experiment, console: Console, *, quiet: bool) -> dict[str, Any]:
    """Write the document, the page and TensorBoard's events, and print the table."""
    rows = stratified_rows(Pretraining(experiment, charge_proxy=False, downstream=False))
    found: dict[str, Any] = json.loads(to_json(results.document(plan, counting_losses(experiment, rows))))
    path = plan.folder.path
    write_atomically(path / "compare.json", json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    write_atomically(path / "compare.md", markdown.markdown(found))
    write_atomically(path / "compare.html", page.html(found))
    boards.write(path / "tensorboard", found)
    if not quiet:
        table.show(found, Console())
        console.print(f"\nThe page: {path / 'compare.html'}   all figures: {path / 'compare.json'}", soft_wrap=True)
        console.print(f"TensorBoard:  tensorboard --logdir {path / 'tensorboard'}", soft_wrap=True)
    return found
