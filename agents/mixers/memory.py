"""What a mixer remembers of its runs: the rule's state, a row for each replica."""

from typing import Any, Self

import numpy as np
import numpy.typing as npt

from curriculum_rl.agents.mixers.rule import Feedback
from curriculum_rl.agents.mixers.wrapping import Wrapped, worn
from curriculum_rl.agents.rule import Floats, Ints, State
from curriculum_rl.errors import ConfigError

Arrays = dict[str, npt.NDArray[Any]]


class MixerMemory:
    """The state of N runs over K tasks.

    Attributes:
        replicas: N.
        executed: (N', K) the mixtures of the last decision.
    """

    wears = True

    def __init__(self, rule: Wrapped, *, replicas: int, arms: int) -> None:
        """Start the memory of N = `replicas` runs over K = `arms` tasks."""
        self.replicas = replicas
        self._rule = rule
        self._state = rule.start(replicas, arms)
        self.executed = self.probabilities(replicas)

    @property
    def needs(self) -> tuple[str, ...]:
        """The signals that the rule needs from now on."""
        return self._rule.needs(self._state)

    @property
    def worn(self) -> State:
        """What the wrappers remember of the N runs."""
        return worn(self._state)

    def hear(self, divergence: Floats, order: Ints) -> None:
        """Note (N, K) divergences of the tasks from the target in the runs that have not begun (`Wrapping.hear`)."""
        if len(divergence) == self.replicas:
            self._rule.hear(self._state, divergence, order)

    def reseed(self, entropy: int) -> None:
        """Nothing is drawn."""

    def restart(self, which: npt.NDArray[np.bool_] | None = None, *, rule: bool = True) -> None:
        """Let the rule prepare for new learners where a run has been learned from since the last time.

        Args:
            which: (N,) the replicas whose episodes ended; None: all.
            rule: taken as the other memories do; a mixer's rule decides itself what survives.
        """
        self._rule.next_run(self._state, np.ones(self.replicas, bool) if which is None else which)

    def probabilities(self, count: int) -> Floats:
        """(count, K) mixtures: each run's own, or the mean of all for another number of runs."""
        mixture = self._rule.mixture(self._state)
        if len(mixture) == count:
            return mixture
        mean: Floats = mixture.mean(axis=0, keepdims=True).repeat(count, axis=0)
        return mean

    def update(self, feedback: Feedback) -> None:
        """Learn from one segment of every run.

        Raises:
            ConfigError: for another number of replicas.
        """
        if len(feedback.gain) != self.replicas:
            raise ConfigError(f"infos: {len(feedback.gain)} replicas, but the agent remembers {self.replicas}")
        self._rule.update(self._state, feedback)

    def dump(self) -> tuple[dict[str, Any], Arrays]:
        """Everything as JSON values and arrays."""
        arrays = {f"rule.{name}": values for name, values in self._state.items()}
        return {"replicas": self.replicas}, arrays

    @classmethod
    def parse(cls, rule: Wrapped, arms: int, values: dict[str, Any], arrays: Arrays) -> Self:
        """The memory that `dump` described."""
        memory = cls(rule, replicas=values["replicas"], arms=arms)
        for name in memory._state:
            memory._state[name] = arrays[f"rule.{name}"]
        memory.executed = memory.probabilities(memory.replicas)
        return memory
