"""The figures of a comparison in TensorBoard: a run for each agent, with curves and a line of results."""

import math
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from curriculum_rl.recording.recorder import child_runs

DESCRIPTIONS = {
    "compare/proxy": "The proxy over the percentage of the budget, mean over seeds: the loss on the reward split where "
    "the proxy is one, else the score.",
}


def write(folder: Path, found: Mapping[str, Any]) -> None:
    """Write the event files anew; what an earlier call wrote goes.

    Args:
        folder: of TensorBoard's runs.
        found: the document.
    """
    from curriculum_rl.recording.events import flush

    shutil.rmtree(folder, ignore_errors=True)
    names = child_runs(list(found["agents"]))
    named = zip(names, found["agents"].values(), strict=True)
    flush([_events(folder / name.removeprefix("task="), entry, found) for name, entry in named])


def _events(folder: Path, entry: Mapping[str, Any], found: Mapping[str, Any]) -> Any:
    from torch.utils.tensorboard.summary import hparams

    from curriculum_rl.recording.events import EventFile

    events, now = EventFile(folder, descriptions=DESCRIPTIONS), time.time()
    curves = entry["curves"]
    if curves:
        for spent, mean, mixture in zip(curves["spent"], curves["mean"], curves["mixture"], strict=True):
            shares = {f"share/{task}": share for task, share in zip(entry["tasks"], mixture, strict=True)}
            events.scalars({"compare/proxy": mean, **shares}, step=round(100 * spent), wall_time=now)
    results = figures(entry)
    settings = {"agent": entry["label"], "section": entry["section"], "env": found["env"], "seeds": len(found["seeds"])}
    for summary in hparams({**settings, **{k: str(v) for k, v in entry["options"].items()}}, results):  # type: ignore[no-untyped-call]
        events.summary(summary, step=100, wall_time=now)
    events.scalars(results, step=100, wall_time=now)
    return events


def figures(entry: Mapping[str, Any]) -> dict[str, float]:
    """The figures of an entry by tag."""
    out: dict[str, float | None] = {}
    for name, figure in entry["figures"].items():
        out[f"result/{name}"] = figure["mean"]
        for reference, pair in figure["against"].items():
            out[f"result/{name}_minus_{reference}"] = pair["difference"]["mean"]
    out["result/headroom"] = entry["headroom"]["mean"] if entry["headroom"] else None
    out["result/report_minus_reward"] = entry["gap"]["mean"] if entry["gap"] else None
    for tag, name in (("cost/flops", "charged"), ("cost/seconds", "wall")):
        out[tag] = entry["cost"][name] if entry["cost"] else None
    out["cost/setup_stratified_runs"] = entry["setup"]["stratified_runs"] if entry["setup"] else None
    return {tag: float(value) for tag, value in out.items() if value is not None and math.isfinite(value)}
