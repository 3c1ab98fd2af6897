"""Rules that look at per-task features before they choose: their memory and their shell.

Shape letters: S memories, M replicas that share one, N = S M, K tasks, F features.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium import spaces as gym_spaces

from curriculum_rl.agents.protocol import Observation
from curriculum_rl.agents.rule import ContextualRule, Floats, Ints, State
from curriculum_rl.agents.shell.loop import Shell
from curriculum_rl.agents.shell.memory import Memory
from curriculum_rl.errors import ConfigError


class ContextualMemory(Memory):
    """A memory whose probabilities depend on what was looked at last.

    Attributes:
        seen: (N, K, F) features of the observation looked at last.
        decided: (N, K, F) those of the last decision, which the next update is about.
    """

    def __init__(self, rule: ContextualRule, *, features: int, replicas: int, arms: int, **rest: Any) -> None:
        """As `Memory`, for F = `features`."""
        self.seen = self.decided = np.zeros((replicas, arms, features))
        super().__init__(rule, replicas=replicas, arms=arms, **rest)

    def _start(self, memories: int) -> State:
        state: State = self._rule.start(memories, self.seen.shape[2])
        return state

    def probabilities(self, count: int) -> Floats:
        """(count, K) for what was looked at last.

        Raises:
            ConfigError: where `count` is neither N nor anything with one memory.
        """
        if len(self.seen) != count or (not self.pooled and count != self.replicas):
            raise ConfigError(f"observation: {count} replicas, but the agent remembers {self.replicas}")
        seen = self._of_kept(self.seen)
        grouped = seen.reshape(1 if self.pooled else count, -1, *seen.shape[1:])
        own: Floats = self._rule.probabilities(self._state, grouped).reshape(count, -1)
        return self._executed(own) if self.reads_env else own

    def _update(self, arms: Ints, rewards: Floats, executed: Floats, which: Any) -> None:
        decided = self._of_kept(self.decided)[which]
        features = decided.reshape(*arms.shape, *decided.shape[1:])
        played: Floats = np.take_along_axis(features, arms[:, :, None, None], axis=2)[:, :, 0]
        self._rule.update(self._state, played, rewards)

    def _of_kept(self, features: Floats) -> Floats:
        """(N, K, F) features -> (N, K', F) those of the tasks that the rule knows."""
        if not self.reads_env:
            return features
        return np.take_along_axis(features, self._wrapping.kept(self._wrappers_of(len(features)))[:, :, None], axis=1)


class ContextualShell(Shell):
    """A contextual rule as a stable-baselines3 algorithm.

    It reads the part `tasks` (K F,) of a dict observation: the same F features of every task, to which a constant 1 is
    added. The part `run` is the same for all tasks, so a model that all tasks share cannot tell them apart by it.
    """

    def _check_space(self) -> None:
        super()._check_space()
        space, name = self.observation_space, type(self).__name__
        part = space.spaces.get("tasks") if isinstance(space, gym_spaces.Dict) else None
        if not isinstance(part, gym_spaces.Box) or len(part.shape) != 1 or part.shape[0] % self.arms:
            raise ConfigError(
                f"observation: {name} needs per-task features, a dict whose part `tasks` has F values for each of the "
                f"{self.arms} tasks (`observation: dict`), not {space}"
            )
        self._features = part.shape[0] // self.arms

    def _remember(self, replicas: int) -> None:
        self._memory = ContextualMemory(self.rule, features=self._features + 1, **self._of_memory(replicas))

    def _look(self, observation: Observation) -> None:
        if not isinstance(observation, dict) or "tasks" not in observation:
            raise ConfigError(f"observation: {type(self).__name__} needs per-task features, a dict with part `tasks`")
        tasks = np.asarray(observation["tasks"], np.float64).reshape(-1, self.arms, self._features)
        self._memory.seen = np.concatenate([np.ones((*tasks.shape[:2], 1)), np.nan_to_num(tasks)], axis=2)

    def _decide(self, count: int, *, deterministic: bool = False) -> tuple[Floats, npt.NDArray[Any]]:
        decision = super()._decide(count, deterministic=deterministic)
        self._memory.decided = self._memory.seen
        return decision
