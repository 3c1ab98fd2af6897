"""Power laws of loss over rows, fitted from sums alone: no losses are kept, and a fit costs no search.

Shapes: S runs, K tasks, A exponents.
"""

import numpy as np
import numpy.typing as npt

from curriculum_rl.agents.rule import Floats

EXPONENTS = np.linspace(0.05, 0.8, 16)
_POINTS = 4  # below that, three parameters follow the noise


def start(seeds: int, arms: int) -> Floats:
    """(S, K, A, 5) sums of 1, x, x^2, y and x y, where x = n^-exponent and y is the loss."""
    return np.zeros((seeds, arms, len(EXPONENTS), 5))


def add(sums: Floats, rows: Floats, losses: Floats, seen: npt.NDArray[np.bool_]) -> None:
    """Count one loss of each task, in place.

    Args:
        sums: of `start`.
        rows: (S, K) how much the task had been trained on, > 0, in any unit.
        losses: (S, K).
        seen: (S, K) which count.
    """
    x = np.maximum(rows, 1e-6)[:, :, None] ** -EXPONENTS
    y = np.broadcast_to(losses[:, :, None], x.shape)
    sums += np.stack([np.ones_like(x), x, x**2, y, x * y], axis=-1) * seen[:, :, None, None]


def fit(sums: Floats) -> tuple[Floats, Floats, Floats, npt.NDArray[np.bool_]]:
    """Least squares of loss = level + scale n^-exponent with level >= 0 and scale >= 0.

    For each exponent of the grid the other two have a closed form, with either bound; the best exponent wins.

    Returns:
        level, scale and exponent, (S, K) each, and which tasks have points enough.
    """
    count, x, xx, y, xy = np.moveaxis(sums, -1, 0)
    some = np.maximum(count, 1.0)
    spread = some * xx - x**2
    scale = np.divide(some * xy - x * y, spread, out=np.zeros_like(x), where=spread > 1e-9 * some * xx)
    level = (y - scale * x) / some
    through = np.divide(xy, xx, out=np.zeros_like(x), where=xx > 0)
    scale, level = np.where(level < 0, through, scale), np.maximum(level, 0.0)
    level, scale = np.where(scale < 0, np.maximum(y / some, 0.0), level), np.maximum(scale, 0.0)
    # The squared error less the sum of y^2, which is the same for all exponents.
    error = level**2 * count + 2 * level * scale * x + scale**2 * xx - 2 * level * y - 2 * scale * xy
    best = error.argmin(axis=2)[:, :, None]
    level, scale = (np.take_along_axis(values, best, axis=2)[:, :, 0] for values in (level, scale))
    return level, scale, EXPONENTS[best[:, :, 0]], count[:, :, 0] >= _POINTS
