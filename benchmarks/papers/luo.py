"""Choosing pretraining tasks, downstream-aware and downstream-agnostic (Luo et al. 2021): claims C8 and C9.

    python benchmarks/papers/luo.py [--out runs/luo] [--seeds 3] [--jobs 2] [--device cpu] [--set KEY=VALUE ...]

Both variants run through `curriculum_rl.scripts.compare.compare`: the aware one is paid by a light head on labelled
examples of its own target, the agnostic one by the held-out losses of the tasks that were not selected. The learners
that the runs keep are then scored on the own target and on others. What is finished stands in --out and is not
repeated. The paper reports no results: whatever comes out are first numbers.
"""

import argparse
import json
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

from luo_claims import MARGIN, claims
from luo_table import table
from luo_transfer import UNTRAINED, read_scores, score_target

ENV = Path(__file__).with_name("luo.yaml")
AGNOSTIC = {"proxy": {"kind": "heldout_tasks"}}
SELECTORS = ("d-ts", "mometas", "ppo")
OTHERS = ("greedy", "random", "round-robin")
REFERENCE = "random"
OWN = "own"
TARGETS = {
    "clinc": {"paths": "$CURRICULUM_RL_DATA/intents/clinc150.jsonl.gz", "label_field": "domain"},
    "subjectivity": {"paths": "$CURRICULUM_RL_DATA/sentiment/subj.jsonl.gz", "label_field": "label"},
    "citations": {
        "paths": "$CURRICULUM_RL_DATA/scibert_tasks/text_classification/sci-cite/train*.gz",
        "format": "jsonl",
        "label_field": "label",
    },
}
"""Downstream targets that nothing was paid for; the own one is the environment's."""
TIMESTEPS = 1536


def run(
    *,
    out: Path,
    env: Any = ENV,
    selectors: Sequence[str] = SELECTORS,
    others: Sequence[str] = OTHERS,
    targets: Mapping[str, Mapping[str, Any]] = TARGETS,
    useless: str = "reviews.random_label",
    seeds: int = 5,
    jobs: int = 1,
    timesteps: int = TIMESTEPS,
    baselines: bool = True,
    overrides: Mapping[str, Any] | None = None,
    margin: float = MARGIN,
    quiet: bool = False,
) -> dict[str, Any]:
    """Run and score whatever is missing, and judge it all.

    Args:
        out: where `aware/`, `agnostic/` (comparisons), `scores/` and `result.json` go.
        env: the aware environment.
        selectors: agents that learn from the reward, once in each variant.
        others: agents that do not look at the reward: their runs are the same in both variants, and made in one.
        targets: other labelled targets, by name; a corpus each.
        useless: the task that must be dropped.
        seeds: runs of every agent.
        jobs: processes.
        timesteps: segments that a pretrained agent is trained for.
        baselines: whether `compare`'s own baselines stand beside.
        overrides: changes to the environment, by dotted key.
        margin: nats per label that count as no difference.
        quiet: no tables.

    Raises:
        ConfigError: for what is wrong with the request.
    """
    from curriculum_rl.durable import write_atomically
    from curriculum_rl.scripts.compare import compare

    changes = dict(overrides or {})
    how: dict[str, Any] = {"seeds": seeds, "jobs": jobs, "timesteps": timesteps, "static_mixtures": 0, "quiet": quiet}
    agents = list(dict.fromkeys([*selectors, *others, REFERENCE]))
    documents = {
        "aware": compare(env, agents, out=out / "aware", overrides=changes, baselines=baselines, **how),
        "agnostic": compare(
            env, list(selectors), out=out / "agnostic", overrides={**changes, **AGNOSTIC}, baselines=False, **how
        ),
    }
    cells = [cell for variant, document in documents.items() for cell in _cells(variant, document)]
    cells += [(UNTRAINED, seed, None) for seed in range(seeds)]
    corpora = {OWN: None, **{name: _expanded(corpus) for name, corpus in targets.items()}}
    _score(env, changes, corpora, cells, out / "scores", jobs)
    scores = read_scores(out / "scores", list(corpora), cells)
    found: dict[str, Any] = {
        "documents": {variant: document["directory"] for variant, document in documents.items()},
        "seeds": seeds,
        "margin": margin,
        "useless": {variant: _useless(document, useless) for variant, document in documents.items()},
        "scores": scores,
    }
    found["claims"] = {}
    for figure in _judged(scores):
        losses = {variant: _column(scores, variant, figure) for variant in documents}
        found["claims"][figure] = claims(found["useless"], losses, own=OWN, reference=REFERENCE, margin=margin)
    write_atomically(out / "result.json", json.dumps(found, indent=1) + "\n")
    if not quiet:
        print(table(found, own=OWN))
    return found


