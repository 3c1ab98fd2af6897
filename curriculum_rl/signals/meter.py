"""Measures the signals that were asked for, and says what they cost. Shapes: N replicas, K tasks."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from curriculum_rl.learners.base import Learner
from curriculum_rl.signals.base import Cost, Floats, Instrument, Moment
from curriculum_rl.signals.branches import Branches
from curriculum_rl.signals.duel import Duel
from curriculum_rl.signals.gradients import Gradients
from curriculum_rl.signals.heldout import HeldOutLosses
from curriculum_rl.signals.names import SIGNALS, check_names
from curriculum_rl.signals.rollout import Rollout
from curriculum_rl.signals.windows import Windows

if TYPE_CHECKING:
    from curriculum_rl.experiment import Experiment

INSTRUMENTS = (HeldOutLosses, Gradients, Branches, Duel, Rollout)


class Meter:
    """Measures signals on windows that no task trains on in this run and no score is taken from.

    Gradients and look-ahead branches use rows of the tasks' own train parts, drawn apart from those that are trained
    on; the target's rows come from its signal split, those that judge a duel from its selection split. The learner is
    left bit-identical. `ghost` is not measured here: it is seen while a segment is trained (`Ghost`).

    Args:
        experiment: tasks and target.
        learner: whose replicas are measured.
        names: the signals asked for.
        left: FLOPs that are left of the budget now, for signals that depend on it.

    Raises:
        ConfigError: for an unknown signal.
    """

    def __init__(
        self, experiment: "Experiment", learner: Learner, names: Sequence[str], left: Callable[[], float] = lambda: 0.0
    ) -> None:
        check_names(names)
        self._names = frozenset(names)
        windows = Windows(experiment, learner, left)
        self._instruments: list[Instrument] = [
            made(windows, self._names) for made in INSTRUMENTS if made.measures & self._names
        ]

    def cost(self) -> Cost:
        """Of one measurement."""
        return sum((instrument.cost() for instrument in self._instruments), Cost())

    def measure(self, moment: Moment) -> dict[str, Floats]:
        """Take all signals.

        Returns:
            Each signal by name with a leading dimension N; NaN where a look-ahead branch exploded.
        """
        found: dict[str, Floats] = {}
        for instrument in self._instruments:
            found |= instrument.measure(moment)
        return {name: found[name] for name in SIGNALS if name in self._names & found.keys()}
