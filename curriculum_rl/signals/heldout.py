"""The held-out loss of every task. Shapes: N replicas, K tasks."""

from collections.abc import Collection, Sequence
from typing import ClassVar

from curriculum_rl.signals.base import Cost, Floats, Moment
from curriculum_rl.signals.windows import Windows


class HeldOutLosses:
    """Measures `heldout_loss`.

    Args:
        windows: where the rows come from.
        asked: the signals asked for.
    """

    measures: ClassVar[frozenset[str]] = frozenset({"heldout_loss"})

    def __init__(self, windows: Windows, asked: Collection[str]) -> None:
        self._windows = windows

    def cost(self) -> Cost:
        """Of one reading of all tasks."""
        return Cost(signal=self._windows.read(len(self._windows.experiment.tasks) * self._windows.config.signals.rows))

    def measure(self, moment: Moment) -> dict[str, Floats]:
        """(N, K) nats per scored token."""
        return {"heldout_loss": heldout_losses(self._windows, moment.seeds)}


def heldout_losses(windows: Windows, seeds: Sequence[int]) -> Floats:
    """(N, K) nats per scored token."""
    joined = windows.heldout(seeds)
    nats = windows.learner.token_losses(joined).double().cpu()
    shape = (len(seeds), len(windows.experiment.tasks), -1)
    scored = joined.weights.double().reshape(shape).sum(dim=2)
    losses: Floats = (nats.reshape(shape).sum(dim=2) / scored.clamp(min=1)).numpy()
    return losses
