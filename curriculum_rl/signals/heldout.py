"""The held-out loss of every task. Shapes: N replicas, K tasks."""

from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar

from curriculum_rl.learners.losses import losses_by_task
from curriculum_rl.signals.base import Cost, Floats, Moment
from curriculum_rl.signals.windows import Windows


class HeldOutLosses:
    """Measures `heldout_loss`.

    Args:
        windows: where the rows come from.
        asked: the signals asked for.

    Raises:
        ConfigError: where a task has too few held-out windows that the report does not score.
    """

    measures: ClassVar[Mapping[str, str]] = {
        "heldout_loss": "(K,) nats per scored token on windows of each task that it does not train on, always the same"
    }

    def __init__(self, windows: Windows, asked: Collection[str]) -> None:
        windows.require_heldout()
        self._windows = windows

    def cost(self) -> Cost:
        """Of one reading of all tasks."""
        return Cost(signal=self._windows.read(len(self._windows.problem.tasks) * self._windows.config.signals.rows))

    def measure(self, moment: Moment) -> dict[str, Floats]:
        """(N, K) nats per scored token."""
        return {"heldout_loss": heldout_losses(self._windows, moment.seeds)}


def heldout_losses(windows: Windows, seeds: Sequence[int]) -> Floats:
    """(N, K) nats per scored token."""
    return losses_by_task(windows.learner, windows.heldout(seeds), len(windows.problem.tasks))
