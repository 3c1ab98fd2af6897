"""What the transfer experiment says of a measure: correlations, a Mantel test, the pair test, the pruning curve, cost.

Shape letters: D domains, M test examples of a domain. Matrices are (source, target); their diagonals are never read.
"""

import math
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata, spearmanr

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Name = TypeVar("Name", bound=Hashable)

PERMUTATIONS = 9999
SPLITS = 200
KEPT = (0.8, 0.6, 0.4, 0.2)


def off_diagonal(matrix: Floats) -> Floats:
    """(D - 1, D): for every target the values of the other domains."""
    D = len(matrix)
    return np.stack([np.delete(matrix[:, target], target) for target in range(D)], axis=1)


def global_correlation(delta: Floats, accuracy: Floats) -> float:
    """Spearman's correlation over all ordered pairs; it also holds how hard the targets are."""
    return float(spearmanr(off_diagonal(delta).ravel(), off_diagonal(accuracy).ravel()).statistic)


def target_correlation(delta: Floats, accuracy: Floats) -> float:
    """The mean over targets of Spearman's correlation over their sources."""
    return float((_within(delta) * _within(accuracy)).sum() / len(delta))


def mantel(delta: Floats, accuracy: Floats, *, permutations: int = PERMUTATIONS, seed: int = 0) -> float:
    """One-sided p of the mean correlation within targets: domains are named anew in one of the two matrices.

    Pairs that share a domain are dependent, so pairs must not be shuffled one by one.

    Source: Mantel 1967, "The detection of disease clustering and a generalized regression approach".
    """
    draw = np.random.default_rng(seed)
    observed = target_correlation(delta, accuracy)
    # Ranks within a target follow its column, so they are taken once.
    ranks, fixed = _square(_within(delta)), _square(_within(accuracy))
    orders = draw.permuted(np.tile(np.arange(len(delta)), (permutations, 1)), axis=1)
    renamed = ranks[orders[:, :, None], orders[:, None, :]]
    found = np.einsum("pij,ij->p", renamed, fixed) / len(delta)
    return float(1 + (found <= observed + 1e-12).sum()) / (1 + permutations)


def pair_test(delta: Floats, accuracy: Floats) -> float:
    """Of two sources of one target, how often the closer one is the better one; a tie in either is half."""
    near, good = off_diagonal(delta), off_diagonal(accuracy)
    i, j = np.triu_indices(len(near), 1)
    product = np.sign(near[j] - near[i]) * np.sign(good[i] - good[j])
    return float((product > 0).mean() + (product == 0).mean() / 2)


def keep_closest(delta: Floats, share: float) -> Bools:
    """(D - 1, D) the closest sources of every target, 1 - share of them left out, rounded down; one stays."""
    sources = len(delta) - 1
    count = max(1, sources - math.floor((1 - share) * sources + 1e-9))
    order = np.argsort(off_diagonal(delta), axis=0, kind="stable")
    kept = np.zeros_like(order, bool)
    np.put_along_axis(kept, order[:count], True, axis=0)
    return kept


def regrets(
    right: Sequence[Bools | Floats], kept: Mapping[Name, Bools | int], *, splits: int = SPLITS, seed: int = 0
) -> dict[Name, float]:
    """Accuracy lost by pruning, in points: the best kept source against the best of all, averaged over targets.

    The best source is picked on one half of a target's test examples and scored on the other, so that no source wins by
    the luck of the examples it is scored on; random halves, and each half in both roles.

    Args:
        right: for each target (D - 1, M), whether the tuned learner of each source gets an example right, or
            the share of several learners that do.
        kept: by name what pruning keeps: (D - 1, D), or a number of sources that are drawn anew every time.
        splits: random halvings of each target's examples.
        seed: of the halvings and of random pruning.
    """
    draw = np.random.default_rng(seed)
    total = np.zeros(len(kept))
    for target, hits in enumerate(right):
        everything = np.ones(len(hits), bool)
        for _ in range(splits):
            order = draw.permutation(hits.shape[1])
            half = hits.shape[1] // 2
            first, second = hits[:, order[:half]].mean(axis=1), hits[:, order[half:]].mean(axis=1)
            for picked_on, scored_on in ((first, second), (second, first)):
                masks = [_drawn(draw, len(hits), m) if isinstance(m, int) else m[:, target] for m in kept.values()]
                scores = _chosen(picked_on, scored_on, np.stack([everything, *masks]))
                total += scores[0] - scores[1:]
    points = 100 * total / (2 * splits * len(right))
    return dict(zip(kept, points.tolist(), strict=True))


def costs(state: Mapping[str, Any], delta: Floats, measure: Mapping[str, Any], share: float) -> dict[str, float]:
    """Shares of the cost that pruning saves, the divergence paid, in FLOPs and in seconds.

    `pairs`: every pair pays for its own tuning, as the paper counts. `shared`: a source is tuned once for all its
    targets, as was done here, and not at all where no target keeps it. The shared body is in neither.
    """
    names = list(state["domains"])
    kept = np.zeros((len(names), len(names)), bool)
    for target, column in enumerate(keep_closest(delta, share).T):
        kept[:, target] = np.insert(column, target, False)
    found = {}
    for unit in ("flops", "seconds"):
        tune = np.array([state["sources"][name]["tune"][unit] for name in names])
        score = np.array([[state["sources"][s]["evaluate"][t][unit] for t in names] for s in names])
        np.fill_diagonal(score, 0.0)
        pair = tune[:, None] * ~np.eye(len(names), dtype=bool) + score
        paid = measure[unit]
        found[f"pairs {unit}"] = float(1 - (pair[kept].sum() + paid) / pair.sum())
        shared = tune[kept.any(axis=1)].sum() + score[kept].sum() + paid
        found[f"shared {unit}"] = float(1 - shared / (tune.sum() + score.sum()))
    return found


def _within(matrix: Floats) -> Floats:
    """(D - 1, D) ranks within targets, each column centred and of length 1 (0 where all are equal)."""
    ranks = rankdata(off_diagonal(matrix), axis=0)
    centred = ranks - ranks.mean(axis=0)
    lengths = np.linalg.norm(centred, axis=0)
    found: Floats = np.divide(centred, lengths, out=np.zeros_like(centred), where=lengths > 0)
    return found


def _square(columns: Floats) -> Floats:
    """(D, D) with a diagonal of zeros from (D - 1, D)."""
    return np.stack([np.insert(column, target, 0.0) for target, column in enumerate(columns.T)], axis=1)


def _chosen(picked_on: Floats, scored_on: Floats, masks: Bools) -> Floats:
    """(C,) by row of (C, D - 1) masks the score of the best kept source; of equally good ones the mean."""
    shown = np.where(masks, picked_on, -1.0)
    best = shown == shown.max(axis=1, keepdims=True)
    found: Floats = (best * scored_on).sum(axis=1) / best.sum(axis=1)
    return found


def _drawn(draw: np.random.Generator, sources: int, count: int) -> Bools:
    mask = np.zeros(sources, bool)
    mask[draw.permutation(sources)[:count]] = True
    return mask
