"""What a bandit remembers of its runs: the rule's state, the wrappers', the scaling of gains, random streams."""

from typing import Any

import numpy as np
import numpy.typing as npt

from curriculum_rl.agents.rule import Floats, Ints, Rewards, State, reset_rows
from curriculum_rl.agents.shell.scaling import GainScaling
from curriculum_rl.agents.shell.wrapped_memory import Arrays, WrappedMemory
from curriculum_rl.agents.shell.wrapping import NOTHING, Wrapping
from curriculum_rl.errors import ConfigError

_ALL = slice(None)


class Memory(WrappedMemory):
    """What N replicas over K tasks have shown a bandit: one memory for all of them, or one for each.

    Pooled, the replicas draw from the same probabilities, and the memory learns from their N plays at once. It starts
    afresh when every replica has ended an episode since it last did: at once where they run in lock-step. Not pooled,
    row r is the same whatever N is. Each replica has a random stream of its own either way.

    Attributes:
        pooled: whether one memory serves all; it takes plays of any number of replicas.
        executed: (N', K) the propensities of the last decision, which the next update learns with.
    """

    def __init__(
        self,
        rule: Any,
        scaling: GainScaling,
        *,
        replicas: int,
        arms: int,
        entropy: int,
        pooled: bool = False,
        wrapping: Wrapping = NOTHING,
    ) -> None:
        """Start the memory of N = `replicas` over K = `arms` tasks; `entropy` seeds the streams."""
        super().__init__(wrapping, replicas=replicas, arms=arms)
        self.pooled = pooled
        self._rule, self._scaling, self._entropy = rule, scaling, entropy
        self._kind: Rewards = getattr(rule, "rewards", "scaled")
        memories = 1 if pooled else replicas
        self._state, self._gains = self._start(memories), scaling.start(memories)
        self._fresh = self._start(1), scaling.start(1)
        self._ended = np.zeros(replicas, bool)
        self._streams: list[np.random.Generator] = []
        self.executed = self.probabilities(replicas)
        _check(self.executed, rule)

    def _start(self, memories: int) -> State:
        state: State = self._rule.start(memories, self.arms)
        return state

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
        if self.reads_env:
            self._reset_wrappers(which)
        if self.pooled and which is not None:
            self._ended = which | (self._ended if len(self._ended) == len(which) else False)
            if not self._ended.all():
                return
        where: Any = _ALL if self.pooled or which is None else which
        self._ended = np.zeros_like(self._ended)
        reset_rows(self._gains, self._fresh[1], where)
        if rule:
            reset_rows(self._state, self._fresh[0], where)

    def _reset_wrappers(self, which: npt.NDArray[np.bool_] | None) -> None:
        if which is not None and len(which) != len(self.wrappers["begun"]):
            self.wrappers, which = self._wrappers_of(len(which)), None
        self._wrapping.reset(self.wrappers, _ALL if which is None else which)

    def probabilities(self, count: int) -> Floats:
        """(count, K) for that many replicas: their own, or the one memory's for all, under the wrappers.

        Raises:
            ConfigError: where `count` is neither N nor anything with one memory.
        """
        own: Floats = self._rule.probabilities(self._state)
        if len(own) != count:
            if len(own) != 1:
                raise ConfigError(f"observation: {count} replicas, but the agent remembers {self.replicas}")
            own = own.repeat(count, axis=0)
        return self._executed(own) if self.reads_env else own

    def uniforms(self, count: int) -> Floats:
        """(count,) numbers in [0, 1), each from its replica's own stream."""
        while len(self._streams) < count:
            key = np.random.SeedSequence([self._entropy, len(self._streams)])
            self._streams.append(np.random.Generator(np.random.PCG64(key)))
        return np.array([stream.random() for stream in self._streams[:count]])

    def set_state(self, name: str, values: Floats) -> None:
        """Write a figure of every replica, (N, ...), into the rule's state; NaN leaves what is there."""
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
        if self.reads_env:
            self._update_of_kept(arms, rewards)
            return
        executed = self.executed.reshape(memories, -1, self.executed.shape[1])
        self._update(arms.reshape(memories, -1), rewards, executed, _ALL)

    def _update(self, arms: Ints, rewards: Floats, executed: Floats, which: Any) -> None:
        """Let the rule learn from the (S, M) plays of the replicas `which`, (N,) or all."""
        self._rule.update(self._state, arms, rewards, executed)

    def _update_of_kept(self, arms: Ints, rewards: Floats) -> None:
        """The same under wrappers: the rule counts the tasks kept only, and learns nothing of pruned ones."""
        kept, plays = self._wrapping.kept(self._wrappers_of(len(arms))), np.arange(len(arms))
        numbers = np.minimum((kept < arms[:, None]).sum(axis=1), kept.shape[1] - 1)
        known = kept[plays, numbers] == arms
        executed = np.take_along_axis(self.executed, kept, axis=1)
        if self.pooled:
            if known.any():
                self._update(numbers[known][None], rewards[:, known], executed[known][None], known)
            return
        before = {name: values[~known] for name, values in self._state.items()}
        self._update(numbers[:, None], rewards, executed[:, None], _ALL)
        for name, values in before.items():
            self._state[name][~known] = values

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
        return values, arrays | self._dumped_wrappers()

    def restore(self, values: dict[str, Any], arrays: Arrays) -> None:
        """Take over what `dump` described, of as many replicas and tasks."""
        self._state = {name: arrays[f"rule.{name}"] for name in self._state}
        self._gains = {name: arrays[f"gain.{name}"] for name in self._gains}
        self._restore_wrappers(arrays)
        self._ended = np.array(values["ended"], bool).reshape(-1)
        self.reseed(values["entropy"])
        self.uniforms(len(values["streams"]))
        for stream, state in zip(self._streams, values["streams"], strict=True):
            stream.bit_generator.state = state
        self.executed = self.probabilities(self.replicas)


def _check(probabilities: Floats, rule: Any) -> None:
    """Refuse a rule that does not even begin with distributions; its contract looks at what it does later.

    Raises:
        ConfigError: naming the rule and a row that is none.
    """
    for row in probabilities:
        if not (row >= 0).all() or not abs(row.sum() - 1) < 1e-6:
            shown = ", ".join(f"{chance:.3g}" for chance in row[:8])
            name = type(rule).__name__
            raise ConfigError(f"agent: probabilities of {name} must sum to 1 (got {row.sum():.3g}: {shown})")
