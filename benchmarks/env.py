"""Everything but the learner's own updates as a share of wall time, on the default environment, split by purpose.

    python benchmarks/env.py [--rounds 3] [--agents exp3s,d-ts,sw-ucb] [--set budget.updates=400] [--json FILE]

Each round trains with every agent in turn, recording included, as `curriculum-rl train` does. The final report is left
out of the whole: it is for people and happens once. `other` is what no clock saw: the loop, the wrappers.
"""

import argparse
import json
import os
import tempfile
from pathlib import Path
from statistics import median

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

GOALS = {"proxy": 0.10, "agent": 0.001, "logging": 0.01}


def shares(result: dict[str, object]) -> dict[str, float]:
    """Share of the wall time of each clock, without the report."""
    seconds = dict(result["seconds"])  # type: ignore[call-overload]
    whole = float(result["wall_seconds"]) - seconds.pop("report")  # type: ignore[arg-type]
    out = {clock: value / whole for clock, value in seconds.items() if value}
    out["other"] = 1 - sum(out.values())
    return out


def main() -> None:
    """Run and print."""
    from curriculum_rl.schema.load import parse_override
    from curriculum_rl.scripts.running.request import Request
    from curriculum_rl.scripts.train import train

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--env", default="almanac")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--agents", default="exp3s,d-ts,sw-ucb")
    parser.add_argument("--set", action="append", default=["budget.updates=400"], metavar="KEY=VALUE")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    overrides = dict(parse_override(text) for text in arguments.set)

    found: dict[str, list[dict[str, float]]] = {name: [] for name in arguments.agents.split(",")}
    for _ in range(arguments.rounds):
        for name, rounds in found.items():
            with tempfile.TemporaryDirectory() as folder:
                out = Path(folder) / "run"
                train(Request(env=arguments.env, agent=name, seed=0, out=out, overrides=overrides, quiet=True))
                rounds.append(shares(json.loads((out / "result.json").read_text())))
    print(f"{arguments.env} {arguments.set}: share of wall time, median [min..max] of {arguments.rounds} rounds")
    for name, rounds in found.items():
        for clock in rounds[0]:
            values = [one[clock] for one in rounds]
            goal = f"  goal <= {GOALS[clock]:.1%}" if clock in GOALS else ""
            print(f"{name:12s} {clock:10s} {median(values):8.3%} [{min(values):.3%}..{max(values):.3%}]{goal}")
    if arguments.json:
        arguments.json.write_text(json.dumps(found))


if __name__ == "__main__":
    main()
