"""Agents and rules as a user writes them, one of each kind, and some that are none."""

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import stable_baselines3

from curriculum_rl.agents.bandits.ucb1 import UCB1
from curriculum_rl.agents.rl.ppo import PPO
from curriculum_rl.agents.shell.loop import Shell


@dataclass(frozen=True)
class Sticky:
    """Plays one task, mostly.

    Attributes:
        stay: its probability.
    """

    stay: float = 0.8

    def start(self, seeds, arms):
        return {"last": np.eye(arms)[np.zeros(seeds, int)]}

    def probabilities(self, state):
        return self.stay * state["last"] + (1 - self.stay) / state["last"].shape[1]

    def update(self, state, arms, rewards, probabilities):
        state["last"][:] = np.eye(state["last"].shape[1])[arms.reshape(len(state["last"]), -1)[:, 0]]


@dataclass(frozen=True)
class Beyond(Sticky):
    """Its probabilities sum to 1.1."""

    def probabilities(self, state):
        return 1.1 * super().probabilities(state)


@dataclass
class Looking:
    """Plays by a feature.

    The second: the first is a constant 1.
    """

    def start(self, seeds, features):
        return {"features": np.full(seeds, features)}

    def probabilities(self, state, features):
        powers = np.exp(features[..., 1])
        return powers / powers.sum(axis=-1, keepdims=True)

    def update(self, state, features, rewards):
        pass


@dataclass(frozen=True)
class Least:
    """More of what is learned least."""

    signals: ClassVar[tuple[str, ...]] = ("heldout_loss",)
    sharpness: float = 1.0

    def start(self, seeds, arms):
        return {"losses": np.zeros((seeds, arms))}

    def mixture(self, state):
        powers = np.exp(self.sharpness * state["losses"])
        return powers / powers.sum(axis=1, keepdims=True)

    def update(self, state, feedback):
        state["losses"][:] = feedback.signals["heldout_loss"]


@dataclass(frozen=True)
class Blind(Sticky):
    """Sees nothing."""

    entry: ClassVar = {"needs_reward": False, "sees_target": False, "source": "a test"}


@dataclass(frozen=True)
class Remembering(Least):
    """Over several runs."""

    across_runs: ClassVar = True


class Whole(Shell):
    """An agent of a shell."""

    rule_class = UCB1


class Network(PPO):
    """A policy."""


class Pickled(stable_baselines3.PPO):
    """A whole agent whose files are stable-baselines3's."""

    options = probabilities = observe = reset_memory = PPO.probabilities
    seconds = 0.0


NUMBER = 3


class Nothing:
    """No agent."""


class Plain:
    """A rule without fields."""

    start, probabilities, update = Sticky.start, Sticky.probabilities, Sticky.update


class Forgetful:
    """Half a bandit's rule."""

    def probabilities(self, state):
        """What every rule has."""


@dataclass
class Unmeasured:
    """Half a mixer's rule."""

    start, mixture = Least.start, Least.mixture


@dataclass
class Misshapen:
    """Its update is another's."""

    start, probabilities, update = Sticky.start, Sticky.probabilities, Least.update


@dataclass(frozen=True)
class Clashing(Sticky):
    """A field that wrappers have."""

    prior: float = 1.0


@dataclass(frozen=True)
class Keeping(Least):
    """A field that the file of a mixer has."""

    memory: int = 3


@dataclass(frozen=True)
class Unwritten(Sticky):
    """A field that no file can hold."""

    weights: np.ndarray = field(default_factory=lambda: np.ones(3))


@dataclass(frozen=True)
class Demanding(Sticky):
    """A field without a default."""

    window: int = field(kw_only=True)


@dataclass(frozen=True)
class Boasting(Sticky):
    """An entry that is none."""

    entry: ClassVar = {"needs_reward": False, "colour": "red"}
