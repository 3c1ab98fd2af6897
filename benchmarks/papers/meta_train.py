"""Does looking through inner steps help? Lv et al. 2020, pretraining as meta-learning, on 16 domains of reviews.

    python benchmarks/papers/meta_train.py [--out runs/meta_train] [--seeds 3] [--jobs 2] [--device cpu]
        [--settings unsupervised,supervised] [--depths 0,1,2,3,5] [--second 1] [--accounts compute,data]
        [--set KEY=VALUE]

Every depth, order and account is a comparison of its own (`curriculum-rl compare`, agent `stratified`): the method
stands in the environment, and one comparison has one environment. They are joined by seed: under one seed all start
from the same weights and read the same streams. Then every final learner is tuned on a few labels of corpora that are
new to it, and, in runs of their own at a constant rate, the cosines of the tasks' gradients are compared where losses
are equal.
A part that is finished stands in --out and is not repeated: the same command goes on, with more seeds too.
"""

import argparse
import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numpy as np
from meta_train_claims import against_zero, at_matched_loss, shown
from meta_train_measures import few_shot, gradient_agreement
from meta_train_settings import Account, Column, Setting, Size, column_of, columns, environment
from playing import end, parser, settings_of, side_by_side

from curriculum_rl.durable import write_atomically
from curriculum_rl.errors import ConfigError
from curriculum_rl.scripts.compare import compare
from curriculum_rl.scripts.comparing.analysis.statistics import estimate

Work = tuple[Callable[..., None], tuple[Any, ...]]


def play(given: argparse.Namespace, size: Size) -> None:
    """Do what is left."""
    _settle(given.out, size)
    for column in _columns(given):
        begun = time.perf_counter()
        compare(
            environment(column, given.data, size, device=given.device),
            "stratified",
            out=given.out / "compare" / column.name,
            seeds=given.seeds,
            jobs=given.jobs,
            static_mixtures=0,
            baselines=False,
            quiet=True,
        )
        print(f"{column.name}: {time.perf_counter() - begun:.0f} s", flush=True)
    work = [*_tunings(given, size), *_agreements(given, size)]
    side_by_side(_done, work, processes=given.jobs)


def _done(work: Work) -> None:
    function, arguments = work
    function(*arguments)


def _columns(given: argparse.Namespace) -> list[Column]:
    return [
        column
        for setting in given.settings
        for column in columns(setting, [d for d in given.depths if d], given.second, given.accounts)
    ]


def _tuned(given: argparse.Namespace, column: str, seed: int) -> Path:
    return Path(given.out / "few-shot" / column / f"seed-{seed}.json")


def _untrained(setting: Setting) -> str:
    return f"{setting}-untrained"


def _agreed(given: argparse.Namespace, setting: Setting, depth: int, order: int) -> Path:
    return Path(given.out / "cosines" / f"{setting}-depth{depth}-order{order}-{given.seeds}.json")


def _tunings(given: argparse.Namespace, size: Size) -> list[Work]:
    """The fine-tunes that are missing, fresh weights among them."""
    runs = given.out / "compare"
    wanted = [
        (_tuned(given, column.name, seed), column, seed, runs / column.name / f"runs/stratified/seed-{seed}/learner")
        for column in _columns(given)
        for seed in range(given.seeds)
    ]
    wanted += [
        (_tuned(given, _untrained(setting), seed), Column(setting, 0), seed, None)
        for setting in given.settings
        for seed in range(given.seeds)
    ]
    for file, *_ in wanted:
        file.parent.mkdir(parents=True, exist_ok=True)
    return [
        (few_shot, (column, seed, learner, file, given.data, size, given.device))
        for file, column, seed, learner in wanted
        if not file.exists()
    ]


def _methods(given: argparse.Namespace) -> list[tuple[int, int]]:
    """Depths and orders, depth 0 first."""
    return [(0, 1), *((d, 1) for d in given.depths if d), *((d, 2) for d in given.second)]


def _agreements(given: argparse.Namespace, size: Size) -> list[Work]:
    """The runs for the cosines that are missing: all of the same compute."""
    found: list[Work] = []
    for setting in given.settings:
        for depth, order in _methods(given):
            file, column = _agreed(given, setting, depth, order), Column(setting, depth, order)
            file.parent.mkdir(parents=True, exist_ok=True)
            if not file.exists():
                found.append((gradient_agreement, (column, given.seeds, file, given.data, size, given.device)))
    return found


def _settle(out: Path, size: Size) -> None:
    """Write the size, or see that it is the one that the directory was begun with."""
    file, now = out / "size.json", json.loads(json.dumps(asdict(size)))
    if file.exists() and json.loads(file.read_text()) != now:
        raise ConfigError(f"out: {out} was begun at another size; choose another directory")
    out.mkdir(parents=True, exist_ok=True)
    write_atomically(file, json.dumps(now, indent=1) + "\n")


def summarise(given: argparse.Namespace, size: Size) -> dict[str, Any]:
    """Every figure of the claims."""
    return {
        "size": asdict(size),
        "seeds": given.seeds,
        "settings": {
            setting: {"few shot": _accuracies(given, size, setting), "cosines": _cosines(given, setting)}
            for setting in given.settings
        },
    }


