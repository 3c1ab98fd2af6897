"""A signal: a measurement of every task that an agent may ask for, at a price."""

from collections.abc import Collection, Mapping
from typing import ClassVar

from curriculum_rl.signals.base import Cost, Floats, Moment
from curriculum_rl.signals.windows import Windows


class Spread:
    """Standard deviation of the loss over some held-out windows of each task.

    Args:
        windows: draws rows that nothing trains on, and says what reading them costs.
        asked: names of what is measured.
    """

    measures: ClassVar[Mapping[str, str]] = {"spread": "(K,) standard deviation of window losses, nats a token"}

    def __init__(self, windows: Windows, asked: Collection[str]) -> None:
        windows.require_heldout()
        self._windows = windows

    def cost(self) -> Cost:
        """Of one measurement: a forward pass over the windows of all tasks."""
        return Cost(signal=self._windows.read(len(self._windows.problem.tasks) * self._windows.config.signals.rows))

    def measure(self, moment: Moment) -> dict[str, Floats]:
        """(N, K); the learner stays as it is."""
        batch = self._windows.heldout(moment.seeds)
        nats = self._windows.learner.token_losses(batch).double().cpu().sum(dim=2)
        losses = (nats / batch.weights.double().sum(dim=2)).reshape(len(nats), len(self._windows.problem.tasks), -1)
        return {"spread": losses.std(dim=2, correction=0).numpy()}
