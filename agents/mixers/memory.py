"""What a mixer remembers of its runs: the rule's state and the wrappers', a row for each replica."""

from typing import Any

import numpy as np
import numpy.typing as npt

from curriculum_rl.agents.mixers.rule import Feedback, MixerRule, next_run
from curriculum_rl.agents.rule import Floats, Ints
from curriculum_rl.agents.shell.wrapped_memory import Arrays, WrappedMemory
from curriculum_rl.agents.shell.wrapping import TaskFigures, Wrapping
from curriculum_rl.errors import ConfigError


class MixerMemory(WrappedMemory):
    """The state of N runs over K tasks.

    Attributes:
        executed: (N', K) the mixtures of the last decision.
        learned: (N,) whether the rule has learned in the run.
    """

    prefix = "rule.wrapping."

    def __init__(self, rule: MixerRule, wrapping: Wrapping, *, replicas: int, arms: int) -> None:
        """Start the memory of N = `replicas` runs over K = `arms` tasks."""
        super().__init__(wrapping, replicas=replicas, arms=arms)
        self.reads_env = True
        self._rule = rule
        self._state = rule.start(replicas, self.arms)
        self.learned = np.zeros(replicas, bool)
        self.executed = self.probabilities(replicas)

    @property
    def needs(self) -> tuple[str, ...]:
        """The rule's signals, and the guard's duels."""
        return (*self._needs_of_rule(), *super().needs)

    def _needs_of_rule(self) -> tuple[str, ...]:
        needs = getattr(self._rule, "needs", None)
        own: tuple[str, ...] = self._rule.signals if needs is None else needs(self._state)
        return own

    def receive(self, said: TaskFigures) -> None:
        """As every memory, but not of another number of replicas."""
        if len(said.order) == self.replicas:
            super().receive(said)

    def reseed(self, entropy: int) -> None:
        """Nothing is drawn."""

    def restart(self, which: npt.NDArray[np.bool_] | None = None, *, rule: bool = True) -> None:
        """Let the rule prepare for new learners where it has learned in a run since the last time.

        Args:
            which: (N,) the replicas whose episodes ended; None: all.
            rule: taken as the other memories do; a mixer's rule decides itself what survives.
        """
        ended = np.ones(self.replicas, bool) if which is None else which
        learned = ended & self.learned
        if learned.any():
            next_run(self._rule, self._state, learned, arms=self.arms)
        self.learned[ended] = False
        self._wrapping.reset(self.wrappers, ended)

    def probabilities(self, count: int) -> Floats:
        """(count, K) mixtures under the wrappers: each run's own, or the mean of all for another number of runs."""
        mixture = self._executed(self._rule.mixture(self._state))
        if len(mixture) == count:
            return mixture
        mean: Floats = mixture.mean(axis=0, keepdims=True).repeat(count, axis=0)
        return mean

    def update(self, feedback: Feedback) -> None:
        """Learn from one segment of every run, if what the rule needs was measured; the wrappers count it anyway.

        Raises:
            ConfigError: for another number of replicas.
        """
        if len(feedback.gain) != self.replicas:
            raise ConfigError(f"infos: {len(feedback.gain)} replicas, but the agent remembers {self.replicas}")
        needed = self._needs_of_rule()
        always = getattr(self._rule, "every_segment", False)
        if always or set(needed) <= set(feedback.signals):
            # A rule that asked for signals and needs none any more has learned what it will.
            if always or needed or not self._rule.signals:
                self._rule.update(self._state, self._of_kept(feedback))
            self.learned[:] = True
        self.update_wrappers(feedback.epochs, feedback.signals.get(self.duel))

    def _of_kept(self, feedback: Feedback) -> Feedback:
        """The feedback on the tasks that the rule knows."""
        kept, arms = self._wrapping.kept(self.wrappers), feedback.mixture.shape[1]
        if kept.shape[1] == arms:
            return feedback
        return feedback._replace(
            signals={name: _cut(values, kept, arms) for name, values in feedback.signals.items()},
            losses=_cut(feedback.losses, kept, arms),
            mixture=_cut(feedback.mixture, kept, arms),
            share=_cut(feedback.share, kept, arms),
            epochs=None if feedback.epochs is None else _cut(feedback.epochs, kept, arms),
        )

    def dump(self) -> tuple[dict[str, Any], Arrays]:
        """Everything as JSON values and arrays."""
        arrays = {f"rule.{name}": values for name, values in self._state.items()}
        arrays[f"{self.prefix}taught"] = self.learned
        return {"replicas": self.replicas}, arrays | self._dumped_wrappers()

    def restore(self, values: dict[str, Any], arrays: Arrays) -> None:
        """Take over what `dump` described, of as many replicas and tasks."""
        self._state = {name: arrays[f"rule.{name}"] for name in self._state}
        self.learned = arrays[f"{self.prefix}taught"]
        self._restore_wrappers(arrays)
        self.executed = self.probabilities(self.replicas)


def _cut(values: Floats, kept: Ints, arms: int) -> Floats:
    """(S, ...) values: every axis of K tasks, or of K and the target, only with the tasks kept (S, K')."""
    if values.ndim == 1:
        return values
    rows = []
    for row, tasks in zip(values, kept, strict=True):
        places = {arms: tasks, arms + 1: np.append(tasks, arms)}
        rows.append(row[np.ix_(*(places.get(size, np.arange(size)) for size in row.shape))])
    return np.stack(rows)
