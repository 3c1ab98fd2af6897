"""What every scheduler must survive: `almanac-traps`, all agents against the baselines at equal total cost.

    python benchmarks/traps.py [--seeds 5] [--agents d-ts,exp3s,...] [--set key=value ...] [--json FILE]

For each agent: pick probability of the noise in the last third of a run over uniform (the agent's probabilities, not
token shares), and the loss on the target's report split, paired with stratified's by seed. Runs use both cores.
"""

import argparse
import json
import os
import time
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numpy as np
from scipy.stats import bootstrap

AGENTS = ("d-ts", "sw-ucb", "exp3s", "random", "round-robin", "stratified", "auto")
BEST_FIXED = "best fixed (clinical)"


def play(job: tuple[str, int, str, Mapping[str, Any]]) -> dict[str, Any]:
    """One run: its probabilities, final figures and cost."""
    import torch

    torch.set_num_threads(1)
    name, seed, env_name, overrides = job
    begun = time.perf_counter()
    if name == BEST_FIXED:
        rows, final = _best_fixed(seed, env_name, overrides)
    else:
        rows, final = _agents(name, seed, env_name, overrides)
    return {"agent": name, "seed": seed, "wall": time.perf_counter() - begun, "rows": rows, **final}


def _agents(name: str, seed: int, env_name: str, overrides: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    from stable_baselines3.common.callbacks import BaseCallback

    from curriculum_rl.agents import table
    from curriculum_rl.envs.pretraining import PretrainingEnv

    class Probabilities(BaseCallback):
        rows: list[list[float]]
        final: dict[str, Any]

        def _on_training_start(self) -> None:
            self.rows = []

        def _on_step(self) -> bool:
            self.rows.append(self.locals["probabilities"][0].tolist())
            info = self.locals["infos"][0]
            if "final" in info:
                self.final = _figures(info, env)
            return "final" not in info

    entry = table.AGENTS[name]
    changes = {key: value for key, value in overrides.items() if not key.startswith("agent.")}
    options = {k[6:]: v for k, v in overrides.items() if k.startswith("agent.") and entry.needs_reward}
    if entry.action == "mixture":
        changes["action.kind"] = "mixture"
    env = PretrainingEnv(env_name, overrides=changes, charge_proxy=entry.needs_reward)
    env.reset(seed=seed)
    callback = Probabilities()
    table.make(name, env, seed=seed, **options).learn(1 << 40, callback=callback)
    return callback.rows, callback.final


def _best_fixed(seed: int, env_name: str, overrides: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    from curriculum_rl.envs.pretraining import PretrainingEnv
    from curriculum_rl.mixtures import action_of

    changes = {key: value for key, value in overrides.items() if not key.startswith("agent.")}
    env = PretrainingEnv(env_name, overrides={**changes, "action.kind": "mixture"}, charge_proxy=False)
    env.reset(seed=seed)
    shares = np.array([float(task.startswith("clinical")) for task in env.tasks])
    shares /= shares.sum()
    rows = []
    while True:
        *_, terminated, _, info = env.step(action_of(shares))
        rows.append(shares.tolist())
        if terminated:
            return rows, _figures(info, env)


def _figures(info: Mapping[str, Any], env: Any) -> dict[str, Any]:
    from curriculum_rl.pretraining.counting import counting_losses, stratified_rows

    return {
        **info["final"],
        "tasks": env.tasks,
        "share": info["share"].tolist(),
        "updates": info["updates"],
        "ledger": info["ledger"],
        "baselines": asdict(counting_losses(env.experiment, stratified_rows(env.run))),
    }


def table(results: list[dict[str, Any]], noise: str) -> str:
    """A line per agent."""
    by: dict[str, dict[int, Any]] = {}
    for result in results:
        by.setdefault(result["agent"], {})[result["seed"]] = result
    reference = by["stratified"]
    head = f"{'agent':24s} {'p(noise)/uniform':>18s} {'share noise':>12s} {'target loss':>12s} "
    lines = [head + f"{'- stratified [95 %]':>28s} {'accuracy':>9s} {'mean corpus':>12s} {'seconds':>8s}"]
    for name, runs in by.items():
        tasks = next(iter(runs.values()))["tasks"]
        arm = tasks.index(noise) if noise in tasks else 0
        last = [np.array(run["rows"])[-len(run["rows"]) // 3 :, arm].mean() * len(tasks) for run in runs.values()]
        loss = np.array([runs[seed]["target_loss"] for seed in sorted(reference)])
        gap = loss - np.array([reference[seed]["target_loss"] for seed in sorted(reference)])
        interval = ""
        if name != "stratified" and len(gap) > 1:
            ends = bootstrap((gap,), np.mean, n_resamples=9999, method="percentile", rng=0).confidence_interval
            interval = f"[{ends.low:+.3f}, {ends.high:+.3f}]"
        share = np.mean([run["share"][arm] for run in runs.values()])
        accuracy = np.mean([run.get("downstream_accuracy", np.nan) for run in runs.values()])
        corpus = np.mean([run.get("mean_corpus_loss", np.nan) for run in runs.values()])
        wall = np.median([run["wall"] for run in runs.values()])
        lines.append(
            f"{name:24s} {np.mean(last):7.3f} (max {max(last):.3f}) {share:11.1%} {loss.mean():12.3f} "
            f"{gap.mean():+9.3f} {interval:>18s} {accuracy:9.3f} {corpus:12.3f} {wall:8.1f}"
        )
    return "\n".join(lines)


def main() -> None:
    """Run all, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--env", default="almanac-traps")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--agents", default=",".join((*AGENTS, BEST_FIXED)))
    parser.add_argument("--noise", default="noise.causal_lm", help="the task that must be dropped")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    arguments = parser.parse_args()

    from curriculum_rl.pretraining.counting import CountingLosses
    from curriculum_rl.schema.load import parse_override

    overrides = dict(parse_override(text) for text in arguments.set)
    names = dict.fromkeys([*arguments.agents.split(","), "stratified"])
    jobs = [(name, seed, arguments.env, overrides) for seed in range(arguments.seeds) for name in names]
    begun = time.perf_counter()
    with ProcessPoolExecutor(arguments.processes, mp_context=get_context("spawn")) as pool:
        results = list(pool.map(play, jobs))
    print(f"{arguments.env}, {arguments.seeds} seeds, {' '.join(arguments.set) or 'defaults'}")
    print(table(results, arguments.noise))
    segments = {name: len(next(r for r in results if r["agent"] == name)["rows"]) for name in names}
    print(f"segments {segments}; counting alone: {CountingLosses(**results[0]['baselines'])}")
    print(f"{time.perf_counter() - begun:.0f} s")
    if arguments.json:
        arguments.json.write_text(json.dumps(results))


if __name__ == "__main__":
    main()
