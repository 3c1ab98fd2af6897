"""One shell that makes any mixer's rule a stable-baselines3 algorithm."""

from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from curriculum_rl.agents.mixers.memory import MixerMemory
from curriculum_rl.agents.mixers.rule import Feedback
from curriculum_rl.agents.rule import Floats
from curriculum_rl.agents.shell import signals
from curriculum_rl.agents.shell.loop import Shell
from curriculum_rl.errors import ConfigError


class MixerShell(Shell):
    """A rule (`curriculum_rl.agents.mixers.rule.MixerRule`) that plays the mixture of every replica of an env.

    It asks the env for the signals that the rule needs, and the env charges them. After a segment without signals (the
    budget did not pay for them) the rule learns nothing. Every replica has a memory of its own; a rule that learns over
    several runs carries over what it needs.
    """

    learns_from_picks = False
    mixes = True
    shared = MappingProxyType({"memory": "episode"})

    def _remember(self, replicas: int) -> None:
        self._memory = MixerMemory(self.rule, self.wrapping, replicas=replicas, arms=self.arms)

    def _receive(self) -> None:
        if getattr(self.rule, "across_runs", False) and any("order" in i for i in signals.reset_infos(self.env)):
            raise ConfigError(
                f"action.permute: true; {type(self).__name__} remembers tasks by their number from run to run"
            )
        super()._receive()

    def _learn_from(self, actions: npt.NDArray[Any], rewards: npt.NDArray[Any], infos: list[dict[str, Any]]) -> None:
        self._memory.update(feedback_of(infos, rewards, self._memory.executed))


def feedback_of(infos: list[dict[str, Any]], rewards: npt.NDArray[Any], executed: Floats) -> Feedback:
    """What the infos of N replicas say, with tasks in the order that the agent sees them in; a failed one gained 0."""
    return Feedback(
        signals=signals.measured(infos),
        losses=signals.stacked(infos, "task_losses", np.full(executed.shape, np.nan)),
        mixture=signals.stacked(infos, "mixture", executed),
        share=signals.stacked(infos, "share", executed),
        gain=signals.gains(infos, rewards, failed=0.0),
        spent=np.array([1 - info.get("budget_left", 0.0) for info in infos]),
        epochs=signals.stacked(infos, "epochs", np.zeros_like(executed)),
    )
