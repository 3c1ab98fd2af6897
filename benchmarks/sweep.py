"""Every agent of the table in `almanac-small`, in both action spaces where it can: does it run, and what does it cost?

    python benchmarks/sweep.py [--updates 120] [--agents auto,d-ts] [--rules] [--json FILE]

A line for each agent and action space: segments, microseconds that it takes to decide and to learn in a segment
(signals and proxy are the env's and stand in the next columns, in % of the budget's FLOPs), the loss on the target at
the end (one seed, a short run: it says that the agent ran, not how good it is), or the one line that refuses it.
Pretrained agents learn until their first run has ended. `--rules`: CPU microseconds of every bandit rule that reads no
observation, 22 tasks, one run: decide, draw, scale the gain, learn; the goal is 30.
"""

import argparse
import json
import os
import time
from inspect import signature
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numpy as np

ARMS = 22
GOAL = 30.0
CALLS = 2_000
REPLICAS = 2


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--updates", type=int, default=120)
    parser.add_argument("--agents", help="names, separated by commas; all by default")
    parser.add_argument("--rules", action="store_true", help="time the bandit rules alone")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    import torch

    from curriculum_rl.agents.table import AGENTS

    torch.set_num_threads(1)
    names = given.agents.split(",") if given.agents else list(AGENTS)
    rows = _rules(names) if given.rules else _sweep(names, given.updates)
    if given.json:
        given.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def _sweep(names: list[str], updates: int) -> list[dict[str, Any]]:
    print(f"{'agent':20}{'action':9}{'segments':>9}{'us':>9}{'signals':>9}{'branches':>9}{'proxy':>7}{'loss':>8}")
    rows = []
    for name in names:
        for kind in ("task", "mixture"):
            row = {"agent": name, "action": kind, **_played(name, kind, updates)}
            rows.append(row)
            print(f"{name:20}{kind:9}{_line(row)}", flush=True)
    return rows


def _line(row: dict[str, Any]) -> str:
    if "refused" in row:
        return f" {row['refused']}"
    shares = "".join(
        f"{row[purpose]:>{width}.1%}" for purpose, width in (("signal", 9), ("lookahead", 9), ("proxy", 7))
    )
    return f"{row['segments']:>9}{row['microseconds']:>9.0f}{shares}{row['loss']:>8.3f}"


def _played(name: str, kind: str, updates: int) -> dict[str, Any]:
    from stable_baselines3.common.callbacks import BaseCallback

    from curriculum_rl.agents.table import AGENTS, make
    from curriculum_rl.envs.stable_baselines import make_sb3_vec_env
    from curriculum_rl.errors import ConfigError

    class Ends(BaseCallback):
        """Stops at the end of the first run."""

        segments = 0

        def _on_step(self) -> bool:
            self.segments += 1
            self.info = self.locals["infos"][0]
            return "final" not in self.info

    entry, ends = AGENTS[name], Ends()
    settings = {"budget.updates": updates, "report.finetune": None, **entry.env, "action.kind": kind}
    replicas = 1 if entry.protocol == "online" else REPLICAS
    env = make_sb3_vec_env("almanac-small", num_envs=replicas, overrides=settings, charge_proxy=entry.needs_reward)
    try:
        agent: Any = make(name, env, seed=0)
        begun = time.perf_counter()
        agent.learn(10**6, callback=ends)
        wall = time.perf_counter() - begun
    except ConfigError as error:
        return {"refused": str(error)}
    finally:
        env.close()
    ledger = ends.info["ledger"]
    charged = sum(cost["flops"] for purpose, cost in ledger.items() if purpose != "report")
    parts = {
        purpose: ledger.get(purpose, {}).get("flops", 0.0) / charged for purpose in ("signal", "lookahead", "proxy")
    }
    own = getattr(agent, "seconds", float("nan"))
    return {
        "segments": ends.segments,
        "microseconds": 1e6 * own / ends.segments,
        "loss": ends.info["final"]["target_loss"],
        "wall": wall,
        **parts,
    }


def _rules(names: list[str]) -> list[dict[str, Any]]:
    """Decide, draw and update of each bandit rule, and the scaling of its gain; CPU time, the median of seven."""
    from curriculum_rl.agents.entries.bandits import BANDITS
    from curriculum_rl.agents.rule import draw
    from curriculum_rl.agents.shell.scaling import GainScaling
    from curriculum_rl.agents.table import make

    rows: list[dict[str, Any]] = []
    for name in (entry.name for entry in BANDITS if entry.name in names):
        made: Any = make(name, None)
        rule = made.rule
        if list(signature(rule.probabilities).parameters) != ["state"]:
            continue
        random, scaling, taken = np.random.default_rng(0), GainScaling(), []
        state, averages = rule.start(1, ARMS), scaling.start(1)
        for _ in range(7):
            begun = time.process_time()
            for _ in range(CALLS // 7):
                chances = rule.probabilities(state)
                arms = draw(chances, random.random(1))
                rule.update(state, arms, scaling.scale(averages, random.random(1)), chances)
            taken.append((time.process_time() - begun) / (CALLS // 7) * 1e6)
        rows.append({"agent": name, "microseconds": float(np.median(taken))})
        above = "" if rows[-1]["microseconds"] <= GOAL else "above the goal"
        print(f"{name:20}{rows[-1]['microseconds']:8.1f} us  {above}", flush=True)
    return rows


if __name__ == "__main__":
    main()
