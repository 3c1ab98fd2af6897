"""`curriculum-rl compare`: agents against each other and against the baselines, at equal total cost, seed by seed."""

import json
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console

from curriculum_rl.agents.table import make, options_of
from curriculum_rl.durable import write_atomically
from curriculum_rl.errors import ConfigError, wrong
from curriculum_rl.experiment import Experiment, build
from curriculum_rl.pretraining.counting import counting_losses, stratified_rows
from curriculum_rl.pretraining.run import Pretraining
from curriculum_rl.recording.rows import to_json
from curriculum_rl.schema import load as configs
from curriculum_rl.scripts.comparing.analysis import results
from curriculum_rl.scripts.comparing.output import boards, markdown, page, table
from curriculum_rl.scripts.comparing.running import contestants, directory, watching, workers
from curriculum_rl.scripts.comparing.running import plan as plans
from curriculum_rl.scripts.comparing.running.contestants import Contestant
from curriculum_rl.scripts.comparing.running.directory import Directory
from curriculum_rl.scripts.comparing.running.plan import Plan

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
    baselines: bool = True,
    reach: Sequence[str] = (),
    decompose: Sequence[str] = (),
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
        static_mixtures: random static mixtures that are searched for the best; 0: none.
        baselines: whether more than stratified stands beside the agents.
        reach: labels, baselines' too, of which complete runs at 25, 33 and 50 % of the budget are made as well.
        decompose: labels of agents whose dynamics and feedback are taken apart.
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
    _check(wanted, seeds, jobs, static_mixtures, decompose)
    config = configs.load(dict(env) if isinstance(env, Mapping) else env, overrides)
    _check_reach(wanted, reach, static_mixtures, baselines=baselines, train=config.target.train)
    console = Console(stderr=True, quiet=quiet)
    with Directory(Path(out)) as folder:
        folder.settle(config)
        with console.status("reading and tokenising the corpora"):
            experiment = build(config)
        folder.settle_data(experiment.data)
        if said := str(experiment.overlap):
            console.print(said, soft_wrap=True, highlight=False)
        everybody = _everybody(wanted, experiment, baselines=baselines, mixtures=static_mixtures, decompose=decompose)
        plan = _plan(folder, experiment, everybody, range(first_seed, first_seed + seeds))
        searched = static_mixtures if baselines else 0
        plan = replace(plan, timesteps=timesteps, mixtures=searched, reach=tuple(dict.fromkeys(reach)))
        _run(plan, jobs, console)
        return _show(plan, experiment, console, quiet=quiet)


def _check(wanted: Sequence[Contestant], seeds: int, jobs: int, mixtures: int, decompose: Sequence[str]) -> None:
    if not wanted:
        raise ConfigError("agents: name at least one")
    for key, value, least in (("seeds", seeds, 1), ("jobs", jobs, 1), ("static-mixtures", mixtures, 0)):
        if value < least:
            raise wrong(key, value, f"at least {least}")
    for one in wanted:
        known = options_of(one.agent)
        for option in one.options:
            if option not in known:
                raise ConfigError(f"agents: {one.label!r}: no option {option!r}; {one.agent} has: {', '.join(known)}")
        if not one.pretrained:
            make(one.agent, None, **one.options)  # values out of range show before anything runs
    labels = [one.label for one in wanted]
    for label in decompose:
        if label not in labels:
            raise wrong("decompose", label, f"one of the agents, {', '.join(labels)}")
        if "target.train" in next(one for one in wanted if one.label == label).entry.env:
            raise ConfigError(f"decompose: {label!r} trains on the target's signal split, and its controls cannot")
        if seeds < 2:
            raise ConfigError("decompose: replays the schedule of another seed, so at least 2 seeds are needed")


def _everybody(
    wanted: Sequence[Contestant],
    experiment: Experiment,
    *,
    baselines: bool,
    mixtures: int,
    decompose: Sequence[str],
) -> list[Contestant]:
    """The baselines, what was asked for, and the controls of a decomposition; every label once."""
    objective = experiment.problem.target_objective
    names = [task.objective.name for task in experiment.problem.tasks]
    some = objective if objective in names and any(name != objective for name in names) else None
    fixed = [contestants.stratified()]
    if baselines:
        train = experiment.config.target.train
        fixed = contestants.baselines(wanted, mixtures=mixtures, objective=some, train=train)
    controls = [control for one in wanted if one.label in decompose for control in contestants.decomposition(one)]
    return list({one.label: one for one in [*wanted, *fixed, *controls]}.values())


def _check_reach(
    wanted: Sequence[Contestant], labels: Sequence[str], mixtures: int, *, baselines: bool, train: bool
) -> None:
    others = contestants.baselines(wanted, mixtures=mixtures, objective="any", train=train) if baselines else []
    known = [one.label for one in (*wanted, *others) if one.label != contestants.STRATIFIED]
    for label in labels:
        if label not in known:
            raise wrong("reach", label, f"one of {', '.join(known)}")


def _plan(folder: Directory, experiment: Experiment, everybody: Sequence[Contestant], seeds: range) -> Plan:
    return Plan(
        folder=folder,
        config=experiment.config,
        data=experiment.data,
        contestants=tuple(everybody),
        seeds=tuple(seeds),
        tasks=tuple(task.name for task in experiment.problem.tasks),
        objectives=tuple(task.objective.name for task in experiment.problem.tasks),
        divergence=experiment.problem.divergence,
        prior=experiment.problem.prior,
        objective=experiment.problem.target_objective,
    )


def _run(plan: Plan, processes: int, console: Console) -> None:
    """Do what is missing; a job that fails leaves its error where its cell would be."""
    todo = plans.jobs(plan)
    cells = {
        plans.name_of(one, seed, percent): plan.folder.cell(one, seed, percent) for one, seed, percent in plan.places()
    }
    with watching.Watch(len(todo), len(cells), console) as watch:
        performing = workers.perform(todo, processes=processes, started=watch.started)
        try:
            with closing(performing):  # type: ignore[type-var]
                for ended in performing:
                    watch.ended(ended)
                    if ended.error is not None and ended.job.name in cells:
                        directory.write_error(cells[ended.job.name], ended.error)
        except KeyboardInterrupt:
            console.print(f"stopped; the same command goes on where it was ({plan.folder.path})", soft_wrap=True)
            raise


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
