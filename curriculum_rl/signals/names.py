"""The signals that an agent may ask for. Shapes: K tasks; the target, where a signal has it, comes after the last."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from curriculum_rl.errors import wrong
from curriculum_rl.signals import ghost
from curriculum_rl.signals.base import Instrument
from curriculum_rl.signals.branches import Branches
from curriculum_rl.signals.duel import Duel, PriorDuel
from curriculum_rl.signals.gradients import Gradients
from curriculum_rl.signals.heldout import HeldOutLosses
from curriculum_rl.signals.rollout import Rollout

INSTRUMENTS: tuple[type[Instrument], ...] = (HeldOutLosses, Gradients, Branches, Rollout, Duel, PriorDuel)
SIGNALS: Mapping[str, str] = MappingProxyType(
    {name: what for made in INSTRUMENTS for name, what in made.measures.items()} | ghost.MEASURES
)


def check_names(names: Sequence[str]) -> None:
    """Raise ConfigError for an unknown signal; one with a colon is the user's own class."""
    for name in names:
        if name not in SIGNALS and ":" not in name:
            raise wrong("signals", name, f"one of {', '.join(SIGNALS)}, module:Class")
