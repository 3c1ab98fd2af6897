"""What runs of both kinds keep of the segments before: how long each task was not picked, and what it gained."""

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


class ClosedFormRun:
    """A run whose losses follow from its mixtures; one segment after the other.

    Args:
        tasks: K.
        largest: loss that a task's is a share of, nats.

    Attributes:
        amounts: (K,) segments that each task was trained for so far.
    """

    def __init__(self, tasks: int, *, largest: float) -> None:
        self._largest = largest
        self.amounts = np.zeros(tasks)
        self._since, self._gain, self._slope = np.zeros(tasks), np.zeros(tasks), np.zeros(tasks)

    @property
    def target_loss(self) -> float:
        """Nats per token now."""
        raise NotImplementedError

    @property
    def task_losses(self) -> Floats:
        """(K,) nats per token of each task."""
        raise NotImplementedError

    @property
    def left(self) -> float:
        """The share of the budget that is still to come."""
        raise NotImplementedError

    @property
    def ended(self) -> bool:
        """Whether the budget is spent."""
        raise NotImplementedError

    def add(self, mixture: Floats) -> dict[str, Floats]:
        """Train a segment on a mixture (K,); what was measured after it, by name."""
        raise NotImplementedError

    @property
    def share(self) -> Floats:
        """(K,) of all that was trained so far."""
        share: Floats = self.amounts / max(self.amounts.sum(), 1e-12)
        return share

    @property
    def mean_loss(self) -> float:
        """Nats per token, over the losses that there are."""
        return float(self.task_losses.mean())

    def note(self, picks: Floats, relative: float) -> None:
        """Keep what the segment's choice (K,) of shares gained, relative to the initial score."""
        picked = picks >= picks.max()
        self._since = np.where(picked, 0, self._since + 1)
        self._gain = np.where(picked, relative, self._gain)

    def features(self) -> dict[str, Floats]:
        """Those of `curriculum_rl.observation.TASK_FEATURES` that are known, (K,) each."""
        return {
            "loss": self.task_losses / self._largest,
            "slope": self._slope,
            "share": self.share,
            "staleness": np.log1p(self._since) / np.log(10),
            "gain": self._gain * 100,
        }

    def info(self) -> dict[str, Any]:
        """What a segment's info says of the losses and the shares."""
        return {"loss": self.mean_loss, "task_losses": self.task_losses, "share": self.share}

    def final(self) -> dict[str, Any]:
        """Of the whole run."""
        return {"target_loss": self.target_loss, "mean_loss": self.mean_loss, "mixture": self.share.tolist()}
