"""Which scheduler helps? `curriculum-rl compare` on all families, rows of its runs, and the page from these rows.

    python benchmarks/schedulers.py [--minutes 120] [--jobs 2] [--only toys news] [--sets headline]
    python benchmarks/schedulers.py --page docs/schedulers.md

The first runs what is missing, in a fixed order (`scheduler_stages.py`), and adds a line to `results/schedulers.jsonl`
for each complete run; stop it with Ctrl-C or `--minutes`, the same command goes on. The second runs nothing. Report
families are run once for a design that is finished (`families/partition.yaml`). CURRICULUM_RL_DATA names the folder of
the texts.
"""

import argparse
import os
import time
from collections.abc import Sequence
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import scheduler_goals
import scheduler_page
import scheduler_rows
import scheduler_stages
from partition import ROOT
from scheduler_rows import Results
from scheduler_stages import Family, Stage

from curriculum_rl.errors import wrong

DATA = ROOT.parent / "shared" / "data"


def main() -> None:
    """Run what is missing, or write the page."""
    families = scheduler_stages.families()
    given = _parser([family.name for family in families]).parse_args()
    if given.page:
        results = Results(tuple(scheduler_rows.read(given.rows)))
        predicted = scheduler_goals.predictions()
        text = scheduler_page.page(results, families, scheduler_stages.stages(families), predicted)
        given.page.write_text(text, encoding="utf-8")
        return
    if given.rows == scheduler_rows.FILE and (given.updates, given.mixtures) != (None, scheduler_stages.MIXTURES):
        raise SystemExit(str(wrong("rows", given.rows, "another file, where runs or the search are shorter")))
    os.environ.setdefault("CURRICULUM_RL_DATA", str(DATA))
    os.environ["CURRICULUM_RL_TRUST"] = "1"  # slices.yaml names a class; workers read it, too
    chosen = [family for family in families if family.name in given.only]
    stages = scheduler_stages.stages(chosen, seeds=given.seeds, mixtures=given.mixtures)
    _run([stage for stage in stages if stage.name in given.sets], given)


def _parser(names: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    sets = ("headline", "finish", "others")
    parser.add_argument("--out", type=Path, default=Path("runs/schedulers"))
    parser.add_argument("--rows", type=Path, default=scheduler_rows.FILE, help="the file of the result rows")
    parser.add_argument("--page", type=Path, help="write the page from the rows, and run nothing")
    parser.add_argument("--minutes", type=float, help="after which nothing more is begun")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only", nargs="+", choices=names, default=list(names))
    parser.add_argument("--sets", nargs="+", choices=sets, default=list(sets))
    parser.add_argument("--seeds", type=int, default=scheduler_stages.SEEDS)
    parser.add_argument("--mixtures", type=int, default=scheduler_stages.MIXTURES, help="random static ones")
    parser.add_argument("--timesteps", type=int, default=800, help="segments that a policy is trained for")
    parser.add_argument("--updates", type=int, help="of every run, instead of each family's own; to try the machinery")
    return parser


def _run(stages: Sequence[Stage], given: argparse.Namespace) -> None:
    ends = None if given.minutes is None else time.monotonic() + 60 * given.minutes
    for stage in stages:
        for family in stage.families:
            left = None if ends is None else (ends - time.monotonic()) / 60
            if left is not None and left <= 0:
                print("time is up; the same command goes on")
                return
            if not _is_done(stage, family, given.rows):
                _play(stage, family, given, left)


def _is_done(stage: Stage, family: Family, rows: Path) -> bool:
    there = {scheduler_rows.key_of(row) for row in scheduler_rows.read(rows)}
    return all((family.name, stage.name, *run) in there for run in stage.runs)


def _play(stage: Stage, family: Family, given: argparse.Namespace, left: float | None) -> None:
    """One stage on one family; whatever came to its end is a row, also where something stopped it."""
    from curriculum_rl.scripts.compare import compare

    folder, begun = given.out / f"{family.name}-{stage.name}", time.monotonic()
    print(f"{family.name}, {stage.name}: {', '.join((*stage.agents, *stage.baselines))}", flush=True)
    try:
        compare(
            str(family.file),
            stage.agents,
            out=folder,
            seeds=stage.seeds,
            jobs=given.jobs,
            overrides={**stage.changes, **({"budget": {"updates": given.updates}} if given.updates else {})},
            timesteps=given.timesteps,
            static_mixtures=given.mixtures,
            baselines=stage.baselines,
            reach=stage.reach,
            minutes=left,
            quiet=True,
        )
    finally:
        scheduler_rows.merge(given.rows, scheduler_rows.harvest(folder, family.name, stage.name))
    print(f"{family.name}, {stage.name}: {(time.monotonic() - begun) / 60:.1f} minutes", flush=True)


if __name__ == "__main__":
    main()
