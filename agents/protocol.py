"""What every agent can do: stable-baselines3's verbs and the few that a scheduler needs besides."""

from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np
import numpy.typing as npt

Observation = npt.NDArray[Any] | dict[str, npt.NDArray[Any]]


class Agent(Protocol):
    """A stable-baselines3 algorithm that says with what probability it plays each of K tasks.

    An evaluation loop that lets an online agent go on learning is::

        agent.reset_memory()
        while running:
            actions, _ = agent.predict(observations)
            observations, rewards, dones, infos = env.step(actions)
            agent.observe(actions, rewards, dones, infos)

    and without `observe` the same loop is a frozen evaluation (then leave `reset_memory` out, too).

    Attributes:
        num_timesteps: env steps taken so far, summed over the N replicas.
        seconds: wall time spent deciding and learning so far (not in the env).
    """

    num_timesteps: int
    seconds: float

    def __init__(self, *, env: Any = None, seed: int | None = None, **options: Any) -> None: ...

    def learn(
        self,
        total_timesteps: int,
        callback: Any = None,
        log_interval: int = 100,
        tb_log_name: str = "run",
        reset_num_timesteps: bool = True,
        progress_bar: bool = False,
    ) -> Self:
        """Play `total_timesteps` env steps, learning; callbacks find `probabilities` (N, K) in `self.locals`."""
        ...

    def predict(
        self,
        observation: Observation,
        state: tuple[npt.NDArray[Any], ...] | None = None,
        episode_start: npt.NDArray[np.bool_] | None = None,
        deterministic: bool = False,
    ) -> tuple[npt.NDArray[Any], tuple[npt.NDArray[Any], ...] | None]:
        """Actions for a batch of observations (or one); nothing is learned."""
        ...

    def probabilities(self, observation: Observation) -> npt.NDArray[np.float64]:
        """(N, K) probability of each task at the next decision (PPO on mixtures: its mean mixture)."""
        ...

    def observe(
        self,
        actions: npt.NDArray[Any],
        rewards: npt.NDArray[Any],
        dones: npt.NDArray[np.bool_],
        infos: list[dict[str, Any]],
    ) -> None:
        """Learn from what followed the last `predict`; nothing happens for agents that do not learn online."""
        ...

    def set_random_seed(self, seed: int | None = None) -> None:
        """Seed the agent's draws and its env's next reset, for example before an evaluation on a fresh seed."""
        ...

    def reset_memory(self) -> None:
        """Forget what was learned inside a run; nothing happens for pretrained agents."""
        ...

    def save(self, path: str | Path) -> None:
        """Write the agent as one zip file."""
        ...

    @classmethod
    def load(cls, path: str | Path, env: Any = None) -> Self:
        """Read what `save` wrote."""
        ...

    @classmethod
    def options(cls) -> tuple[str, ...]:
        """The names of the settings that `make` takes."""
        ...