def _cells(variant: str, document: Mapping[str, Any]) -> list[tuple[str, int, Path | None]]:
    """The finished runs of a comparison: variant and label, seed, directory."""
    from curriculum_rl.scripts.comparing.running.contestants import Contestant
    from curriculum_rl.scripts.comparing.running.directory import Directory

    folder = Directory(Path(document["directory"]))
    return [
        (f"{variant} {label}", run["seed"], folder.cell(Contestant(label, entry["agent"]), run["seed"]))
        for label, entry in document["agents"].items()
        for run in entry["runs"]
        if run["status"] == "finished"
    ]


def _useless(document: Mapping[str, Any], task: str) -> dict[str, list[float]]:
    """By agent and seed: probability of the useless task in the last third of the run, over its even one."""
    from curriculum_rl.recording.rows import read_rows

    arm, K = document["tasks"].index(task), len(document["tasks"])
    found: dict[str, list[float]] = {}
    for name, _, cell in _cells("", document):
        rows = read_rows(cell / "segments.jsonl") if cell is not None else []
        last = [row["probabilities"][arm] for row in rows[-(-2 * len(rows) // 3) :]]
        if last and document["agents"][name.strip()]["role"] == "agent":
            found.setdefault(name.strip(), []).append(K * sum(last) / len(last))
    return found


def _judged(scores: Mapping[str, Mapping[str, Mapping[int, Mapping[str, float]]]]) -> list[str]:
    """The losses that every learner has: of the light head, and after a fine-tune where the environment has one."""
    every = [figures for targets in scores.values() for seeds in targets.values() for figures in seeds.values()]
    return [figure for figure in ("probe_loss", "finetune_loss") if all(figure in figures for figures in every)]


def _column(
    scores: Mapping[str, Mapping[str, Mapping[int, Mapping[str, float]]]], variant: str, figure: str
) -> dict[str, dict[str, dict[int, float]]]:
    """One figure of a variant's agents by agent, target and seed."""
    return {
        name.removeprefix(f"{variant} "): {
            target: {seed: figures[figure] for seed, figures in by_seed.items()} for target, by_seed in targets.items()
        }
        for name, targets in scores.items()
        if name.startswith(f"{variant} ")
    }


def _score(env: Any, overrides: Any, corpora: Mapping[str, Any], cells: Any, out: Path, jobs: int) -> None:
    """Every target is one job."""
    todo = [(env, overrides, target, corpus, cells, out) for target, corpus in corpora.items()]
    if jobs == 1:
        for job in todo:
            score_target(*job)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        for done in [pool.submit(score_target, *job) for job in todo]:
            done.result()


def _expanded(corpus: Mapping[str, Any]) -> dict[str, Any]:
    """A corpus whose path names the folder of the data by its variable."""
    return {**corpus, "paths": os.path.expandvars(str(corpus["paths"]))}


def main() -> None:
    """Run all, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs/luo"))
    parser.add_argument("--env", type=Path, default=ENV)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--selectors", default=",".join(SELECTORS))
    parser.add_argument("--timesteps", type=int, default=TIMESTEPS, help="segments that ppo is trained for, each time")
    parser.add_argument("--no-baselines", action="store_true", help="leave out those that compare adds")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    arguments = parser.parse_args()

    from curriculum_rl.errors import ConfigError
    from curriculum_rl.schema.load import parse_override

    try:
        run(
            out=arguments.out,
            env=arguments.env,
            selectors=arguments.selectors.split(","),
            seeds=arguments.seeds,
            jobs=arguments.jobs,
            timesteps=arguments.timesteps,
            baselines=not arguments.no_baselines,
            overrides={"device": arguments.device, **dict(parse_override(text) for text in arguments.set)},
        )
    except ConfigError as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main()