def _accuracies(given: argparse.Namespace, size: Size, setting: Setting) -> dict[str, Any]:
    """By account and number of shots: depth 0, and every other depth and order against it."""
    found: dict[str, Any] = {}
    tuned = json.loads(_tuned(given, _untrained(setting), 0).read_text())["tuned"]
    chance = 100 * float(np.mean([1 / one["classes"] for one in tuned.values()]))
    for account in given.accounts:
        for shots in size.shots:
            read = {
                f"depth {depth}, order {order}": _mean_accuracy(
                    given, column_of(setting, depth, order, account).name, shots
                )
                for depth, order in _methods(given)
            }
            zero = read.pop("depth 0, order 1")
            found[f"equal {account}, {shots} shots"] = {
                "chance": chance,
                "untrained": _estimate(_mean_accuracy(given, _untrained(setting), shots)),
                "depth 0": _estimate(zero),
                **against_zero(zero, read),
            }
    return found


def _estimate(shares: list[float]) -> dict[str, Any]:
    """In percent."""
    return vars(estimate([100 * share for share in shares]))


def _mean_accuracy(given: argparse.Namespace, column: str, shots: int) -> list[float]:
    """A value for each seed: the mean over what is tuned on."""
    files = [json.loads(_tuned(given, column, seed).read_text()) for seed in range(given.seeds)]
    return [float(np.mean([d[str(shots)]["accuracy"] for d in file["tuned"].values()])) for file in files]


def _cosines(given: argparse.Namespace, setting: Setting) -> dict[str, Any]:
    """Every depth and order against depth 0, where losses are equal and, for contrast, at the end of equal compute."""
    runs = {(d, o): json.loads(_agreed(given, setting, d, o).read_text()) for d, o in _methods(given)}
    zero = runs.pop((0, 1))
    return {
        f"depth {depth}, order {order}": {
            **{what: at_matched_loss(zero, run, what) for what in ("cosine", "clean")},
            "at the end": float(np.mean(run["cosine"][-1]) - np.mean(zero["cosine"][-1])),
            "last loss": float(np.mean(run["loss"][-1])),
            "last loss at depth 0": float(np.mean(zero["loss"][-1])),
        }
        for (depth, order), run in runs.items()
    }


def report(found: dict[str, Any]) -> str:
    """The tables."""
    lines = [f"{found['seeds']} seed(s), 95 % intervals; accuracy in %, mean over the corpora tuned on"]
    for setting, part in found["settings"].items():
        for name, table in part["few shot"].items():
            zero, fresh = table["depth 0"], shown(table["untrained"])
            lines += ["", f"{setting}, {name}: depth 0 {shown(zero)}, untrained {fresh}, chance {table['chance']:.0f}"]
            if zero["mean"] < table["chance"] + 5:
                lines.append("  believe none of this: depth 0 is hardly above chance")
            lines += [
                f"  {column:18s} {shown(one['accuracy']):>22s}  difference {shown(one['difference']):>22s}  "
                f"wins {one['wins']:g} of {one['seeds']}  p (Holm) {_p(one['holm'])}"
                for column, one in table.items()
                if column not in ("chance", "untrained", "depth 0")
            ]
        lines += ["", f"{setting}, mean cosine of the tasks' gradients, minus that of depth 0 at the same loss"]
        for column, one in part["cosines"].items():
            for what in ("cosine", "clean"):
                lines.append(f"  {column:18s} {what:7s} {_matched(one[what])}")
            lines.append(f"  {column:18s} at the end of equal compute, losses not equal: {one['at the end']:+.3f}")
    return "\n".join(lines)


def _matched(one: dict[str, Any] | None) -> str:
    if one is None:
        return "no loss in common"
    low, high = one["losses"]
    return (
        f"{one['mean']:.3f} against {one['zero']:.3f}, difference {shown(one['difference'], 3)}  "
        f"wins {one['wins']:g} of {one['seeds']}  p {_p(one['p'])}  (losses {low:.2f} to {high:.2f})"
    )


def _p(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _parser() -> argparse.ArgumentParser:
    def numbers(text: str) -> list[int]:
        return sorted({int(part) for part in text.split(",") if part})

    def of(choices: tuple[str, ...]) -> Callable[[str], list[str]]:
        def names(text: str) -> list[str]:
            wrong = [part for part in text.split(",") if part not in choices]
            if wrong:
                raise argparse.ArgumentTypeError(f"{wrong[0]!r} is not one of {', '.join(choices)}")
            return list(dict.fromkeys(text.split(",")))

        return names

    options = parser(__doc__, "meta_train", data="", settings="meta_train_settings.Size")
    options.add_argument("--settings", type=of(get_args(Setting)), default=list(get_args(Setting)))
    options.add_argument("--depths", type=numbers, default=[0, 1, 2, 3, 5], help="at order 1; 0 is always there")
    options.add_argument("--second", type=numbers, default=[1], help="depths at order 2")
    options.add_argument("--accounts", type=of(get_args(Account)), default=["compute", "data"])
    return options


def main(arguments: list[str] | None = None) -> None:
    """Play what is left, print the tables, write `result.json`."""
    options = _parser()
    given = options.parse_args(arguments)
    if any(depth < 1 for depth in given.second):
        options.error("--second: depths of at least 1")
    try:
        size = settings_of(Size(), given.set)
        play(given, size)
    except ConfigError as error:
        options.error(str(error))
    found = summarise(given, size)
    end(given.out, found, report(found))


if __name__ == "__main__":
    main()
