"""Is the proxy fit for its target? Rank correlation of proxy and downstream score over random mixtures.

    python benchmarks/fitness.py [--env almanac] [--mixtures 30] [--seeds 3] [--draws 3] [--json FILE] [--set key=value]

Draws static mixtures that the environment's agents can reach (a Dirichlet draw with the share `action.emphasis`, the
rest stratified), trains a learner on each under every seed, and correlates the proxy's last score with the downstream
figures of the report, fine-tuned on several draws of the few examples: the fine-tune's own noise is no fault of the
proxy. A proxy is fit for use where the lower limit of the interval (bootstrap over mixtures, means over seeds) of
Spearman's correlation is above .5. Runs that FILE holds already are not repeated: more mixtures can be added to an
earlier look, at a --confidence that pays for looking twice.
"""

import argparse
import json
import os
import time
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from curriculum_rl.proxies.few_shot import few_shot

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numpy as np
from scipy.stats import spearmanr

# Whether more of a figure is better.
SIGNS = {"target_loss": -1.0, "downstream_log_loss": -1.0, "downstream_accuracy": 1.0}


def run(job: tuple[str, int, int, list[float], int, Mapping[str, Any]]) -> dict[str, Any]:
    """One learner on one static mixture."""
    import torch

    from curriculum_rl.experiment import build
    from curriculum_rl.pretraining.run import Pretraining
    from curriculum_rl.schema.load import load

    torch.set_num_threads(1)
    env, number, seed, shares, draws, overrides = job
    experiment = build(load(env, overrides))
    training = Pretraining(experiment, charge_proxy=False)
    training.begin([seed])
    while training.next_updates():
        outcome = training.segment(np.array([shares]))
    final = training.finish().entries(0, list(experiment.problem.heldout.corpora))
    settings = experiment.config.report.finetune
    assert settings is not None  # main has asked
    further = range(seed + 1000, seed + 1000 * draws, 1000)
    few_shots = [
        few_shot(experiment.problem, training.learner, "report", settings, [s])(training.learner) for s in further
    ]
    figures = {
        "target_loss": final["target_loss"],
        "downstream_log_loss": np.mean([final["downstream_log_loss"], *(f.log_loss[0] for f in few_shots)]),
        "downstream_accuracy": np.mean([final["downstream_accuracy"], *(f.accuracy[0] for f in few_shots)]),
    }
    return {"mixture": number, "seed": seed, "shares": shares, "score": float(outcome.score[0]), **figures}


def correlation(
    results: list[dict[str, Any]], figure: str, sign: float, confidence: float
) -> tuple[float, float, float]:
    """Spearman's correlation of mean score and mean figure, with its bootstrap interval over mixtures."""
    numbers = sorted({r["mixture"] for r in results})

    def means(key: str) -> Any:
        return np.array([np.mean([r[key] for r in results if r["mixture"] == n]) for n in numbers])

    score, value = means("score"), sign * means(figure)
    draw = np.random.default_rng(0)
    resampled = []
    for _ in range(10_000):
        index = draw.integers(len(numbers), size=len(numbers))
        rho = spearmanr(score[index], value[index]).statistic
        if np.isfinite(rho):
            resampled.append(rho)
    low, high = np.quantile(resampled, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(spearmanr(score, value).statistic), float(low), float(high)


def main() -> None:
    """Run all, print the correlations."""
    from curriculum_rl.schema.load import load, parse_override
    from curriculum_rl.scripts.listing import task_names

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--env", default="almanac")
    parser.add_argument("--mixtures", type=int, default=30)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--draws", type=int, default=3, help="fine-tunes a learner, each on other examples")
    parser.add_argument("--concentration", type=float, default=0.3, help="of the Dirichlet; small: few tasks dominate")
    parser.add_argument("--confidence", type=float, default=0.95, help="of the interval")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    overrides = {"action.kind": "mixture", **dict(parse_override(text) for text in arguments.set)}
    config = load(arguments.env, overrides)
    if config.report.finetune is None:
        parser.error("report.finetune: this compares with the downstream score, which is off")
    tasks = task_names(config)
    drawn = np.random.default_rng(0).dirichlet(np.full(len(tasks), arguments.concentration), size=arguments.mixtures)
    mixtures = config.action.emphasis * drawn + (1 - config.action.emphasis) / len(tasks)
    kept = json.loads(arguments.json.read_text())["results"] if arguments.json and arguments.json.exists() else []
    done = {(result["mixture"], result["seed"]) for result in kept}
    if any(not np.allclose(result["shares"], mixtures[result["mixture"]]) for result in kept):
        parser.error(f"--json {arguments.json}: holds runs of other mixtures")
    jobs = [
        (arguments.env, number, seed, mixture.tolist(), arguments.draws, overrides)
        for number, mixture in enumerate(mixtures)
        for seed in range(arguments.seeds)
        if (number, seed) not in done
    ]
    begun = time.perf_counter()
    with ProcessPoolExecutor(arguments.processes, mp_context=get_context("spawn")) as pool:
        results = list(kept)
        for result in pool.map(run, jobs):
            results.append(result)
            if arguments.json:
                arguments.json.write_text(json.dumps({"tasks": tasks, "results": results}))
    runs = f"{arguments.mixtures} mixtures x {arguments.seeds} seeds"
    print(f"{arguments.env} {arguments.set}: {runs}, {arguments.confidence:.1%} intervals")
    for figure, sign in SIGNS.items():
        rho, low, high = correlation(results, figure, sign, arguments.confidence)
        spread = [np.mean([r[figure] for r in results if r["mixture"] == n]) for n in range(arguments.mixtures)]
        fit = "fit" if low > 0.5 else "NOT fit"
        print(
            f"proxy score against {figure:20s} Spearman {rho:+.3f} [{low:+.3f}, {high:+.3f}] {fit:8s}"
            f" (the figure: {min(spread):.3f} to {max(spread):.3f})"
        )
    print(f"{time.perf_counter() - begun:.0f} s")


if __name__ == "__main__":
    main()
