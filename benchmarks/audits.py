"""What the audit predicts of the families that judge schedulers, written down before any agent runs on them.

    python benchmarks/audits.py [--only toys news]        families/predictions.json, for `compare` to be scored against
    python benchmarks/audits.py --score runs/compare-toys ... [--agent auto]    against what `compare` measured then

Texts are read and counted, and an untrained learner reads the proxy's windows; nothing is trained.
"""

import argparse
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import partition

from curriculum_rl.errors import wrong
from curriculum_rl.experiment import build
from curriculum_rl.pretraining.audit import audit
from curriculum_rl.recording import identity
from curriculum_rl.schema import load as configs
from curriculum_rl.scripts.audit import content

KEPT = partition.FILE.with_name("predictions.json")


def predictions(file: Path) -> dict[str, Any]:
    """The audit of a family."""
    experiment = build(configs.load(file, trust=True))
    return content(experiment, audit(experiment))


def score(kept: Mapping[str, Mapping[str, Any]], directory: Path, agent: str, prior: str) -> str:
    """A line: what a prior was predicted to gain, and what an agent gained in a comparison on the same data.

    Raises:
        ConfigError: where the comparison is of other data, or has no such agent.
    """
    found = json.loads((directory / "compare.json").read_text(encoding="utf-8"))
    audited = kept[found["env"]]
    identity.check(directory, audited["data"])
    if agent not in found["agents"]:
        raise wrong("agent", agent, f"one of {', '.join(found['agents'])}")
    losses = [found["agents"][name]["figures"]["target_loss"]["mean"] for name in ("stratified", agent)]
    gain, gained = audited["priors"][prior]["predicted_gain"], losses[0] - losses[1]
    inside = "inside" if gain["low"] <= gained <= gain["high"] else "outside"
    helped = {True: "can help", False: "cannot help", None: "cannot tell"}[gain["can_help"]]
    return (
        f"{found['env']}: {prior} predicted {gain['nats']:+.3f} (from {gain['low']:+.3f} to {gain['high']:+.3f}, "
        f"{helped}), {agent} gained {gained:+.3f}: {inside}"
    )


def table(kept: Mapping[str, Mapping[str, Any]]) -> str:
    """A line for each family."""
    lines = [f"{'family':>12} {'prior':>5} {'predicted':>10} {'from':>7} {'to':>7} {'texts':>6} can help"]
    for family, found in kept.items():
        for name, one in found["priors"].items():
            gain = one["predicted_gain"]
            numbers = f"{gain['nats']:+10.3f} {gain['low']:+7.3f} {gain['high']:+7.3f} {one['effective_texts']:6.1f}"
            lines.append(f"{family:>12} {name:>5} {numbers} {gain['can_help']}")
    return "\n".join(lines)


def main() -> None:
    """Audit what was asked for, keep it, print it."""
    files = {Path(name).stem: partition.ROOT / name for name in partition.read().families["report"]}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=files, default=list(files), metavar="FAMILY", help="else all")
    parser.add_argument("--score", nargs="+", type=Path, metavar="DIRECTORY", help="of comparisons; nothing is audited")
    parser.add_argument("--agent", default="auto", help="whose gain over stratified is scored")
    parser.add_argument("--prior", default="em", choices=("em", "js"), help="whose predictions are")
    given = parser.parse_args()
    os.environ.setdefault("CURRICULUM_RL_DATA", str(partition.ROOT.parent / "shared" / "data"))
    os.environ["CURRICULUM_RL_TRUST"] = "1"
    kept = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.is_file() else {}
    for directory in given.score or ():
        print(score(kept, directory, given.agent, given.prior))
    if given.score:
        return
    for name in given.only:
        kept[name] = predictions(files[name])
        KEPT.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    print(table(kept))


if __name__ == "__main__":
    main()
