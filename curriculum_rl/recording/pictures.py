"""The picture of a finished run: what the policy did over time, what it added up to, and what the score did."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, PercentFormatter

from curriculum_rl.errors import ConfigError
from curriculum_rl.recording.heatmap import columns, count_text
from curriculum_rl.recording.rows import Row, by_tokens

Floats = npt.NDArray[np.float64]

MOST_COLUMNS = 400  # more segments than this are averaged together
BLUE, GREY = "#2b5c8a", "#8a8a8a"


def policy_picture(rows: Sequence[Row], tasks: Sequence[str], path: str | Path) -> None:
    """Draw a run as a PNG.

    Above: a heat map of the probability of each task over learner tokens, with each task's share of all rows beside it.
    Below: the proxy's score over learner tokens. Rows of replicas side by side are averaged.

    Args:
        rows: the rows of `segments.jsonl`.
        tasks: K names, in the order of the rows' vectors.
        path: the file to write.

    Raises:
        ConfigError: there are no rows.
    """
    if not rows:
        raise ConfigError("rows: a picture needs at least one segment")
    groups = by_tokens(rows)
    ends = np.array([group[0]["tokens"] for group in groups], dtype=np.float64)
    figure = Figure(figsize=(10, 0.3 * len(tasks) + 3.4), dpi=110, layout="constrained")
    grid = figure.add_gridspec(2, 3, width_ratios=[40, 1, 11], height_ratios=[0.3 * len(tasks), 2])
    heat = figure.add_subplot(grid[0, 0])
    mesh = _draw_heat(heat, _means(groups, "probabilities"), ends, tasks)
    bar = figure.colorbar(mesh, cax=figure.add_subplot(grid[0, 1]), format=PercentFormatter(1.0, decimals=0))
    bar.outline.set_visible(False)
    _draw_shares(figure.add_subplot(grid[0, 2]), _means(groups, "mixture").mean(axis=1))
    _draw_score(figure.add_subplot(grid[1, 0], sharex=heat), _means(groups, "score")[0], ends)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="png")


def _means(groups: Sequence[Sequence[Row]], name: str) -> Floats:
    """A field of the rows, averaged within groups, NaN where unknown: (K, S), or (1, S) for a number."""
    return np.array(
        [np.mean([np.atleast_1d(np.asarray(row[name], dtype=np.float64)) for row in group], axis=0) for group in groups]
    ).T


def _draw_heat(axes: Axes, values: Floats, ends: Floats, tasks: Sequence[str]) -> QuadMesh:
    shown = columns(values, MOST_COLUMNS)
    borders = np.concatenate([[0.0], ends])
    places = np.linspace(0, len(ends), shown.shape[1] + 1).astype(int)
    highest = max(float(np.nanmax(shown)), 1e-9)
    mesh = axes.pcolormesh(borders[places], np.arange(len(tasks) + 1), shown, cmap="viridis", vmin=0, vmax=highest)
    axes.set_yticks(np.arange(len(tasks)) + 0.5, tasks)
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", labelbottom=False)
    axes.invert_yaxis()
    title = f"probability that the agent picks each task (uniform: {1 / len(tasks):.1%})"
    axes.set_title(title, loc="left", fontsize="medium")
    return mesh


def _draw_shares(axes: Axes, shares: Floats) -> None:
    places = np.arange(len(shares)) + 0.5
    widest = max(float(shares.max()), 1e-9)
    axes.barh(places, shares, height=0.7, color=BLUE)
    for place, share in zip(places, shares, strict=True):
        axes.text(1.5 * widest, place, f"{share:.1%}", va="center", ha="right", fontsize="small")
    axes.axvline(1 / len(shares), color=GREY, linestyle="--", linewidth=1)
    axes.set(xlim=(0, 1.5 * widest), ylim=(len(shares), 0), xticks=[], yticks=[])
    axes.spines[["top", "right", "left", "bottom"]].set_visible(False)
    axes.set_title("share of all rows", loc="left", fontsize="medium")
    axes.set_xlabel("dashed line: uniform", fontsize="small", loc="left")


def _draw_score(axes: Axes, score: Floats, ends: Floats) -> None:
    axes.plot(ends, score, color=BLUE, linewidth=1.5)
    axes.set_xlim(0, ends[-1])
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: count_text(value)))
    axes.set_xlabel("learner tokens")
    axes.set_ylabel("score")
    axes.set_title("proxy score, higher is better", loc="left", fontsize="medium")
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
