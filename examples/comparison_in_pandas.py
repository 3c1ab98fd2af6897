"""A comparison in pandas: `compare.json` and `segments.jsonl` as tables of your own. Takes 11 s of one CPU.

pandas comes with `datasets`, which `curriculum-rl` needs.
"""

import json
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd
from own_corpora import write_environment

from curriculum_rl.scripts.compare import compare


def runs(compared: dict[str, Any]) -> pd.DataFrame:
    """A row for each run of each agent: agent, seed, target_loss and what else docs/compare.md lists for a run."""
    rows = [{"agent": label, **run} for label, entry in compared["agents"].items() for run in entry["runs"]]
    return pd.DataFrame(rows)


def segments(out: Path) -> pd.DataFrame:
    """A row for each segment of each run: agent, seed and what else docs/runs.md lists for `segments.jsonl`."""
    tables = []
    for file in sorted(out.glob("runs/*/seed-*/segments.jsonl")):
        seed = int(file.parent.name.removeprefix("seed-"))
        tables.append(pd.read_json(file, lines=True).assign(agent=file.parent.parent.name, seed=seed))
    return pd.concat(tables, ignore_index=True)


def main(out: Path, seeds: int = 2) -> None:
    """Compare two agents with stratified batches seed by seed; print differences, and shares over time."""
    environment, folder = write_environment(out), out / "compare"
    compare(environment, "auto,d-ts", out=folder, seeds=seeds, baselines=False, quiet=True)
    compared = json.loads((folder / "compare.json").read_text())
    losses = runs(compared).pivot(index="seed", columns="agent", values="target_loss")
    print("target loss, nats a token\n", losses.round(3), sep="")
    print("less that of stratified, same seed\n", losses.sub(losses["stratified"], axis=0).mean().round(3), sep="")
    rows = segments(folder)
    shares = pd.DataFrame(rows["share"].tolist(), columns=compared["tasks"])
    half = rows["budget_left"].lt(0.5).map({False: "first", True: "second"}).rename("half")
    print("share so far\n", shares.groupby([rows["agent"], half]).mean().round(2).to_string(), sep="")


if __name__ == "__main__":
    main(Path(tempfile.mkdtemp()))
