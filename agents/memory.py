"""What an agent remembers of its runs: the rule's state, the scaling of gains, and the random streams, by replica."""

from typing import Any, Self

import numpy as np
import numpy.typing as npt

from curriculum_rl.agents.bandits.scaling import GainScaling
from curriculum_rl.agents.rule import Floats, Ints, Rule, State
from curriculum_rl.errors import ConfigError

Arrays = dict[str, npt.NDArray[Any]]


class Memory:
    """The memory of N replicas over K tasks; row r is the same whatever N is.

    Attributes:
        replicas: N.
        executed: (N', K) the propensities of the last decision, which the next update is told.
    """

    def __init__(self, rule: Rule, scaling: GainScaling, *, replicas: int, arms: int, entropy: int) -> None:
        """Start N = `replicas` memories over K = `arms` tasks; `entropy` seeds the streams."""
        self.replicas = replicas
        self._rule, self._scaling, self._entropy = rule, scaling, entropy
        self._state, self._gains = rule.start(replicas, arms), scaling.start(replicas)
        self._fresh = rule.start(1, arms), scaling.start(1)
        self._streams: list[np.random.Generator] = []
        self.executed = rule.probabilities(self._state)

    def reseed(self, entropy: int) -> None:
        """Begin new random streams; what was learned stays."""
        self._entropy = entropy
        self._streams.clear()

    def restart(self, which: npt.NDArray[np.bool_] | slice, *, rule: bool) -> None:
        """Forget, in these replicas, how gains are scaled and, where `rule` is true, what the rule learned."""
        pairs: list[tuple[State, State]] = [(self._gains, self._fresh[1])]
        if rule:
            pairs.append((self._state, self._fresh[0]))
        for state, fresh in pairs:
            for name, values in state.items():
                values[which] = fresh[name]

    def probabilities(self, count: int) -> Floats:
        """(count, K) for that many replicas: their own, or the one memory's for all.

        Raises:
            ConfigError: where `count` is neither N nor anything with N = 1.
        """
        probabilities = self._rule.probabilities(self._state)
        if len(probabilities) == count:
            return probabilities
        if len(probabilities) == 1:
            return probabilities.repeat(count, axis=0)
        raise ConfigError(f"observation: {count} replicas, but the agent remembers {self.replicas}")

    def uniforms(self, count: int) -> Floats:
        """(count,) numbers in [0, 1), each from its replica's own stream."""
        while len(self._streams) < count:
            key = np.random.SeedSequence([self._entropy, len(self._streams)])
            self._streams.append(np.random.Generator(np.random.PCG64(key)))
        return np.array([stream.random() for stream in self._streams[:count]])

    def update(self, arms: Ints, gains: Floats) -> None:
        """Learn that these (N,) tasks, drawn with the executed propensities, brought these gains (nan: failed)."""
        if not self.replicas == len(gains) == len(self.executed):
            raise ConfigError(f"infos: {len(gains)} replicas, but the agent remembers {self.replicas}")
        self._rule.update(self._state, arms, self._scaling.scale(self._gains, gains), self.executed)

    def dump(self) -> tuple[dict[str, Any], Arrays]:
        """Everything as JSON values and arrays."""
        arrays = {f"rule.{name}": values for name, values in self._state.items()}
        arrays |= {f"gain.{name}": values for name, values in self._gains.items()}
        streams = [stream.bit_generator.state for stream in self._streams]
        return {"replicas": self.replicas, "entropy": self._entropy, "streams": streams}, arrays

    @classmethod
    def parse(cls, rule: Rule, scaling: GainScaling, arms: int, values: dict[str, Any], arrays: Arrays) -> Self:
        """The memory that `dump` described."""
        memory = cls(rule, scaling, replicas=values["replicas"], arms=arms, entropy=values["entropy"])
        for name in memory._state:
            memory._state[name] = arrays[f"rule.{name}"]
        for name in memory._gains:
            memory._gains[name] = arrays[f"gain.{name}"]
        memory.uniforms(len(values["streams"]))
        for stream, state in zip(memory._streams, values["streams"], strict=True):
            stream.bit_generator.state = state
        memory.executed = rule.probabilities(memory._state)
        return memory
