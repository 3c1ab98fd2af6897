"""What the rewarded proxy costs, and how well its gains follow those of a set 32 times as large.

    python benchmarks/proxy.py [--env almanac-small] [--replicas 16] [--seeds 2] [--json FILE]

Replicas train on random picks. After every segment they are scored on the proxy's windows and on 32 times as many
others; gains are differences of neighbouring scores. Cost is the proxy's share of the seconds of training, data and
proxy, and of the FLOPs charged. The goals: at most 10 % of a segment, correlation of gains at least .95.
"""

import argparse
import json
import os
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
LARGER = 32


def gains(env: str, replicas: int, seed: int) -> tuple[Floats, Floats, dict[str, float], float]:
    """(S, N) gains of the proxy and of the larger set, seconds by clock, the proxy's share of FLOPs."""
    from curriculum_rl.experiment import build
    from curriculum_rl.learners.losses import mean_loss
    from curriculum_rl.pretraining.run import Pretraining
    from curriculum_rl.schema.load import load
    from curriculum_rl.schema.proxies import HeldOutLossProxy

    config = load(env)
    if not isinstance(config.proxy, HeldOutLossProxy):
        raise SystemExit(f"proxy.kind {config.proxy.kind!r}: this is about 'heldout_loss'")
    experiment = build(config)
    run = Pretraining(experiment, replicas=replicas, downstream=False)
    seeds = range(seed, seed + replicas)
    run.begin(seeds)
    windows = experiment.problem.target_windows(
        "report", LARGER * config.proxy.sequences, [seed], causal=run.learner.causal_rows
    )
    draw = np.random.default_rng(seed)
    tasks, emphasis = len(experiment.problem.tasks), config.action.emphasis
    small, large = [run.progress.score], [-mean_loss(run.learner, windows)]
    while run.next_updates():
        picks = np.eye(tasks)[draw.integers(tasks, size=replicas)]
        small.append(run.segment(emphasis * picks + (1 - emphasis) / tasks).score)
        large.append(-mean_loss(run.learner, windows))
    flops = run.ledger.flops["proxy"] / run.ledger.charged
    return np.diff(small, axis=0), np.diff(large, axis=0), dict(run.ledger.seconds), flops


def main() -> None:
    """Run and print."""
    import torch

    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--env", default="almanac-small")
    parser.add_argument("--replicas", type=int, default=16)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    found = []
    for seed in range(arguments.seeds):
        small, large, seconds, flops = gains(arguments.env, arguments.replicas, 1000 * seed)
        whole = seconds["train"] + seconds["data"] + seconds["proxy"]
        third = len(small) // 3
        found.append(
            {
                "correlation": float(np.corrcoef(small.ravel(), large.ravel())[0, 1]),
                "correlation, last third": float(np.corrcoef(small[-third:].ravel(), large[-third:].ravel())[0, 1]),
                "share of seconds": seconds["proxy"] / whole,
                "share of FLOPs": flops,
            }
        )
    print(f"{arguments.env}: {arguments.seeds} seeds of {arguments.replicas} replicas")
    for name in found[0]:
        values = [one[name] for one in found]
        print(f"  {name:26s} mean {np.mean(values):.3f}  min {min(values):.3f}  max {max(values):.3f}")
    if arguments.json:
        arguments.json.write_text(json.dumps(found))


if __name__ == "__main__":
    main()
