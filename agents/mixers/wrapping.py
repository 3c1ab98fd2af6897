"""A mixer's rule that wears wrappers (`curriculum_rl.agents.shell.wrapping`)."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from curriculum_rl.agents.mixers.rule import Feedback, MixerRule
from curriculum_rl.agents.rule import Floats, Ints, State
from curriculum_rl.agents.shell.wrapping import Wrapping

_OWN = "wrapping."


@dataclass(frozen=True)
class Wrapped:
    """A rule that wears wrappers; itself a rule, but that it decides itself when to let the rule learn.

    Attributes:
        rule: what is worn by.
        wrapping: the wrappers.
    """

    rule: MixerRule
    wrapping: Wrapping

    def needs(self, state: State) -> tuple[str, ...]:
        """The rule's signals, and the guard's duels."""
        return (*self._rules_needs(state), *self.wrapping.needs)

    def _rules_needs(self, state: State) -> tuple[str, ...]:
        said = getattr(self.rule, "needs", None)
        own: tuple[str, ...] = self.rule.signals if said is None else said(_inner(state))
        return own

    def start(self, seeds: int, arms: int) -> State:
        """The rule's memory of the tasks that pruning keeps, and what the wrappers keep.

        Raises:
            ConfigError: where the least shares add up to more than 1.
        """
        own = self.wrapping.start(seeds, arms) | {"taught": np.zeros(seeds, bool)}
        inner = self.rule.start(seeds, self.wrapping.count(arms))
        return inner | {f"{_OWN}{name}": values for name, values in own.items()}

    def hear(self, state: State, divergence: Floats, order: Ints) -> None:
        """Note what the env said of the runs that begin (`Wrapping.hear`)."""
        self.wrapping.hear(worn(state), divergence, order)

    def mixture(self, state: State) -> Floats:
        """(S, K): the rule's mixture under the wrappers."""
        return self.wrapping.executed(worn(state), self.rule.mixture(_inner(state)))

    def update(self, state: State, feedback: Feedback) -> None:
        """Let the rule learn if what it needs was measured, count passes, and settle the guard's bets."""
        needed = self._rules_needs(state)
        if set(needed) <= set(feedback.signals):
            # A rule that asked for signals and needs none any more has learned what it will.
            if needed or not self.rule.signals:
                self.rule.update(_inner(state), self._of_kept(state, feedback))
            state[f"{_OWN}taught"][:] = True
        self.wrapping.learn(worn(state), feedback.epochs, feedback.signals.get("duel"))

    def next_run(self, state: State, ended: npt.NDArray[np.bool_]) -> None:
        """The rule prepares where it has learned something; passes and the guard start afresh."""
        taught = ended & state[f"{_OWN}taught"]
        if taught.any():
            self.rule.next_run(_inner(state), taught)
        state[f"{_OWN}taught"][ended] = False
        self.wrapping.renew(worn(state), ended)

    def _of_kept(self, state: State, feedback: Feedback) -> Feedback:
        """The feedback on the tasks that the rule knows."""
        kept, arms = self.wrapping.kept(worn(state)), feedback.mixture.shape[1]
        if kept.shape[1] == arms:
            return feedback
        return feedback._replace(
            signals={name: _cut(values, kept, arms) for name, values in feedback.signals.items()},
            losses=_cut(feedback.losses, kept, arms),
            mixture=_cut(feedback.mixture, kept, arms),
            share=_cut(feedback.share, kept, arms),
            epochs=None if feedback.epochs is None else _cut(feedback.epochs, kept, arms),
        )


def worn(state: State) -> State:
    """What the wrappers remember, the same arrays."""
    return {name[len(_OWN) :]: values for name, values in state.items() if name.startswith(_OWN)}


def _inner(state: State) -> State:
    """The rule's own memory, the same arrays."""
    return {name: values for name, values in state.items() if not name.startswith(_OWN)}


def _cut(values: Floats, kept: Ints, arms: int) -> Floats:
    """(S, ...) values: every axis of K tasks, or of K and the target, only with the tasks kept (S, K')."""
    if values.ndim == 1:
        return values
    rows = []
    for row, tasks in zip(values, kept, strict=True):
        places = {arms: tasks, arms + 1: np.append(tasks, arms)}
        rows.append(row[np.ix_(*(places.get(size, np.arange(size)) for size in row.shape))])
    return np.stack(rows)
