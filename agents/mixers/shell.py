"""One shell that makes any mixer's rule a stable-baselines3 algorithm."""

from typing import Any

import numpy as np
import numpy.typing as npt

from curriculum_rl.agents.mixers.memory import MixerMemory
from curriculum_rl.agents.mixers.rule import Feedback
from curriculum_rl.agents.mixers.wrapping import Wrapped
from curriculum_rl.agents.rule import Floats
from curriculum_rl.agents.shell import signals
from curriculum_rl.agents.shell.loop import Shell
from curriculum_rl.errors import ConfigError
from curriculum_rl.mixtures import action_of


class MixerShell(Shell):
    """A rule (`curriculum_rl.agents.mixers.rule.MixerRule`) that plays the mixture of every replica of an env.

    It asks the env for the signals that the rule needs, and the env charges them. After a segment without signals (the
    budget did not pay for them) the rule learns nothing. Every replica has a memory of its own; a rule that learns over
    several runs carries over what it needs.
    """

    def __init__(self, policy: Any = "ShellPolicy", env: Any = None, **settings: Any) -> None:
        """Store the settings; with an env, start the memory.

        Args:
            policy: the name of the policy class; there is one.
            env: as for `Shell`.
            **settings: those of `Shell` but pooling.

        Raises:
            ConfigError: for a value out of range, an action space of single tasks, or an env without the signals.
        """
        super().__init__(policy, env, **{**settings, "pool": False})

    @classmethod
    def options(cls) -> tuple[str, ...]:
        """The names of the settings that `make` takes."""
        shared = ("memory", "pool", "reward_window", "reward_clip")
        return tuple(name for name in super().options() if name not in shared)

    def _check_space(self) -> None:
        super()._check_space()
        if not self._mixture:
            raise ConfigError(f"action_space: {type(self).__name__} plays mixtures, Box(-1, 1, (K,)), not single tasks")

    @property
    def _wrapped(self) -> Wrapped:
        return Wrapped(self.rule, self.wrapping)  # type: ignore[arg-type]

    def _remember(self, replicas: int) -> None:
        self._memory: Any = MixerMemory(self._wrapped, replicas=replicas, arms=self.arms)

    def _parsed(self, values: dict[str, Any], arrays: dict[str, npt.NDArray[Any]]) -> Any:
        return MixerMemory.parse(self._wrapped, self.arms, values, arrays)

    def _own_options(self) -> dict[str, Any]:
        own = super()._own_options()
        return {name: own[name] for name in ("memory", *self._wrappers())}

    def _decide(self, count: int, *, deterministic: bool = False) -> tuple[Floats, npt.NDArray[Any]]:
        self._prepare()
        mixture = self._memory.probabilities(count)
        self._memory.executed = mixture
        return mixture, action_of(mixture)

    def _hear(self) -> None:
        if getattr(self.rule, "across_runs", False) and any("order" in i for i in signals.reset_infos(self.env)):
            raise ConfigError(
                f"action.permute: true; {type(self).__name__} remembers tasks by their number from run to run"
            )
        super()._hear()

    def _learn_from(self, actions: npt.NDArray[Any], rewards: npt.NDArray[Any], infos: list[dict[str, Any]]) -> None:
        self._memory.update(feedback_of(infos, rewards, self._memory.executed))


def feedback_of(infos: list[dict[str, Any]], rewards: npt.NDArray[Any], executed: Floats) -> Feedback:
    """What the infos of N replicas say, with tasks in the order that the agent sees them in."""
    return Feedback(
        signals=signals.measured(infos),
        losses=signals.stacked(infos, "task_losses", np.full(executed.shape, np.nan)),
        mixture=signals.stacked(infos, "mixture", executed),
        share=signals.stacked(infos, "share", executed),
        gain=np.array([_gain(info, reward) for info, reward in zip(infos, rewards, strict=True)]),
        spent=np.array([1 - info.get("budget_left", 0.0) for info in infos]),
        epochs=signals.stacked(infos, "epochs", np.zeros_like(executed)),
    )


def _gain(info: dict[str, Any], reward: float) -> float:
    """The gain of one replica's segment, 0 where the segment failed: the learner went back."""
    return 0.0 if info.get("failed") else float(info.get("gain", reward))
