"""One shell that makes any mixer's rule a stable-baselines3 algorithm."""

import dataclasses
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from curriculum_rl.agents.base import Shell
from curriculum_rl.agents.mixers.memory import MixerMemory
from curriculum_rl.agents.mixers.rule import Feedback
from curriculum_rl.agents.mixers.wrapping import Wrapped, Wrapping
from curriculum_rl.agents.rule import Floats
from curriculum_rl.agents.signals import offers_signals
from curriculum_rl.errors import ConfigError
from curriculum_rl.mixtures import action_of

_WRAPPERS = tuple(field.name for field in dataclasses.fields(Wrapping))


class MixerShell(Shell):
    """A rule (`curriculum_rl.agents.mixers.rule.MixerRule`) that plays the mixture of every replica of an env.

    It asks the env for the signals that the rule needs, and the env charges them. After a segment without signals (the
    budget did not pay for them) nothing is learned and the mixture stays. Every replica has a memory of its own; a
    rule that learns over several runs carries over what it needs.

    Attributes:
        wrapping: the wrappers that the rule wears; every mixer takes them as options.
    """

    rule_class: ClassVar[type[Any]]
    worn: ClassVar[Wrapping] = Wrapping()  # by default

    def __init__(self, policy: Any = "ShellPolicy", env: Any = None, **settings: Any) -> None:
        """Store the settings; with an env, start the memory.

        Args:
            policy: the name of the policy class; there is one.
            env: as for `Shell`.
            **settings: the rule's, the wrappers' (`Wrapping`) and those of `Shell` but pooling.

        Raises:
            ConfigError: for a value out of range, an action space of single tasks, or an env without the signals.
        """
        worn = {name: settings.pop(name, getattr(self.worn, name)) for name in _WRAPPERS}
        self.wrapping = Wrapping(**worn)
        super().__init__(policy, env, **{**settings, "pool": False})

    @classmethod
    def options(cls) -> tuple[str, ...]:
        """The names of the settings that `make` takes."""
        own = tuple(field.name for field in dataclasses.fields(cls.rule_class))
        return (*own, *_WRAPPERS, "verbose", "tensorboard_log")

    def _check_space(self) -> None:
        super()._check_space()
        if not self._mixture:
            raise ConfigError(f"action_space: {type(self).__name__} plays mixtures, Box(-1, 1, (K,)), not single tasks")
        self._asked: tuple[str, ...] | None = None

    @property
    def _wrapped(self) -> Wrapped:
        return Wrapped(self.rule, self.wrapping)  # type: ignore[arg-type]

    def _ask(self) -> None:
        """Have the env measure what the rule needs now, and nothing else: it is paid for."""
        needed = self._memory.needs
        if self.env is None or needed == self._asked:
            return
        if not offers_signals(self.env, needed) and needed:
            raise ConfigError(
                f"env: {type(self).__name__} needs the signals {', '.join(needed)}, and the env has no request_signals"
            )
        self._asked = needed

    def _remember(self, replicas: int) -> None:
        self._memory: Any = MixerMemory(self._wrapped, replicas=replicas, arms=self.arms)
        self._ask()

    def _parsed(self, values: dict[str, Any], arrays: dict[str, npt.NDArray[Any]]) -> Any:
        return MixerMemory.parse(self._wrapped, self.arms, values, arrays)

    def _own_options(self) -> dict[str, Any]:
        return {"memory": self.memory, **dataclasses.asdict(self.wrapping)}

    def _decide(self, count: int, *, deterministic: bool = False) -> tuple[Floats, npt.NDArray[Any]]:
        self._ask()
        if self._memory.beginning:
            self._tell()
        mixture = self._memory.probabilities(count)
        self._memory.executed = mixture
        return mixture, action_of(mixture)

    def _tell(self) -> None:
        """Pass on what the env said of the runs when they were reset."""
        infos = self.env.unwrapped.reset_infos if self.env is not None else []
        if any("order" in info for info in infos) and getattr(self.rule, "across_runs", False):
            raise ConfigError(
                f"action.permute: true; {type(self).__name__} remembers tasks by their number from run to run"
            )
        if infos and all("divergence" in info for info in infos):
            self._memory.tell(np.stack([_seen(info, info["divergence"], np.empty(0)) for info in infos]))

    def _learn_from(self, actions: npt.NDArray[Any], rewards: npt.NDArray[Any], infos: list[dict[str, Any]]) -> None:
        feedback = feedback_of(infos, rewards, self._memory.executed)
        if set(self._memory.needs) <= set(feedback.signals):
            self._memory.update(feedback)


def feedback_of(infos: list[dict[str, Any]], rewards: npt.NDArray[Any], executed: Floats) -> Feedback:
    """What the infos of N replicas say, with tasks in the order that the agent sees them in."""
    arms = executed.shape[1]

    def stacked(name: str, otherwise: Floats) -> Floats:
        return np.stack([_seen(info, info.get(name), row) for info, row in zip(infos, otherwise, strict=True)])

    names = set.intersection(*(set(info.get("signals", ())) for info in infos))
    return Feedback(
        signals={
            name: np.stack([_seen(info, info["signals"][name], executed[0]) for info in infos])
            for name in sorted(names)
        },
        losses=stacked("task_losses", np.full((len(infos), arms), np.nan)),
        mixture=stacked("mixture", executed),
        share=stacked("share", executed),
        gain=np.array([_gain(info, reward) for info, reward in zip(infos, rewards, strict=True)]),
        spent=np.array([1 - info.get("budget_left", 0.0) for info in infos]),
        epochs=stacked("epochs", np.zeros_like(executed)),
    )


def _seen(info: dict[str, Any], values: Any, otherwise: Floats) -> Floats:
    """Values per task in the agent's order; the target, where an axis has one more place for it, stays last."""
    if values is None:
        return otherwise
    given = np.asarray(values, np.float64)
    if "order" not in info:
        return given
    order = np.asarray(info["order"])
    places = {len(order): order, len(order) + 1: np.append(order, len(order))}
    placed: Floats = given[np.ix_(*(places[size] for size in given.shape))]
    return placed


def _gain(info: dict[str, Any], reward: float) -> float:
    """The gain of one replica's segment, 0 where the segment failed: the learner went back."""
    return 0.0 if info.get("failed") else float(info.get("gain", reward))
