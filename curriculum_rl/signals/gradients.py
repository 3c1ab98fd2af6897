"""Inner products and variances of the gradients of all tasks and the target.

Shapes: N replicas, G gradients (K tasks and the target).
"""

from collections.abc import Collection, Mapping
from typing import ClassVar

import numpy as np

from curriculum_rl.batch import Batch
from curriculum_rl.proxies.base import Price
from curriculum_rl.signals.base import Cost, Floats, Moment, plus
from curriculum_rl.signals.windows import Windows


class Gradients:
    """Measures `products`, `adam_products` and `variance`, which cost the same together as one of them.

    Two halves of rows are taken of each: products of separate halves are not inflated by a gradient's own noise.

    Args:
        windows: where the rows come from.
        asked: the signals asked for.
    """

    measures: ClassVar[Mapping[str, str]] = {
        "products": "(K+1, K+1) inner products of the gradients of all tasks and the target, from separate rows, so "
        "that noise does not inflate a square; with method tartan of unit gradients, each task's with a fresh head's, "
        "from the updates themselves",
        "adam_products": "(K+1, K+1) the same with one side divided by the root of Adam's second moments",
        "variance": "(K,) variance of the gradient of one row of each task, summed over parameters",
    }

    def __init__(self, windows: Windows, asked: Collection[str]) -> None:
        self._windows = windows

    def cost(self) -> Cost:
        """Of all gradients and their products."""
        groups = 2 * (len(self._windows.problem.tasks) + 1)
        # Two products of every pair of gradients, each of P multiplications and additions.
        products = 2 * 2 * groups**2 * self._windows.learner.size
        slopes = self._windows.train(groups * self._windows.config.signals.rows)
        return Cost(signal=plus(slopes, Price(0, products)))

    def measure(self, moment: Moment) -> dict[str, Floats]:
        """All three."""
        windows, rows = self._windows, self._windows.config.signals.rows
        tasks = [*windows.problem.tasks, windows.target()]
        drawn = [windows.rows(task, moment.seeds, "gradient", moment.number * 2 * rows, 2 * rows) for task in tasks]
        halves = [one[:, part] for one in drawn for part in (slice(rows), slice(rows, None))]
        found = windows.learner.gradient_products(Batch.stack(halves))
        raw = found.raw.cpu().numpy()
        return {
            "products": between(raw),
            "adam_products": between(found.adam.cpu().numpy()),
            "variance": variance(raw, rows)[:, :-1],
        }


def between(halves: Floats) -> Floats:
    """(N, 2 G, 2 G) products of halves -> (N, G, G), where a gradient meets itself only through its other half."""
    N, double, _ = halves.shape
    pairs = halves.reshape(N, double // 2, 2, double // 2, 2).transpose(0, 1, 3, 2, 4)  # (N, G, G, 2, 2)
    found: Floats = pairs.mean(axis=(3, 4))
    own = np.arange(double // 2)
    found[:, own, own] = (pairs[:, own, own, 0, 1] + pairs[:, own, own, 1, 0]) / 2
    return found


def variance(halves: Floats, rows: int) -> Floats:
    """(N, G) variance of one row's gradient: rows / 2 times the squared distance of two halves' means."""
    first, second = (halves[:, i::2, i::2] for i in (0, 1))
    crossed = np.einsum("nii->ni", halves[:, 0::2, 1::2])
    distance = np.einsum("nii->ni", first) + np.einsum("nii->ni", second) - 2 * crossed
    found: Floats = rows / 2 * distance
    return found
