"""The picture of a ranking: every task by every measure, what pruning would leave out, and how far measures agree."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from curriculum_rl.ranking.ranking import Ranking


def ranking_picture(ranking: Ranking, path: str | Path, *, prune: float = 0.4) -> None:
    """Draw a ranking as a PNG.

    Left: a row for each task, the closest above, a column for each measure; the colour is the rank within the measure,
    the number the divergence, and tasks that `prune` would leave out are crossed. Right: Spearman's correlation of the
    measures over the different texts.

    Args:
        ranking: what is drawn.
        path: the file to write.
        prune: share of the tasks that is left out.
    """
    K, M = len(ranking.tasks), len(ranking.measures)
    name = max(len(task) for task in ranking.tasks)
    left, right = 0.085 * name + 0.85 * M, 1.2 + 0.62 * M
    figure = Figure(figsize=(left + right + 0.4, max(0.34 * K, 0.45 * M) + 2.0), dpi=110, layout="constrained")
    tasks, agreement = figure.subplots(1, 2, width_ratios=[left, right])
    _draw_tasks(tasks, ranking, prune)
    _draw_agreement(agreement, ranking)
    figure.suptitle(f"how far each task's text is from the target's ({ranking.target})", x=0.01, ha="left")
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="png")


def _draw_tasks(axes: Axes, ranking: Ranking, prune: float) -> None:
    order = ranking.order()
    ranks = np.stack([measured.ranks for measured in ranking.measures], axis=1)[order]
    axes.imshow(ranks, cmap="viridis_r", aspect="auto", vmin=1, vmax=max(2, len(order)))
    for column, measured in enumerate(ranking.measures):
        pruned = set(measured.pruned(prune))
        for row, task in enumerate(order):
            dark = ranks[row, column] > 0.45 * len(order)
            axes.text(
                column,
                row,
                f"{measured.divergence[task]:.3g}",
                ha="center",
                va="center",
                fontsize="small",
                color="white" if dark else "black",
            )
            if task in pruned:
                axes.plot(
                    [column - 0.47, column + 0.47], [row + 0.44, row - 0.44], color="#ff8a80", linewidth=1.2, alpha=0.7
                )
    axes.set_yticks(range(len(order)), [ranking.tasks[task] for task in order])
    _name_columns(axes, ranking)
    axes.set_title(
        f"divergence; colour: rank (yellow: closest); crossed: left out by prune={prune:g}", fontsize="medium"
    )


def _draw_agreement(axes: Axes, ranking: Ranking) -> None:
    agreement = ranking.agreement()
    axes.imshow(agreement, cmap="RdBu_r", vmin=-1, vmax=1, aspect="auto")
    for row in range(len(agreement)):
        for column, value in enumerate(agreement[row]):
            if np.isnan(value):
                axes.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, color="#dddddd"))
            shown = "-" if np.isnan(value) else f"{value:.2f}"
            color = "white" if abs(value) > 0.75 else "black"
            axes.text(column, row, shown, ha="center", va="center", fontsize="small", color=color)
    axes.set_yticks(range(len(agreement)), [measured.name for measured in ranking.measures])
    _name_columns(axes, ranking)
    axes.set_title("agreement of the measures (Spearman)", fontsize="medium")


def _name_columns(axes: Axes, ranking: Ranking) -> None:
    names = [measured.name for measured in ranking.measures]
    axes.set_xticks(range(len(names)), names, rotation=40, ha="right", rotation_mode="anchor")
    axes.tick_params(length=0)
    axes.spines[["top", "right", "left", "bottom"]].set_visible(False)
