"""Agents that do not learn: the baselines that every comparison carries."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from curriculum_rl.agents.rule import Floats, Ints, State, check, one_hot
from curriculum_rl.agents.shell.loop import Shell
from curriculum_rl.errors import ConfigError


@dataclass(frozen=True)
class Even:
    """All tasks alike, at every step."""

    def start(self, seeds: int, arms: int) -> State:
        """Nothing to remember but the shape."""
        return {"even": np.full((seeds, arms), 1 / arms)}

    def probabilities(self, state: State) -> Floats:
        """(S, K) of 1 / K."""
        return state["even"].copy()

    def update(self, state: State, arms: Ints, rewards: Floats, probabilities: Floats) -> None:
        """Learn nothing."""


@dataclass(frozen=True)
class Rotation:
    """One task after the other, from the first."""

    def start(self, seeds: int, arms: int) -> State:
        """The first task is next."""
        return {"next": one_hot(np.zeros(seeds, np.int64), arms)}

    def probabilities(self, state: State) -> Floats:
        """(S, K) one-hot of the task whose turn it is."""
        return state["next"].copy()

    def update(self, state: State, arms: Ints, rewards: Floats, probabilities: Floats) -> None:
        """Give the turn to the next task."""
        state["next"][...] = np.roll(state["next"], 1, axis=1)


@dataclass(frozen=True)
class Always:
    """The same task for ever.

    Attributes:
        task: its index, in [0, K).
    """

    task: int = 0

    def __post_init__(self) -> None:
        """Check the task."""
        check("task", self.task, least=0, whole=True)

    def start(self, seeds: int, arms: int) -> State:
        """The task, one-hot.

        Raises:
            ConfigError: where there is no such task.
        """
        if self.task >= arms:
            raise ConfigError(f"task: {self.task} must be in [0, {arms})")
        return {"task": one_hot(np.full(seeds, int(self.task)), arms)}

    def probabilities(self, state: State) -> Floats:
        """(S, K) one-hot of the task."""
        return state["task"].copy()

    def update(self, state: State, arms: Ints, rewards: Floats, probabilities: Floats) -> None:
        """Learn nothing."""


class Baseline(Shell):
    """An agent that does not learn."""

    learns_from_picks = False


class Stratified(Baseline):
    """Every batch holds all tasks in equal share: the action is 0 in every component of a mixture space.

    Under wrappers the shares are what these make of equal ones.
    """

    rule_class = Even
    mixes = True

    def _decide(self, count: int, *, deterministic: bool = False) -> tuple[Floats, npt.NDArray[Any]]:
        shares, actions = super()._decide(count, deterministic=deterministic)
        return shares, actions if self._memory.reads_env else np.zeros_like(actions)


class RoundRobin(Baseline):
    """One task after the other."""

    rule_class = Rotation


class Random(Baseline):
    """A task at random, each as likely."""

    rule_class = Even


class Fixed(Baseline):
    """Always the same task."""

    rule_class = Always
    wrappers = None
