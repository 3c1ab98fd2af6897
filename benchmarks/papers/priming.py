"""Does priming help parameter-efficient tuning? Gheini et al. 2022: entities of WikiAnn, one language left out.

    python benchmarks/papers/priming.py [--out runs/priming] [--seeds 3] [--arms ...] [--processes 2] [--set KEY=VALUE]
    python benchmarks/papers/priming.py --device cuda --processes 1 --set layers=4 --set width=192 --set budget=2000

For every seed a small BERT is pretrained by masked LM on the raw train text of all languages (a run of `curriculum-rl
train --agent stratified` in --out/backbones). For every left-out language it is primed on labelled sentences of the
others, each way at the same FLOPs and from the same sentences (`curriculum-rl compare`, agent `stratified`: the method
stands in the environment, and a comparison has one environment), then tuned with fresh parameters on a few sentences of
the one left out, and scored by entity F1. Train parts are cleaned of all dev and test sentences of any language. Each
seed, language and arm is a JSON file in --out and is not repeated: the same command goes on, with more seeds or arms.
"""

import argparse
import json
import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import fields
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

from priming_claims import report, summarise
from priming_data import SPLITS
from priming_play import Job, Plan, play, play_backbone
from priming_settings import ARMS, CLAIMED, Size

from curriculum_rl.errors import ConfigError
from curriculum_rl.schema.load import parse_override


def _size(texts: list[str]) -> Size:
    """The default size with what the command line says.

    Raises:
        ConfigError: for a key that there is none of, or a value out of range.
    """
    changes: dict[str, Any] = dict(parse_override(text) for text in texts)
    known = [field.name for field in fields(Size)]
    for key in changes:
        if key not in known:
            raise ConfigError(f"--set {key}: must be one of {', '.join(known)}")
    return Size(**changes)


def _among(text: str, known: list[str], key: str) -> list[str]:
    """Names of a comma-separated list, or all.

    Raises:
        ConfigError: for a name that there is none of.
    """
    names = known if text == "all" else text.split(",")
    for name in names:
        if name not in known:
            raise ConfigError(f"--{key} {name}: must be among all, {', '.join(known)}")
    return names


def _played(given: argparse.Namespace) -> list[Path]:
    """The files of all jobs, played where they are missing; first every seed's backbone, which its arms share."""
    plan = Plan(
        data=given.data,
        out=given.out,
        languages=tuple(given.languages.split(",")),
        size=_size(given.set),
        split=given.split,
        scored=given.scored,
        limit=given.limit,
        device=given.device,
    )
    arms = tuple(_among(given.arms, list(ARMS), "arms"))
    targets = _among(given.targets, list(plan.languages), "targets")
    plan.begin()
    seeds = range(given.seeds)
    jobs = [Job(seed, target, arms) for seed in seeds for target in targets]
    if given.processes == 1:
        for seed in seeds:
            play_backbone(plan, seed)
        return [file for job in jobs for file in play(plan, job)]
    with ProcessPoolExecutor(given.processes, mp_context=get_context("spawn")) as pool:
        list(pool.map(partial(play_backbone, plan), seeds))
        return [file for files in pool.map(partial(play, plan), jobs) for file in files]


def main(arguments: list[str] | None = None) -> None:
    """Play what is left, print the tables, write `result.json`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs/priming"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--arms", default=",".join(CLAIMED), help=f"all, or some of {', '.join(ARMS)}")
    parser.add_argument("--languages", default="de,en,fr,nl,pt", help="whose folders are in --data")
    parser.add_argument("--targets", default="all", help="the languages that are left out in turn")
    parser.add_argument("--split", default="clean", choices=SPLITS)
    parser.add_argument("--scored", default="test", choices=("dev", "test"), help="dev while rates are chosen")
    parser.add_argument("--limit", type=int, help="sentences read of each part")
    parser.add_argument("--processes", type=int, default=min(2, os.cpu_count() or 1), help="languages side by side")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("CURRICULUM_RL_DATA", "data")) / "wikiann")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="of priming_settings.Size")
    given = parser.parse_args(arguments)
    if given.seeds < 1 or given.processes < 1:
        parser.error("--seeds and --processes: at least 1")
    try:
        files = _played(given)
    except ConfigError as error:
        parser.error(str(error))
    found = summarise([json.loads(file.read_text()) for file in files])
    (given.out / "result.json").write_text(json.dumps(found, indent=1) + "\n")
    print(report(found))


if __name__ == "__main__":
    main()
