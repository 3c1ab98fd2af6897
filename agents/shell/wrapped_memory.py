"""What the memories of bandits and mixers have in common: the wrappers of every replica."""

from typing import Any, ClassVar

import numpy.typing as npt

from curriculum_rl.agents.rule import Floats, State
from curriculum_rl.agents.shell.wrapping import NOTHING, TaskFigures, Wrapping

Arrays = dict[str, npt.NDArray[Any]]


class WrappedMemory:
    """What all memories of N replicas over K tasks have in common: the wrappers, a row for each replica.

    Every replica has wrappers of its own: its learner has read its own windows, and its duels were its own.

    Attributes:
        replicas: N.
        reads_env: whether anything is needed that an env measures, or says of its tasks when it is reset.
        wrappers: what the wrappers remember of the last runs; after plays of another number of replicas, of these.
        arms: K', how many tasks the rule knows of: those that pruning keeps.
    """

    prefix: ClassVar[str] = "wrapping."  # of the wrappers' arrays in files
    duel: ClassVar[str] = "duel"  # the signal that the guard bets on

    def __init__(self, wrapping: Wrapping, *, replicas: int, arms: int) -> None:
        """Start the wrappers of N = `replicas` runs over K = `arms` tasks."""
        self.replicas, self._wrapping = replicas, wrapping
        self.reads_env = wrapping != NOTHING
        self.wrappers = wrapping.start(replicas, arms)
        self.arms = wrapping.count(arms)

    @property
    def needs(self) -> tuple[str, ...]:
        """The signals that are needed from now on."""
        return self._wrapping.needs

    @property
    def wrapper_arrays(self) -> frozenset[str]:
        """The names that the wrappers' arrays have in files."""
        return frozenset(f"{self.prefix}{name}" for name in self.wrappers) if self.reads_env else frozenset()

    def receive(self, said: TaskFigures) -> None:
        """Note what the env says of the tasks of the N runs that begin (`Wrapping.receive`)."""
        self.wrappers = self._wrappers_of(len(said.order))
        self._wrapping.receive(self.wrappers, said)

    def update_wrappers(self, epochs: Floats | None, duels: Floats | None) -> None:
        """Note (N, K) passes over the tasks' windows and the (N,) duels of a segment, where there were any."""
        if epochs is not None:
            self.wrappers = self._wrappers_of(len(epochs))
        self._wrapping.update(self.wrappers, epochs, duels)

    def _wrappers_of(self, count: int) -> State:
        """What the wrappers remember of `count` runs; of another number than N, the first run's for all."""
        if len(self.wrappers["begun"]) == count:
            return self.wrappers
        return {name: values[:1].repeat(count, axis=0) for name, values in self.wrappers.items()}

    def _executed(self, own: Floats) -> Floats:
        """(N', K') what the rule gives the tasks that it knows -> (N', K) what is played."""
        return self._wrapping.executed(self._wrappers_of(len(own)), own)

    def _dumped_wrappers(self) -> Arrays:
        return {f"{self.prefix}{name}": values for name, values in self.wrappers.items()} if self.reads_env else {}

    def _restore_wrappers(self, arrays: Arrays) -> None:
        if self.reads_env:
            self.wrappers = {name: arrays[f"{self.prefix}{name}"] for name in self.wrappers}
