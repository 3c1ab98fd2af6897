"""How an action in [-1, 1]^K stands for a mixture of K tasks; beside it the laws of what a mixture ends with."""

import numpy as np
import numpy.typing as npt


def shares(actions: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """(..., K) actions -> (..., K) shares: share i is proportional to a_i + 1; all at -1 is the even mixture.

    Every mixture can be reached exactly (a = 2 p / max p - 1), and 0, the centre of a Gaussian policy, is stratified.
    """
    weights = np.clip(np.asarray(actions, np.float64), -1, 1) + 1
    total = weights.sum(axis=-1, keepdims=True)
    even = np.full_like(weights, 1 / weights.shape[-1])
    return np.asarray(np.divide(weights, total, out=even, where=total > 0))


def action_of(shares: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """(..., K) shares, not all 0 -> the action that stands for them."""
    return np.asarray(2 * shares / shares.max(axis=-1, keepdims=True) - 1, dtype=np.float32)
