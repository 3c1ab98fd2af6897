"""Agents without a network as files: settings as JSON, memory as arrays, no pickle."""

import dataclasses
from pathlib import Path
from typing import Any, Self

import numpy.typing as npt
from stable_baselines3.common.utils import check_for_correct_spaces

from curriculum_rl.agents.shell import archive, spaces
from curriculum_rl.agents.shell.memory import Memory
from curriculum_rl.agents.shell.player import Player
from curriculum_rl.errors import ConfigError


class SavedPlayer(Player):
    """A player that can be written and read."""

    def save(self, path: str | Path, exclude: Any = None, include: Any = None) -> None:  # type: ignore[override]
        """Write settings (JSON), memory (npz) and the state of the random streams as one zip file; no pickle.

        Args:
            path: the file; ".zip" is added where it has no suffix.
            exclude: taken because stable-baselines3's callbacks may pass it; everything is saved.
            include: likewise.
        """
        memory, arrays = self._memory.dump()
        settings = {
            "agent": type(self).__name__,
            "rule": dataclasses.asdict(self.rule),  # type: ignore[call-overload]
            "options": self._own_options(),
            "seed": self.seed,
            "remembered": memory,
            "timesteps": self.num_timesteps,
            "episodes": self._episode_num,
            "seconds": self.seconds,
            "observation_space": spaces.to_json(self.observation_space),
            "action_space": spaces.to_json(self.action_space),
        }
        archive.write(path, settings, arrays)

    @classmethod
    def load(cls, path: str | Path, env: Any = None, device: str = "cpu", **kwargs: Any) -> Self:  # type: ignore[override]
        """Read what `save` wrote; with an env the agent can go on learning in it.

        Args:
            path: the file, with or without ".zip".
            env: a new environment with the same spaces, or None for an agent that only predicts. Its number of
                replicas may differ: a pooled memory is for any number.
            device: always the CPU.
            **kwargs: none is known.

        Raises:
            ConfigError: where the file is no such agent, or the env has other spaces.
        """
        if kwargs:
            raise ConfigError(f"{next(iter(kwargs))}: load has no such option")
        settings, arrays = archive.read(path, cls.__name__)
        agent = cls(
            seed=settings["seed"],
            device=device,
            **settings["options"],
            **settings["rule"],
        )
        agent.observation_space = spaces.from_json(settings["observation_space"])
        agent.action_space = spaces.from_json(settings["action_space"])
        agent.n_envs = settings["remembered"]["replicas"]
        if env is not None:
            agent._adopt(env)
        agent._check_space()
        agent._setup_model()
        agent._memory = agent._parsed(settings["remembered"], arrays)
        agent.num_timesteps, agent._episode_num = settings["timesteps"], settings["episodes"]
        agent.seconds = settings["seconds"]
        return agent

    def _own_options(self) -> dict[str, Any]:
        """The settings that are not the rule's, as the constructor takes them."""
        scaling = {"reward_window": self.scaling.window, "reward_clip": self.scaling.clip}
        worn = {name: getattr(self.wrapping, name) for name in self._wrappers()}
        return {"memory": self.memory, "pool": self.pool, **scaling, **worn}

    def _parsed(self, values: dict[str, Any], arrays: dict[str, npt.NDArray[Any]]) -> Any:
        """The memory that was saved."""
        return Memory.parse(self.rule, self.scaling, values, arrays, arms=self.arms, wrapping=self.wrapping)

    def _adopt(self, env: Any) -> None:
        """Take over an env, if its spaces are those the agent was saved with."""
        self.env = self._wrap_env(env, self.verbose)
        self.n_envs = self.env.num_envs
        arms = spaces.arms(self.env.action_space)
        if arms != spaces.arms(self.action_space):
            raise ConfigError(
                f"env: {arms} tasks, but the agent was saved with {spaces.arms(self.action_space)}; "
                "what it learned is about its own tasks"
            )
        try:
            check_for_correct_spaces(self.env, self.observation_space, self.action_space)
        except ValueError as error:
            raise ConfigError(f"env: not the spaces the agent was saved with: {error}") from error
