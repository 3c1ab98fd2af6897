"""What an agent may ask to be measured of every task, and what each measurement costs."""

from curriculum_rl.signals.base import Cost, Moment
from curriculum_rl.signals.dev import DevExamples
from curriculum_rl.signals.ghost import Ghost, TargetGradient
from curriculum_rl.signals.meter import Meter
from curriculum_rl.signals.names import SIGNALS

__all__ = ["SIGNALS", "Cost", "DevExamples", "Ghost", "Meter", "Moment", "TargetGradient"]
