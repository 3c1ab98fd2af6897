"""Measures the signals that were asked for, and says what they cost. Shapes: N replicas, K tasks."""

from collections.abc import Sequence

from curriculum_rl.signals.base import Cost, Floats, Instrument, Moment
from curriculum_rl.signals.branches import Branches
from curriculum_rl.signals.duel import Duel
from curriculum_rl.signals.gradients import Gradients
from curriculum_rl.signals.heldout import HeldOutLosses
from curriculum_rl.signals.names import SIGNALS, check_names
from curriculum_rl.signals.rollout import Rollout
from curriculum_rl.signals.windows import Windows

INSTRUMENTS = (HeldOutLosses, Gradients, Branches, Duel, Rollout)


class Meter:
    """Measures signals on windows that no task trains on in this run and no score is taken from.

    Gradients and look-ahead branches use rows of the tasks' own train parts, drawn apart from those that are trained
    on; the target's rows come from its signal split, those that judge a duel from its selection split. The learner is
    left bit-identical. `ghost` is not measured here: it is seen while a segment is trained (`Ghost`).

    Args:
        windows: tasks, target, learner, sizes.
        names: the signals asked for.

    Raises:
        ConfigError: for an unknown signal, or too few held-out windows.
    """

    def __init__(self, windows: Windows, names: Sequence[str]) -> None:
        check_names(names)
        self._names = frozenset(names)
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
