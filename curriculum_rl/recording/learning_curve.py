"""The picture of an agent's training: what its runs returned, and how its policy changed from run to run."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from curriculum_rl.errors import ConfigError
from curriculum_rl.recording.rows import Row

Floats = npt.NDArray[np.float64]

NAMED = 4  # tasks with a colour of their own: those that ended with most
COLOURS = ("#2b5c8a", "#c8553d", "#588157", "#8d6a9f")
GREY = "#c4c4c4"


def learning_curve(rows: Sequence[Row], tasks: Sequence[str], path: str | Path, *, replicas: int) -> None:
    """Draw the training of an agent over many runs as a PNG.

    Left: the return of every run that came to its end, and their mean over the `replicas` runs that were played side by
    side. Right: the mean probability of each task in these runs.

    Args:
        rows: the rows of `segments.jsonl`.
        tasks: K names, in the order of the rows' vectors.
        path: the file to write.
        replicas: N runs that were played side by side.

    Raises:
        ConfigError: fewer than two runs came to their end for every replica.
    """
    returns, probabilities = _runs(rows)
    whole = len(returns) // replicas * replicas
    if whole < 2 * replicas:
        raise ConfigError(f"rows: {len(returns)} whole runs of {replicas} side by side; a curve needs two for each")
    figure = Figure(figsize=(11, 3.8), dpi=110, layout="constrained")
    left, right = figure.subplots(1, 2)
    _draw_returns(left, returns[:whole], replicas)
    means = probabilities[:whole].reshape(-1, replicas, len(tasks)).mean(axis=1)
    _draw_policy(right, means, tasks, replicas)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="png")


def _runs(rows: Sequence[Row]) -> tuple[Floats, Floats]:
    """(E,) the return and (E, K) the mean probabilities of every run that came to its end, in order."""
    by_run: dict[int, list[Row]] = {}
    for row in rows:
        by_run.setdefault(int(row["episode"]), []).append(row)
    longest = max((len(run) for run in by_run.values()), default=0)
    # Runs share one budget, so that only those that were cut off by the end of training are shorter.
    whole = [run for _, run in sorted(by_run.items()) if len(run) == longest]
    returns = np.array([sum(float(row["reward"]) for row in run) for run in whole])
    return returns, np.array([np.mean([row["probabilities"] for row in run], axis=0) for run in whole])


def _draw_returns(axes: Axes, returns: Floats, replicas: int) -> None:
    axes.plot(np.arange(len(returns)) + 1, returns, ".", color=GREY, markersize=4, label="one run")
    means = returns.reshape(-1, replicas).mean(axis=1)
    axes.plot(_middles(len(means), replicas), means, color=COLOURS[0], linewidth=2, label=f"mean of {replicas}")
    axes.axhline(0, color="black", linewidth=0.8, linestyle="--")
    axes.set_title("return of a run", loc="left", fontsize="medium")
    axes.legend(frameon=False, fontsize="small", loc="lower right")
    _finish(axes)


def _draw_policy(axes: Axes, means: Floats, tasks: Sequence[str], replicas: int) -> None:
    places = _middles(len(means), replicas)
    leading = np.argsort(-means[-1])[:NAMED]
    for k in range(len(tasks)):
        if k not in leading:
            axes.plot(places, means[:, k], color=GREY, linewidth=1)
    for colour, k in zip(COLOURS, leading, strict=False):
        axes.plot(places, means[:, k], color=colour, linewidth=2, label=tasks[k])
    axes.axhline(1 / len(tasks), color="black", linewidth=0.8, linestyle="--")
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.set_title("mean probability of each task (dashed: uniform)", loc="left", fontsize="medium")
    axes.legend(frameon=False, fontsize="small", loc="upper left")
    _finish(axes)


def _middles(count: int, replicas: int) -> Floats:
    """Where on the axis of runs the mean of each group stands."""
    return np.asarray((np.arange(count) + 0.5) * replicas + 0.5, dtype=np.float64)


def _finish(axes: Axes) -> None:
    axes.set_xlabel("runs trained on")
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
