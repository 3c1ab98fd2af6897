"""What an agent remembers of its runs: the rule's state and the scaling of gains, and the random stream of each."""

from typing import Any, Self

import numpy as np
import numpy.typing as npt

from curriculum_rl.agents.bandits.scaling import GainScaling
from curriculum_rl.agents.rule import Floats, Ints, Rewards, Rule, State
from curriculum_rl.agents.shell.wrapping import NOTHING, Wrapping
from curriculum_rl.errors import ConfigError

Arrays = dict[str, npt.NDArray[Any]]
_ALL = slice(None)


class Memory:
    """What N replicas over K tasks have shown: one memory for all of them, or one for each.

    Pooled, the replicas draw from the same probabilities, and the memory learns from their N plays at once. It starts
    afresh when every replica has ended an episode since it last did: at once where they run in lock-step. Not pooled,
    row r is the same whatever N is. Each replica has a random stream of its own either way, and wrappers, too: its
    learner has read its own windows and fought its own duels.

    Attributes:
        replicas: N; a pooled memory takes plays of any number.
        pooled: whether one memory serves all.
        executed: (N', K) the propensities of the last decision, which the next update is told.
        wears: whether there are wrappers.
        worn: what they remember of the last runs; after plays of another number of replicas, of these.
    """

    def __init__(
        self,
        rule: Rule,
        scaling: GainScaling,
        *,
        replicas: int,
        arms: int,
        entropy: int,
        pooled: bool = False,
        wrapping: Wrapping = NOTHING,
    ) -> None:
        """Start the memory of N = `replicas` over K = `arms` tasks; `entropy` seeds the streams."""
        self.replicas, self.pooled = replicas, pooled
        self._wrapping, self.wears = wrapping, wrapping.worn
        self.worn = wrapping.start(replicas, arms)
        arms = wrapping.count(arms)  # all that the rule knows of
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
        if self.wears:
            self._renew(which)
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
        """(count, K) for that many replicas: their own, or the one memory's for all, under the wrappers.

        Raises:
            ConfigError: where `count` is neither N nor anything with one memory.
        """
        own = self._rule.probabilities(self._state)
        if len(own) != count:
            if len(own) != 1:
                raise ConfigError(f"observation: {count} replicas, but the agent remembers {self.replicas}")
            own = own.repeat(count, axis=0)
        return self._executed(own) if self.wears else own

    def _executed(self, own: Floats) -> Floats:
        """(N', K') what the rule gives the tasks that it knows -> (N', K) what is played."""
        return self._wrapping.executed(self._worn_by(len(own)), own)

    def uniforms(self, count: int) -> Floats:
        """(count,) numbers in [0, 1), each from its replica's own stream."""
        while len(self._streams) < count:
            key = np.random.SeedSequence([self._entropy, len(self._streams)])
            self._streams.append(np.random.Generator(np.random.PCG64(key)))
        return np.array([stream.random() for stream in self._streams[:count]])

    def tell(self, name: str, values: Floats) -> None:
        """Write what the env said of every replica, (N, ...), into the rule's state; NaN: it said nothing."""
        known = self._state[name]
        if len(values) == len(known):
            np.copyto(known, values, where=~np.isnan(values))

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
        if self.wears:
            self._teach_kept(arms, rewards)
            return
        executed = self.executed.reshape(memories, -1, self.executed.shape[1])
        self._teach(arms.reshape(memories, -1), rewards, executed, _ALL)

    def _teach(self, arms: Ints, rewards: Floats, executed: Floats, which: Any) -> None:
        """Let the rule learn from the (S, M) plays of the replicas `which`, (N,) or all."""
        self._rule.update(self._state, arms, rewards, executed)

    def _teach_kept(self, arms: Ints, rewards: Floats) -> None:
        """The same under wrappers: the rule counts the tasks kept only, and hears nothing of plays of pruned ones."""
        kept, plays = self._wrapping.kept(self._worn_by(len(arms))), np.arange(len(arms))
        numbers = np.minimum((kept < arms[:, None]).sum(axis=1), kept.shape[1] - 1)
        known = kept[plays, numbers] == arms
        executed = np.take_along_axis(self.executed, kept, axis=1)
        if self.pooled:
            if known.any():
                self._teach(numbers[known][None], rewards[:, known], executed[known][None], known)
            return
        before = {name: values[~known] for name, values in self._state.items()}
        self._teach(numbers[:, None], rewards, executed[:, None], _ALL)
        for name, values in before.items():
            self._state[name][~known] = values

    @property
    def needs(self) -> tuple[str, ...]:
        """The signals that the wrappers need."""
        return self._wrapping.needs

    def hear(self, divergence: Floats, order: Ints) -> None:
        """Note (N, K) divergences of the tasks from the target in the runs that have not begun (`Wrapping.hear`)."""
        self.worn = self._worn_by(len(divergence))
        self._wrapping.hear(self.worn, divergence, order)

    def witness(self, epochs: Floats, duels: Floats | None) -> None:
        """Note (N, K) passes over the tasks' windows and the (N,) duels of a segment, if there were any."""
        self.worn = self._worn_by(len(epochs))
        self._wrapping.learn(self.worn, epochs, duels)

    def _renew(self, which: npt.NDArray[np.bool_] | None) -> None:
        if which is not None and len(which) != len(self.worn["begun"]):
            self.worn, which = self._worn_by(len(which)), None
        self._wrapping.renew(self.worn, slice(None) if which is None else which)

    def _worn_by(self, count: int) -> State:
        """What the wrappers remember of `count` runs; of another number than N, the first run's for all."""
        if len(self.worn["begun"]) == count:
            return self.worn
        return {name: values[:1].repeat(count, axis=0) for name, values in self.worn.items()}

    def dump(self) -> tuple[dict[str, Any], Arrays]:
        """Everything as JSON values and arrays."""
        arrays = {f"rule.{name}": values for name, values in self._state.items()}
        arrays |= {f"gain.{name}": values for name, values in self._gains.items()}
        arrays |= {f"wrapping.{name}": values for name, values in self.worn.items()} if self.wears else {}
        values = {
            "replicas": self.replicas,
            "pooled": self.pooled,
            "ended": self._ended.tolist(),
            "entropy": self._entropy,
            "streams": [stream.bit_generator.state for stream in self._streams],
        }
        return values, arrays

    @classmethod
    def parse(cls, rule: Rule, scaling: GainScaling, values: dict[str, Any], arrays: Arrays, **settings: Any) -> Self:
        """The memory that `dump` described; `settings` are `arms` and `wrapping`."""
        told = {name: values[name] for name in ("replicas", "entropy", "pooled")}
        memory = cls(rule, scaling, **told, **settings)
        memory.restore(values, arrays)
        return memory

    def restore(self, values: dict[str, Any], arrays: Arrays) -> None:
        """Take over what `dump` described, of as many replicas and tasks."""
        self._entropy = values["entropy"]
        for name in self._state:
            self._state[name] = arrays[f"rule.{name}"]
        for name in self._gains:
            self._gains[name] = arrays[f"gain.{name}"]
        if self.wears:
            self.worn = {name: arrays[f"wrapping.{name}"] for name in self.worn}
        self._ended = np.array(values["ended"], bool)
        self._streams.clear()
        self.uniforms(len(values["streams"]))
        for stream, state in zip(self._streams, values["streams"], strict=True):
            stream.bit_generator.state = state
        self.executed = self.probabilities(self.replicas)
