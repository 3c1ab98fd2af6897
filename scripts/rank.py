"""`curriculum-rl rank`: how far every task's text is from the target's, before a single update."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

from curriculum_rl.errors import ConfigError, cut, wrong
from curriculum_rl.experiment import Experiment, build
from curriculum_rl.learners import load_learner
from curriculum_rl.priors.tasks import PriorName, prior
from curriculum_rl.ranking.features import FEATURE_MEASURES
from curriculum_rl.ranking.picture import ranking_picture
from curriculum_rl.ranking.ranking import MEASURES, ROWS, Measured, Ranking, rank
from curriculum_rl.schema import load as configs
from curriculum_rl.scripts.tables import PLAIN, print_table
from curriculum_rl.text.cache import Cache

PRIORS: tuple[PriorName, ...] = ("em", "js")
PRUNE = 0.4
"""Share of the tasks that the table marks as left out (Pugantsov and McCreadie 2023: up to 40 % of the runtime)."""


def show(
    env: str,
    *,
    measures: Sequence[str] = MEASURES,
    learner: Path | None = None,
    rows: int = ROWS,
    seed: int = 0,
    overrides: Mapping[str, Any] | None = None,
    json_file: Path | None = None,
    out: Path | None = None,
) -> Ranking:
    """Rank the tasks of an environment, print the tables, and write what was asked for.

    Args:
        env: its name or file.
        measures: names of `divergence_ranking.MEASURES`.
        learner: the run directory, or the directory of a learner, whose features are measured; None: the
            environment's own learner, freshly initialised.
        rows: windows of each text that the learner reads.
        seed: of the windows and the fresh learner.
        overrides: values of the environment by dotted key.
        json_file: where the figures go; None: only into `out`.
        out: the folder for `ranking.json` and `ranking.png`; None: neither.

    Raises:
        ConfigError: for an unknown measure, or a learner that is not there or does not fit.
    """
    torch.set_num_threads(1)
    _check(measures, out=out, json_file=json_file)
    folder = None if learner is None else _learner_folder(learner)
    experiment = build(configs.load(env, overrides))
    loaded = None
    if folder is not None:
        loaded = load_learner(folder, device=experiment.config.device, tokenizer=experiment.tokenizer)
    ranking = rank(experiment, measures, learner=loaded, rows=rows, seed=seed)
    read_by = "the environment's own, freshly initialised" if folder is None else str(folder)
    priors = _priors(experiment)
    content = _content(ranking, env=experiment.config.name, learner=read_by) | {"priors": priors}
    for path in (json_file, out and out / "ranking.json"):
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    if out is not None:
        ranking_picture(ranking, out / "ranking.png", prune=PRUNE)
    console = Console()
    for table in _tables(ranking, experiment.config.name, read_by):
        console.print(table)
        console.print()
    shares = [(cut(task), *(f"{priors[name][task]:.3f}" for name in PRIORS)) for task in _by_share(priors)]
    print_table(
        console, "no divergences but priors: the share of each task in a static mixture", ("task", *PRIORS), shares
    )
    if out is not None:
        console.print(f"wrote {out / 'ranking.png'} and {out / 'ranking.json'}")
    return ranking


def _priors(experiment: Experiment) -> dict[str, dict[str, float]]:
    """By prior, the share of each task."""
    problem = experiment.problem
    signal, names = problem.target.text["signal"], [task.name for task in problem.tasks]
    found: dict[str, dict[str, float]] = {}
    for name in PRIORS:
        shares = prior(
            name,
            problem.tasks,
            signal,
            objective=problem.target_objective,
            tokenizer=problem.tokenizer,
            cache=Cache(),
        )
        found[name] = dict(zip(names, shares.tolist(), strict=True))
    return found


def _by_share(priors: Mapping[str, Mapping[str, float]]) -> list[str]:
    """The tasks, that with the largest share in the first prior first."""
    shares = priors[PRIORS[0]]
    return sorted(shares, key=lambda task: -shares[task])


def _check(measures: Sequence[str], *, out: Path | None, json_file: Path | None) -> None:
    """What can be known to be wrong before any text is read."""
    unknown = [name for name in measures if name not in MEASURES]
    if unknown or not measures:
        raise wrong("measure", ", ".join(unknown), f"some of {', '.join(MEASURES)}")
    if len(set(measures)) < len(measures):
        raise ConfigError(f"measure: {', '.join(measures)!r} names one twice")
    if out is not None and out.exists() and not out.is_dir():
        raise ConfigError(f"out: {str(out)!r} is a file, not a folder")
    if json_file is not None and json_file.is_dir():
        raise ConfigError(f"json: {str(json_file)!r} is a folder, not a file")


def _learner_folder(path: Path) -> Path:
    for folder in (path / "learner", path):
        if (folder / "learner.json").is_file():
            return folder
    raise ConfigError(
        f"learner: {str(path)!r} holds no learner: neither learner/learner.json nor learner.json is there"
    )


def _tables(ranking: Ranking, env: str, learner: str) -> list[Table]:
    """One for each kind of measure, and one of their agreement."""
    what = f"{env}: every task's text against the target's ({ranking.target}), by"
    terms = [measured for measured in ranking.measures if measured.name not in FEATURE_MEASURES]
    features = [measured for measured in ranking.measures if measured.name in FEATURE_MEASURES]
    tables = []
    if terms:
        tables.append(_tasks_table(ranking, terms, f"{what} token distributions"))
    if features:
        tables.append(_tasks_table(ranking, features, f"{what} features of a learner ({learner})"))
    return [*tables, _agreement_table(ranking)] if len(ranking.measures) > 1 else tables


def _needs_learner(ranking: Ranking) -> bool:
    return any(measured.name in FEATURE_MEASURES for measured in ranking.measures)


def _content(ranking: Ranking, *, env: str, learner: str) -> dict[str, Any]:
    """What `ranking.json` holds."""
    names = [measured.name for measured in ranking.measures]
    agreement = [[None if math.isnan(value) else value for value in row] for row in ranking.agreement().tolist()]
    return {
        "env": env,
        "target": ranking.target,
        "learner": learner if _needs_learner(ranking) else None,
        "prune": PRUNE,
        "measures": {
            measured.name: {
                "divergence": dict(zip(ranking.tasks, measured.divergence.tolist(), strict=True)),
                "rank": dict(zip(ranking.tasks, measured.ranks.tolist(), strict=True)),
                "left_out": [ranking.tasks[task] for task in measured.pruned(PRUNE)],
                "seconds": measured.seconds,
                "flops": measured.flops,
            }
            for measured in ranking.measures
        },
        "agreement": {name: dict(zip(names, row, strict=True)) for name, row in zip(names, agreement, strict=True)},
    }


def _tasks_table(ranking: Ranking, measures: Sequence[Measured], title: str) -> Table:
    """A row for each task, the closest first, and what each measure cost."""
    table = Table(title=title, caption=f"* left out by agent.prune={PRUNE:g}", **PLAIN)
    table.add_column("task", no_wrap=True)
    for measured in measures:
        table.add_column(measured.name, justify="right", no_wrap=True)
    pruned = [set(measured.pruned(PRUNE)) for measured in measures]
    for task in ranking.order():
        cells = [
            f"{measured.divergence[task]:.3g}{'*' if task in left_out else ' '}"
            for measured, left_out in zip(measures, pruned, strict=True)
        ]
        table.add_row(ranking.tasks[task], *cells)
    table.add_row()
    table.add_row("seconds", *(f"{measured.seconds:.3f} " for measured in measures))
    table.add_row("FLOPs", *(f"{measured.flops:.2g} " for measured in measures))
    return table


def _agreement_table(ranking: Ranking) -> Table:
    """Spearman's correlations; columns are numbered so that all fit a terminal."""
    table = Table(title="agreement: Spearman over the different texts", **{**PLAIN, "padding": (0, 1, 0, 0)})
    table.add_column("measure", no_wrap=True)
    for number in range(1, len(ranking.measures) + 1):
        table.add_column(str(number), justify="right", no_wrap=True)
    for number, (measured, row) in enumerate(zip(ranking.measures, ranking.agreement().tolist(), strict=True), 1):
        table.add_row(f"{number} {measured.name}", *("-" if math.isnan(value) else f"{value:.2f}" for value in row))
    return table
