"""What TensorBoard charts of a segment: rows in, points by tag out, for the run and for each task's child run."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from curriculum_rl.recording.rows import Row

Points = dict[str, float]

RUN_CHARTS: Mapping[str, str] = {
    "policy/entropy": "How spread the agent's choice is: 1 = every task equally likely, 0 = always the same task.",
    "policy/max_probability": "Probability of the agent's favourite task.",
    "proxy/score": "What the agent is paid to raise: the proxy's score of the learner, higher is better.",
    "proxy/gain": "Score after the segment minus score before it.",
    "proxy/reward": "What the agent was paid for the segment: the gain, scaled; a fixed penalty where it failed.",
    "learner/loss": "Mean training loss of the segment, nats per scored token, over the tasks it trained on.",
    "learner/learning_rate": "Learning rate at the segment's end.",
    "learner/inner_drop": "What inner steps take off the loss of rows that they did not read, nats (priming).",
    "learner/failed": "1 where the loss exploded and the learner was put back to the segment's start, else 0.",
    "ledger/budget_left": "Share of the budget of charged FLOPs that is left.",
    "ledger/overhead": "Share of the wall time so far that was not the learner's own updates (reports left out).",
}
"""Charts of the run itself, with what their information buttons say."""

TASK_CHARTS: Mapping[str, str] = {
    "task/probability": "Probability that the agent picks this task (one line per task; uniform is 1 / tasks).",
    "task/share": "Share of all rows so far that came from this task.",
    "task/loss": "Training loss on this task's rows, nats per scored token; no point where it had no row.",
    "task/gain": "Gain in score of the segments in which the agent picked this task.",
}
"""Charts that every task's child run has under the same tag: TensorBoard draws them as one chart, a line per task."""

HOW_TO_READ = "\n".join(
    (
        "The x axis (step) is learner tokens. The run itself is shown as `.` or by its directory's name; each task",
        "has a run of its own, `task=<name>`, so that a chart under `task/` has one line per task.",
        "",
        "* A favourite's line may leave the chart: untick *Ignore outliers in chart scaling* in the settings.",
        "* TensorBoard has seven colours: with more tasks some share one; point at a line, or filter the runs by name.",
        "* `policy/heat_map` shows the whole policy in one picture; its slider goes back in time.",
        "",
        "| chart | shows |",
        "| --- | --- |",
        *(f"| `{tag}` | {meaning} |" for tag, meaning in (*TASK_CHARTS.items(), *RUN_CHARTS.items())),
        "| `ledger/tokens`, `flops`, `seconds` | Spent so far, by purpose. |",
    )
)
"""What the text tab says about the charts, in Markdown."""


def run_points(row: Row) -> Points:
    """The points of the run itself."""
    points = {
        "proxy/score": row.get("score"),
        "proxy/gain": row.get("gain"),
        "proxy/reward": row.get("reward"),
        "learner/loss": row.get("loss"),
        "learner/learning_rate": row.get("learning_rate"),
        "learner/inner_drop": row.get("inner_drop"),
        "learner/failed": row.get("failed"),
        "ledger/budget_left": row.get("budget_left"),
    }
    return _numbers({**points, **_policy_points(row), **_ledger_points(row)})


def _policy_points(row: Row) -> dict[str, Any]:
    """Normalised entropy and the largest probability."""
    known = row.get("probabilities")
    if known is None:
        return {}
    probabilities = [float(p) for p in known]
    entropy = -sum(p * math.log(p) for p in probabilities if p > 0)
    scale = math.log(len(probabilities)) if len(probabilities) > 1 else 1.0
    return {"policy/entropy": entropy / scale, "policy/max_probability": max(probabilities)}


def _ledger_points(row: Row) -> dict[str, Any]:
    """Tokens, FLOPs and seconds by purpose as the row has them, and the overhead."""
    points: dict[str, Any] = {}
    for purpose, entry in (row.get("ledger") or {}).items():
        points[f"ledger/tokens/{purpose}"] = entry.get("tokens")
        points[f"ledger/flops/{purpose}"] = entry.get("flops")
    seconds = row.get("seconds") or {}
    points |= {f"ledger/seconds/{purpose}": spent for purpose, spent in seconds.items() if spent}
    total = sum(spent for purpose, spent in seconds.items() if purpose != "report")
    if total > 0:
        points["ledger/overhead"] = 1 - seconds.get("train", 0.0) / total
    return points


def task_points(row: Row, task: int) -> Points:
    """The points of one task's child run."""
    action = row.get("action")
    picked = isinstance(action, int | np.integer) and int(action) == task
    return _numbers(
        {
            "task/probability": _at(row.get("probabilities"), task),
            "task/share": _at(row.get("share"), task),
            "task/loss": _at(row.get("task_losses"), task),
            "task/gain": row.get("gain") if picked else None,
        }
    )


def _at(values: Sequence[float | None] | None, index: int) -> float | None:
    return None if values is None else values[index]


def _numbers(values: Mapping[str, Any]) -> Points:
    """Only the values that are finite numbers."""
    return {tag: float(value) for tag, value in values.items() if value is not None and math.isfinite(value)}


def mean_points(points: Sequence[Points]) -> Points:
    """The mean of every chart over rows that share one place on the x axis (replicas that train side by side)."""
    if len(points) == 1:
        return points[0]
    tags = dict.fromkeys(tag for each in points for tag in each)
    return {tag: float(np.mean([each[tag] for each in points if tag in each])) for tag in tags}
