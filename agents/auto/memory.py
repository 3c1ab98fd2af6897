"""What the default agent remembers: a mixer's memory, told what the env says of its tasks, with a guard of its own."""

from typing import ClassVar

import numpy as np

from curriculum_rl.agents.auto.finish import PASSES, late
from curriculum_rl.agents.auto.rule import PriorMixture
from curriculum_rl.agents.mixers.memory import MixerMemory
from curriculum_rl.agents.mixers.rule import Feedback
from curriculum_rl.agents.rule import Floats
from curriculum_rl.agents.shell.wrapping import TaskFigures


class AutoMemory(MixerMemory):
    """The guard's duels are against the prior, and are fought only where something else is played.

    After an alarm the rule plays the prior, and its finish; nothing is measured any more.
    """

    _rule: PriorMixture
    duel: ClassVar[str] = "prior_duel"

    @property
    def needs(self) -> tuple[str, ...]:
        """The rule's signals, and duels where the mixture is not the prior."""
        fights = self._wrapping.guard is not None and self._rule.differs(self._state).any()
        return (*self._needs_of_rule(), *((self.duel,) if fights else ()))

    def receive(self, said: TaskFigures) -> None:
        """Note what the env says of the runs that begin, for the tasks that pruning keeps."""
        fresh = ~self.wrappers["begun"]
        super().receive(said)
        if len(said.order) != self.replicas:
            return
        kept, state = self._wrapping.kept(self.wrappers), self._state
        for name in ("target_signal", "corpus_tokens"):
            figures = getattr(said, name)
            if figures is not None:
                state[name][fresh] = np.take_along_axis(figures, kept, axis=1)[fresh]
        prior = np.take_along_axis(_prior(said), kept, axis=1)
        state["prior"][fresh] = np.where(prior.any(axis=1, keepdims=True), prior, 1 / self.arms)[fresh]
        state["limit"][fresh] = min(PASSES, self._wrapping.maximum_epochs or PASSES)

    def set_price(self, price: float) -> None:
        """Note what a measurement costs, share of the budget."""
        self._state["price"][...] = price

    def update(self, feedback: Feedback) -> None:
        """As every mixer's; the rule hears of an alarm."""
        super().update(feedback)
        self._state["dropped"][...] = self.wrappers["alarmed"]

    @property
    def finishes(self) -> bool:
        """Whether every run has a task on the target's signal split."""
        return bool(self._state["target_signal"].any(axis=1).all())

    def remarks(self) -> list[str]:
        """What a person should know of the first run, a line each."""
        rule, state = self._rule, {name: values[:1] for name, values in self._state.items()}
        said, began = [], float(state["begun"][0])
        if not self.wrappers["weighed"][0]:
            said.append(f"no prior is said (target.prior): {(state['prior'] > 0).sum()} tasks alike")
        if rule.measure:
            said.append(f"measured {state['measured'][0]:.0f} times")
        if state["dropped"][0]:
            said.append("the guard raised an alarm: the prior from then on")
        if began < 1:
            limit = f", and no more: {state['limit'][0]:g} passes over it" if late(state, rule.last)[0] else ""
            said.append(f"the last {1 - began:.1%} of the budget on the target's signal split{limit}")
        return said

    def _executed(self, own: Floats) -> Floats:
        wrappers = self._wrappers_of(len(own))
        return self._wrapping.executed({**wrappers, "alarmed": np.zeros_like(wrappers["alarmed"])}, own)


def _prior(said: TaskFigures) -> Floats:
    """(S, K) what the env says; else even over the target's objective, or all tasks, but for the signal split's."""
    if said.prior is not None:
        return said.prior
    even = np.ones(said.order.shape)
    others = even if said.target_signal is None else 1 - said.target_signal
    for chosen in (others if said.target_objective is None else others * said.target_objective, others):
        if chosen.any(axis=1).all():
            even = chosen
            break
    shares: Floats = even / even.sum(axis=1, keepdims=True)
    return shares
