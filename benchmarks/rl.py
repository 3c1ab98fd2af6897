"""What policies learn on the surrogate of published runs, beside what needs no training and a static search.

    python benchmarks/rl.py --tables data/regmix_mixtures --agents random d-ts ppo a2c dqn sac td3 --segments 8192

Every agent plays 16 fresh runs of 40 segments, whose scores are read with noise; printed is what the runs end better
than stratified ones, in percent, of each seed. The static search tries as many random mixtures as a training has runs,
one run for each, and keeps the one whose noisy score was best: of all mixtures, and of those that single picks can
reach (half of every segment is stratified).
"""

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv

from curriculum_rl.agents import AGENTS, make
from curriculum_rl.agents.table import options_of
from curriculum_rl.envs.closed_form.surrogate import SurrogateEnv

SEGMENTS, NOISE, TARGET = 40, 0.01, "the_pile_pile_cc_val_loss"
PLAYED, SEEDS = 16, (0, 1, 2)


def env_of(tables: Path, action: str) -> SurrogateEnv:
    """RegMix's runs, paid by the loss on Pile-CC."""
    files = [tables / "train_mixture_1m.csv.gz", tables / "train_pile_loss_1m.csv.gz"]
    settings: dict[str, Any] = {"observation": "dict", "permute": True, "segments": SEGMENTS, "noise": NOISE}
    return SurrogateEnv(files, target=TARGET, action=action, **settings)


def replicas(tables: Path, action: str, count: int) -> VecEnv:
    """So many of them."""
    return DummyVecEnv([lambda: env_of(tables, action)] * count)


def played(agent: Any, env: VecEnv, seed: int) -> float:
    """Percent that the runs end better than stratified, mean over replicas."""
    env.seed(seed)
    observation: Any = env.reset()
    agent.reset_memory()
    for _ in range(SEGMENTS):
        actions, _ = agent.predict(observation)
        observation, rewards, dones, infos = env.step(actions)
        agent.observe(actions, rewards, dones, infos)
    env_law = env.envs[0].unwrapped  # type: ignore[attr-defined]
    return float(np.mean([beyond_stratified(env_law, np.array(info["final"]["mixture"])) for info in infos]))


def beyond_stratified(env: SurrogateEnv, mixtures: Any) -> Any:
    """Percent, of (..., K) mixtures."""
    place = env.runs.outcomes.index(TARGET)
    even = env.law.bounded(np.full(len(env.tasks), 1 / len(env.tasks)))[place]
    return 100 * (even - env.law.bounded(mixtures)[..., place]) / even


def search(env: SurrogateEnv, runs: int, seed: int, *, emphasis: float) -> float:
    """Percent of the mixture that a static search keeps; `emphasis` of each is drawn, the rest is stratified."""
    draw, tasks = np.random.default_rng(seed), len(env.tasks)
    tried = emphasis * draw.dirichlet(np.ones(tasks), runs) + (1 - emphasis) / tasks
    true = beyond_stratified(env, tried)
    place = env.runs.outcomes.index(TARGET)
    even = env.law.bounded(np.full(tasks, 1 / tasks))[place]
    read = true + draw.normal(size=runs) * 100 * NOISE / even
    return float(true[read.argmax()])


def main() -> None:
    """Search, train, play, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=Path, required=True)
    parser.add_argument("--agents", nargs="+", default=["random", "d-ts", "ppo", "a2c", "dqn", "sac", "td3"])
    parser.add_argument("--segments", type=int, default=8192)
    settings = parser.parse_args()
    torch.set_num_threads(1)
    runs = settings.segments // SEGMENTS
    for emphasis in (0.5, 1.0):
        known = env_of(settings.tables, "mixture")
        tasks = len(known.tasks)
        alone = beyond_stratified(known, emphasis * np.eye(tasks) + (1 - emphasis) / tasks)
        print(f"one task, {emphasis:.0%} of a run: {alone.max():.2f} ({known.tasks[alone.argmax()]})", flush=True)
        found = [search(env_of(settings.tables, "mixture"), runs, seed, emphasis=emphasis) for seed in SEEDS]
        print(f"static search, {runs} runs, {emphasis:.0%} drawn: {np.round(found, 2)}", flush=True)
    for name in settings.agents:
        action = "mixture" if AGENTS[name].action == "mixture" else "task"
        found, seconds = [], 0.0
        for seed in SEEDS:
            begun = time.perf_counter()
            env = replicas(settings.tables, action, PLAYED)
            if AGENTS[name].protocol == "pretrained":
                agent: Any = make(name, replicas(settings.tables, action, 32), seed=seed).learn(settings.segments)
            else:
                agent = make(name, env, seed=seed, **({"pool": False} if "pool" in options_of(name) else {}))
            seconds += time.perf_counter() - begun
            found.append(played(agent, env, 1000 + seed))
        print(f"{name}: {np.round(found, 2)}, {seconds / len(SEEDS):.0f} s of training a seed", flush=True)


if __name__ == "__main__":
    main()
