"""Does a trained policy beat stratified batches, and random search over static mixtures with as many training runs?

    curriculum-rl train --env almanac-small --agent ppo --out runs/ppo
    python benchmarks/policy.py runs/ppo [--fresh 32] [--json FILE]

Random search draws as many static mixtures as the policy had training runs (a Dirichlet draw with the share
`action.emphasis`, the rest stratified: what the policy could reach, too), trains one learner on each, and keeps the one
with the best proxy score. Then the frozen policy, that mixture and stratified are played under the same fresh seeds and
judged on the target's report split. The policy's actions are sampled.
"""

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numpy as np
import numpy.typing as npt
from scipy.stats import bootstrap

Floats = npt.NDArray[np.float64]
FIGURES = ("target_loss", "downstream_accuracy", "mean_corpus_loss")


def main() -> None:
    """Search, play, print."""
    from curriculum_rl.recording.runs import RunDirectory

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="a run directory of a pretrained agent")
    parser.add_argument("--fresh", type=int, default=32, help="fresh seeds; a multiple of the shards")
    parser.add_argument("--searched", type=int, help="static mixtures tried; default: the policy's training runs")
    parser.add_argument("--concentration", type=float, default=0.3, help="of the Dirichlet; small: few tasks dominate")
    parser.add_argument("--shards", type=int, default=os.cpu_count())
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()

    document = RunDirectory(arguments.run).read_config()
    result = json.loads((arguments.run / "result.json").read_text())
    searched = arguments.searched or result["episodes"]
    begun = time.perf_counter()
    best, scores, tokens = search(document["env"], searched, arguments.concentration, arguments.shards)
    search_seconds = time.perf_counter() - begun
    fresh = {
        document["agent"]["name"]: policy(arguments.run, document, arguments.fresh, arguments.shards),
        "best static mixture": static(document["env"], best, arguments.fresh, arguments.shards),
        "stratified": static(document["env"], None, arguments.fresh, arguments.shards),
    }
    show(result, fresh, best, scores, searched, search_seconds, tokens)
    if arguments.json:
        kept = {"result": result, "fresh": fresh, "mixture": best.tolist(), "scores": scores.tolist()}
        arguments.json.write_text(json.dumps(kept))


def search(env: dict[str, Any], runs: int, concentration: float, shards: int) -> tuple[Floats, Floats, int]:
    """The static mixture with the best final proxy score of `runs` random ones, all scores, tokens trained on."""
    from curriculum_rl.envs.stable_baselines import make_sb3_vec_env

    replicas = 16 * shards
    vector = make_sb3_vec_env(env, num_envs=replicas, shards=shards, overrides=MIXTURE, downstream=False)
    tasks, emphasis = len(vector.vector.tasks), env["action"]["emphasis"]
    drawn = np.random.default_rng(0).dirichlet(np.full(tasks, concentration), size=runs)
    mixtures = emphasis * drawn + (1 - emphasis) / tasks
    scores: list[float] = []
    tokens = 0
    for first in range(0, runs, replicas):
        # The last batch is filled up; what is drawn twice counts once.
        batch = mixtures[np.arange(first, first + replicas) % runs]
        infos = play(vector, batch, seed=20_000 + first)
        scores += [info["score"] for info in infos][: runs - first]
        tokens += infos[0]["tokens"] * min(replicas, runs - first)
    vector.close()
    return mixtures[int(np.argmax(scores))], np.array(scores), tokens


MIXTURE = {"action.kind": "mixture", "action.permute": False, "observation": "flat", "reward.baseline": "none"}


def static(env: dict[str, Any], mixture: Floats | None, fresh: int, shards: int) -> list[dict[str, Any]]:
    """Final figures of a static mixture (None: stratified) under the fresh seeds; it needs no proxy and pays none."""
    from curriculum_rl.envs.stable_baselines import make_sb3_vec_env

    vector = make_sb3_vec_env(env, num_envs=fresh, shards=shards, overrides=MIXTURE, charge_proxy=False)
    tasks = len(vector.vector.tasks)
    shares = np.full(tasks, 1 / tasks) if mixture is None else mixture
    infos = play(vector, np.tile(shares, (fresh, 1)), seed=10_000)
    vector.close()
    return [info["final"] for info in infos]


def play(vector: Any, mixtures: Floats, seed: int) -> list[dict[str, Any]]:
    """One run of every replica on its mixture; the last infos."""
    from curriculum_rl.mixtures import action_of

    vector.seed(seed)
    vector.reset()
    actions = action_of(mixtures)
    while True:
        _, _, dones, infos = vector.step(actions)
        if dones[0]:
            return list(infos)


def policy(run: Path, document: dict[str, Any], fresh: int, shards: int) -> list[dict[str, Any]]:
    """Final figures of the frozen policy under the fresh seeds; it looks at the proxy and pays for it."""
    import torch

    from curriculum_rl.agents.table import load
    from curriculum_rl.envs.stable_baselines import make_sb3_vec_env
    from curriculum_rl.scripts.evaluate import play as play_agent

    torch.manual_seed(0)
    vector = make_sb3_vec_env(document["env"], num_envs=fresh, shards=shards)
    agent = load(document["agent"]["name"], run / "agent.zip", env=vector)
    finals = play_agent(vector, agent, 10_000, learn=False, deterministic=False)
    vector.close()
    return finals


def show(
    result: dict[str, Any],
    fresh: dict[str, list[dict[str, Any]]],
    best: Floats,
    scores: Floats,
    searched: int,
    seconds: float,
    tokens: int,
) -> None:
    """Print the table."""
    cost = f"{result['episodes']} runs, {result['tokens']:,} tokens, {result['wall_seconds']:.0f} s"
    print(f"{result['env']}; training of {result['agent']}: {cost}")
    print(f"random search: {searched} runs, {tokens:,} tokens, {seconds:.0f} s; scores {scores.min():.3f} to ", end="")
    print(f"{scores.max():.3f}; best mixture {np.array2string(best, precision=2)}")
    baseline = np.array([final["target_loss"] for final in fresh["stratified"]])
    head = f"{'on fresh seeds':22s}{'target loss':>12s}{'sd':>7s}"
    print(f"{head}{'- stratified [95 %]':>30s}{'accuracy':>10s}{'corpora':>9s}")
    for name, finals in fresh.items():
        loss, accuracy, corpora = (np.array([final[figure] for final in finals]) for figure in FIGURES)
        line = f"{name:22s}{loss.mean():12.3f}{loss.std(ddof=1):7.3f}"
        difference = loss - baseline
        if difference.any():
            low, high = bootstrap((difference,), np.mean, rng=0).confidence_interval
            line += f"{difference.mean():+12.3f} [{low:+.3f}, {high:+.3f}]"
        print(f"{line:71s}{accuracy.mean():10.3f}{corpora.mean():9.3f}")
    first, second = (np.array([final["target_loss"] for final in list(fresh.values())[n]]) for n in (0, 1))
    low, high = bootstrap((first - second,), np.mean, rng=0).confidence_interval
    print(
        f"policy - best static mixture: {np.mean(first - second):+.3f} [{low:+.3f}, {high:+.3f}] nats, paired by seed"
    )


if __name__ == "__main__":
    main()
