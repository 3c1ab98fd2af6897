"""What an agent remembers of its runs: the rule's state and the scaling of gains, and the random stream of each."""

from typing import Any, Self

import numpy as np
import numpy.typing as npt

from curriculum_rl.agents.bandits.scaling import GainScaling
from curriculum_rl.agents.rule import Floats, Ints, Rewards, Rule, State
from curriculum_rl.errors import ConfigError

Arrays = dict[str, npt.NDArray[Any]]


class Memory:
    """What N replicas over K tasks have shown: one memory for all of them, or one for each.

    Pooled, the replicas draw from the same probabilities, and the memory learns from their N plays at once. It starts
    afresh when every replica has ended an episode since it last did: at once where they run in lock-step. Not pooled,
    row r is the same whatever N is. Each replica has a random stream of its own either way.

    Attributes:
        replicas: N; a pooled memory takes plays of any number.
        pooled: whether one memory serves all.
        executed: (N', K) the propensities of the last decision, which the next update is told.
    """

    def __init__(
        self, rule: Rule, scaling: GainScaling, *, replicas: int, arms: int, entropy: int, pooled: bool = False
    ) -> None:
        """Start the memory of N = `replicas` over K = `arms` tasks; `entropy` seeds the streams."""
        self.replicas, self.pooled = replicas, pooled
        self._rule, self._scaling, self._entropy = rule, scaling, entropy
        self._kind: Rewards = getattr(rule, "rewards", "scaled")
        memories = 1 if pooled else replicas
        self._state, self._gains = rule.start(memories, arms), scaling.start(memories)
        self._fresh = rule.start(1, arms), scaling.start(1)
        self._ended = np.zeros(replicas, bool)
        self._streams: list[np.random.Generator] = []
        self.executed = self.probabilities(replicas)

    def reseed(self, entropy: int) -> None:
        """Begin new random streams; what was learned stays."""
        self._entropy = entropy
        self._streams.clear()

    def restart(self, which: npt.NDArray[np.bool_] | None = None, *, rule: bool = True) -> None:
        """Forget how gains are scaled and, where `rule` is true, what the rule learned.

        Args:
            which: (N,) the replicas whose episodes ended; a pooled memory waits for the last of them. None: all.
            rule: whether the rule forgets, too.
        """
        if self.pooled and which is not None:
            self._ended = which | (self._ended if len(self._ended) == len(which) else False)
            if not self._ended.all():
                return
        where: Any = slice(None) if self.pooled or which is None else which
        self._ended = np.zeros_like(self._ended)
        pairs: list[tuple[State, State]] = [(self._gains, self._fresh[1])]
        if rule:
            pairs.append((self._state, self._fresh[0]))
        for state, fresh in pairs:
            for name, values in state.items():
                values[where] = fresh[name]

    def probabilities(self, count: int) -> Floats:
        """(count, K) for that many replicas: their own, or the one memory's for all.

        Raises:
            ConfigError: where `count` is neither N nor anything with one memory.
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
        """Learn that these (N,) tasks, drawn with the executed propensities, brought these gains (nan: failed).

        Raises:
            ConfigError: where the number of replicas is not that of the decision, or not the memories'.
        """
        expected = len(self.executed) if self.pooled else self.replicas
        if not expected == len(gains) == len(self.executed):
            raise ConfigError(f"infos: {len(gains)} replicas, but the agent remembers {expected}")
        memories = 1 if self.pooled else expected
        rewards = self._scaling.pay(self._kind, self._gains, gains.reshape(memories, -1))
        executed = self.executed.reshape(memories, -1, self.executed.shape[1])
        self._teach(arms.reshape(memories, -1), rewards, executed)

    def _teach(self, arms: Ints, rewards: Floats, executed: Floats) -> None:
        """Let the rule learn from (S, M) plays."""
        self._rule.update(self._state, arms, rewards, executed)

    def dump(self) -> tuple[dict[str, Any], Arrays]:
        """Everything as JSON values and arrays."""
        arrays = {f"rule.{name}": values for name, values in self._state.items()}
        arrays |= {f"gain.{name}": values for name, values in self._gains.items()}
        values = {
            "replicas": self.replicas,
            "pooled": self.pooled,
            "ended": self._ended.tolist(),
            "entropy": self._entropy,
            "streams": [stream.bit_generator.state for stream in self._streams],
        }
        return values, arrays

    @classmethod
    def parse(cls, rule: Rule, scaling: GainScaling, arms: int, values: dict[str, Any], arrays: Arrays) -> Self:
        """The memory that `dump` described."""
        replicas, pooled = values["replicas"], values["pooled"]
        memory = cls(rule, scaling, replicas=replicas, arms=arms, entropy=values["entropy"], pooled=pooled)
        memory.restore(values, arrays)
        return memory

    def restore(self, values: dict[str, Any], arrays: Arrays) -> None:
        """Take over what `dump` described, of as many replicas and tasks."""
        self._entropy = values["entropy"]
        for name in self._state:
            self._state[name] = arrays[f"rule.{name}"]
        for name in self._gains:
            self._gains[name] = arrays[f"gain.{name}"]
        self._ended = np.array(values["ended"], bool)
        self._streams.clear()
        self.uniforms(len(values["streams"]))
        for stream, state in zip(self._streams, values["streams"], strict=True):
            stream.bit_generator.state = state
        self.executed = self.probabilities(self.replicas)
