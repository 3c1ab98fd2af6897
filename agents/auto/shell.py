"""The default agent as a stable-baselines3 algorithm."""

from math import nan
from typing import Any

import numpy as np
import numpy.typing as npt

from curriculum_rl.agents.auto import evidence
from curriculum_rl.agents.auto.memory import AutoMemory
from curriculum_rl.agents.auto.rule import PriorMixture
from curriculum_rl.agents.mixers.shell import MixerShell, feedback_of
from curriculum_rl.agents.shell import signals
from curriculum_rl.errors import ConfigError


class Auto(MixerShell):
    """The env's prior, nothing measured unless asked; then the target's signal split, where a task trains on it.

    Options: those of `PriorMixture`, and of `Wrapping` but for its prior; the guard (with `measure`, or another
    exponent than 1) bets against the prior on `prior_duel`.

    Attributes:
        remarks: what a person should know of the last run.
    """

    rule_class = PriorMixture
    _memory: AutoMemory

    def __init__(self, *args: Any, **options: Any) -> None:
        """As every shell.

        Raises:
            ConfigError: besides, for a guard of what is the prior itself, or an env that does not measure what is
                asked for, or does not say its price.
        """
        super().__init__(*args, **options)
        if self.wrapping.guard is not None and self.rule.is_prior:
            raise ConfigError(
                f"guard: {self.wrapping.guard}; auto plays the prior, and its guard bets against that: use measure, or "
                "another exponent (prior, prior_last)"
            )

    def _setup_model(self) -> None:
        super()._setup_model()
        if self.env is None:
            return
        if self.wrapping.guard is not None and not self.env.has_attr("request_signals"):
            raise ConfigError(
                f"guard: {self.wrapping.guard} needs the signals {AutoMemory.duel}, and the env has no request_signals"
            )
        if self.rule.measure and not (self.env.has_attr("request_signals") and self.env.has_attr("signal_price")):
            raise ConfigError("measure: true needs an env that measures signals and says their price")

    def _remember(self, replicas: int) -> None:
        self._memory = AutoMemory(self.rule, self.wrapping, replicas=replicas, arms=self.arms)

    def _prepare(self) -> None:
        super()._prepare()
        rule, memory = self.rule, self._memory
        if not memory.wrappers["weighed"].all():
            asked = {"prior": rule.prior != 1, "prior_last": rule.prior_last, "guard": self.wrapping.guard}
            for name in (name for name, value in asked.items() if value):
                value = getattr(self.wrapping if name == "guard" else rule, name)
                raise ConfigError(f"{name}: {value} needs a prior, which the reset of this env does not say")
        if rule.finish and not memory.finishes:
            raise ConfigError(
                f"finish: {rule.finish} needs target.train: true, which adds the task on the target's signal split"
            )

    def _receive(self) -> None:
        super()._receive()
        if self.rule.measure and self.env is not None:
            self._memory.set_price(signals.price(self.env, (evidence.SIGNAL,)))

    def _learn_from(self, actions: npt.NDArray[Any], rewards: npt.NDArray[Any], infos: list[dict[str, Any]]) -> None:
        spent = np.array([1 - info.get("budget_left", nan) for info in infos])
        follows = self.rule.measure or self.rule.prior_last is not None
        if follows and np.isnan(spent).any():
            option = "measure" if self.rule.measure else "prior_last"
            raise ConfigError(f"{option}: {getattr(self.rule, option)} needs an env that says budget_left")
        self._memory.update(feedback_of(infos, rewards, self._memory.executed)._replace(spent=spent))

    @property
    def remarks(self) -> list[str]:
        """What a person should know of the (first) last run, a line each."""
        return self._memory.remarks()
