"""From accuracies and cosines to the claims: paired differences to depth 0. Shapes: N seeds, P points of a run."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from curriculum_rl.scripts.comparing.analysis.statistics import Paired, estimate, holm, paired

Floats = npt.NDArray[np.float64]
LEVELS = 9
"""Losses at which two depths are compared."""


def against_zero(zero: Sequence[float], others: Mapping[str, Sequence[float]]) -> dict[str, dict[str, Any]]:
    """Each column of accuracies (a value for each seed) against depth 0, in points; p adjusted over the columns."""
    found: dict[str, dict[str, Any]] = {}
    for name, values in others.items():
        pair = paired(list(100 * np.array(values)), list(100 * np.array(zero)), lower_is_better=False)
        found[name] = {"accuracy": vars(estimate(list(100 * np.array(values)))), **_plain(pair)}
    for one, p in zip(found.values(), holm([one["p"] for one in found.values()]), strict=True):
        one["holm"] = p
    return found


def at_matched_loss(zero: Mapping[str, Any], other: Mapping[str, Any], what: str) -> dict[str, Any] | None:
    """Mean cosine of a depth minus depth 0's where both have the same loss, seed by seed.

    Between points the cosine is linear in the loss. Both are read at evenly spaced losses that both runs of a seed
    passed through after their first point.

    Args:
        zero: `loss` and `what`, (P, N), at depth 0.
        other: the same at another depth; N may not differ.
        what: `cosine` or `clean`.

    Returns:
        The paired difference, and the losses it was read between; None where no seed has losses in common.
    """
    mine, theirs, levels = [], [], []
    for n in range(np.array(zero["loss"]).shape[1]):
        curves = [_by_loss(one, what, n) for one in (other, zero)]
        if not all(len(loss) for loss, _ in curves):
            continue
        low, high = (pick(loss[end] for loss, _ in curves) for pick, end in ((max, 0), (min, -1)))
        if low >= high:
            continue
        grid = np.linspace(low, high, LEVELS)
        values = [np.interp(grid, *curve).mean() for curve in curves]
        mine.append(values[0])
        theirs.append(values[1])
        levels.append((low, high))
    if not mine:
        return None
    return {
        "mean": float(np.mean(mine)),
        "zero": float(np.mean(theirs)),
        **_plain(paired(mine, theirs, lower_is_better=False)),
        "losses": np.mean(levels, axis=0).tolist(),
    }


def _by_loss(run: Mapping[str, Any], what: str, n: int) -> tuple[Floats, Floats]:
    """Losses in rising order, and the values there; points without a value are left out."""
    loss, value = (np.array(run[name], dtype=np.float64)[:, n] for name in ("loss", what))
    order = [i for i in np.argsort(loss, kind="stable") if np.isfinite(value[i])]
    return loss[order], value[order]


def _plain(pair: Paired) -> dict[str, Any]:
    return {"difference": vars(pair.difference), "p": pair.p, "wins": pair.wins, "seeds": pair.seeds}


def shown(value: Mapping[str, Any], digits: int = 2) -> str:
    """A mean with its interval."""
    mean = f"{value['mean']:.{digits}f}"
    if value["low"] is None:
        return mean
    return f"{mean} [{value['low']:.{digits}f}, {value['high']:.{digits}f}]"
