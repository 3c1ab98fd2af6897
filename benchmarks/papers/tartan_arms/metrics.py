"""How well classes are told: accuracy and macro-F1."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


def accuracy(truth: Ints, predicted: Ints) -> float:
    """The share that is right; with one class for each example this is micro-F1."""
    return float((truth == predicted).mean())


def macro_f1(truth: Ints, predicted: Ints) -> float:
    """The mean over the classes that occur, in truth or prediction, of 2 hits / (told + true)."""
    classes = np.union1d(truth, predicted)
    hits = np.array([((truth == c) & (predicted == c)).sum() for c in classes])
    sums = np.array([(truth == c).sum() + (predicted == c).sum() for c in classes])
    return float((2 * hits / sums).mean())


METRICS: dict[str, Callable[[Ints, Ints], float]] = {"accuracy": accuracy, "macro_f1": macro_f1}
