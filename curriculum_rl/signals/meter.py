"""Measures the signals that were asked for, and says what they cost. Shapes: N replicas, K tasks."""

from collections.abc import Sequence

from curriculum_rl.errors import ConfigError
from curriculum_rl.plugins import load, make, require, suitable
from curriculum_rl.signals.base import Cost, Floats, Instrument, Moment
from curriculum_rl.signals.names import INSTRUMENTS, SIGNALS, check_names
from curriculum_rl.signals.windows import Windows


class Meter:
    """Measures signals on windows that no task trains on in this run and no score is taken from.

    Gradients and look-ahead branches use rows of the tasks' own train parts, drawn apart from those that are trained
    on; the target's rows come from its signal split, those that judge a duel from its selection split. The learner is
    left bit-identical. `ghost` is not measured here: it is seen while a segment is trained (`Ghost`).

    Args:
        windows: tasks, target, learner, sizes.
        names: the signals asked for; `module:Class` names an `Instrument` of the user's own, which measures one.

    Raises:
        ConfigError: for an unknown signal, or too few held-out windows.
    """

    def __init__(self, windows: Windows, names: Sequence[str]) -> None:
        check_names(names)
        self._names = frozenset(names)
        self._instruments: list[Instrument] = [
            made(windows, self._names) for made in INSTRUMENTS if made.measures.keys() & self._names
        ]
        self._own = {name: _own(name, windows) for name in names if ":" in name}

    def cost(self) -> Cost:
        """Of one measurement."""
        return sum((instrument.cost() for instrument in [*self._instruments, *self._own.values()]), Cost())

    def measure(self, moment: Moment) -> dict[str, Floats]:
        """Take all signals.

        Returns:
            Each signal by name with a leading dimension N; NaN where a look-ahead branch exploded.
        """
        found: dict[str, Floats] = {}
        for instrument in self._instruments:
            found |= instrument.measure(moment)
        own = {name: instrument.measure(moment)[_label(instrument)] for name, instrument in self._own.items()}
        return {name: found[name] for name in SIGNALS if name in self._names & found.keys()} | own


def _own(name: str, windows: Windows) -> Instrument:
    """The user's own instrument."""
    found = suitable(load(name, "signals"), Instrument, name, "signals")
    asked = getattr(found, "measures", {})
    made: Instrument = require(
        make(found, name, "signals", {"windows": windows, "asked": asked}), Instrument, f"signals: {name!r}"
    )
    if len(made.measures) != 1:
        raise ConfigError(f"signals: {name!r} must measure one signal (got {', '.join(made.measures) or 'none'})")
    return made


def _label(instrument: Instrument) -> str:
    """What an instrument that measures one signal calls it."""
    return next(iter(instrument.measures))
