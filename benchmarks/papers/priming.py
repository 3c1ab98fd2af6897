"""Does priming help parameter-efficient tuning? Gheini et al. 2022: entities of WikiAnn, one language left out.

    python benchmarks/papers/priming.py [--out runs/priming] [--seeds 3] [--arms ...] [--jobs 2] [--set KEY=VALUE]
    python benchmarks/papers/priming.py --device cuda --jobs 1 --set layers=4 --set width=192 --set budget=2000

For every seed a small BERT is pretrained by masked LM on the raw train text of all languages (a run of `curriculum-rl
train --agent stratified` in --out/backbones). For every left-out language it is primed on labelled sentences of the
others, each way at the same FLOPs and from the same sentences (`curriculum-rl compare`, agent `stratified`: the method
stands in the environment, and a comparison has one environment), then tuned with fresh parameters on a few sentences of
the one left out, and scored by entity F1. Train parts are cleaned of all dev and test sentences of any language. Each
seed, language and arm is a JSON file in --out and is not repeated: the same command goes on, with more seeds or arms.
"""

import argparse
import os
from functools import partial
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

from playing import among, end, parser, read, settings_of, side_by_side
from priming_claims import report, summarise
from priming_data import SPLITS
from priming_play import Job, Plan, play, play_backbone
from priming_settings import ARMS, CLAIMED, Size

from curriculum_rl.errors import ConfigError


def _played(given: argparse.Namespace) -> list[Path]:
    """The files of all jobs, played where they are missing; first every seed's backbone, which its arms share."""
    plan = Plan(
        data=given.data,
        out=given.out,
        languages=tuple(given.languages.split(",")),
        size=settings_of(Size(), given.set),
        split=given.split,
        scored=given.scored,
        limit=given.limit,
        device=given.device,
    )
    arms = tuple(among(given.arms, list(ARMS), "arms"))
    targets = among(given.targets, list(plan.languages), "targets")
    plan.begin()
    seeds = range(given.seeds)
    jobs = [Job(seed, target, arms) for seed in seeds for target in targets]
    side_by_side(partial(play_backbone, plan), seeds, processes=given.jobs)
    return [file for files in side_by_side(partial(play, plan), jobs, processes=given.jobs) for file in files]


def main(arguments: list[str] | None = None) -> None:
    """Play what is left, print the tables, write `result.json`."""
    options = parser(__doc__, "priming", data="wikiann", settings="priming_settings.Size")
    options.add_argument("--arms", default=",".join(CLAIMED), help=f"all, or some of {', '.join(ARMS)}")
    options.add_argument("--languages", default="de,en,fr,nl,pt", help="whose folders are in --data")
    options.add_argument("--targets", default="all", help="the languages that are left out in turn")
    options.add_argument("--split", default="clean", choices=SPLITS)
    options.add_argument("--scored", default="test", choices=("dev", "test"), help="dev while rates are chosen")
    options.add_argument("--limit", type=int, help="sentences read of each part")
    given = options.parse_args(arguments)
    try:
        files = _played(given)
    except ConfigError as error:
        options.error(str(error))
    found = summarise(read(files))
    end(given.out, found, report(found))


if __name__ == "__main__":
    main()
