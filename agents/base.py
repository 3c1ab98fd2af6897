"""The loop that all agents without a network share: one shell that makes any rule a stable-baselines3 algorithm."""

import dataclasses
import math
import time
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import torch
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.policies import BasePolicy
from stable_baselines3.common.utils import check_for_correct_spaces, safe_mean

from curriculum_rl.agents import archive, spaces
from curriculum_rl.agents.bandits.scaling import GainScaling
from curriculum_rl.agents.memory import Memory
from curriculum_rl.agents.protocol import Observation
from curriculum_rl.agents.rule import Floats, Ints, Rule, draw, one_hot
from curriculum_rl.errors import ConfigError


class ShellPolicy(BasePolicy):
    """What stable-baselines3 expects under `agent.policy`: no parameters; the shell decides without looking."""

    def _predict(self, observation: Any, deterministic: bool = False) -> torch.Tensor:
        raise NotImplementedError("call predict() on the agent: its policy has no parameters and no memory")


class Shell(BaseAlgorithm):
    """A rule (`curriculum_rl.agents.rule.Rule`) as a stable-baselines3 algorithm.

    Each of the N replicas of a VecEnv has a memory and a random stream of its own: row r behaves the same whatever
    N is. In a mixture space, Box(-1, 1, (K,)), a pick is played one-hot: 1 at the task, -1 elsewhere, so that all
    of the gain belongs to the task.

    What is learned from is `info["gain"]` where the env gives it, else the reward, detrended and scaled by
    `GainScaling`; `info["failed"]` true pays the lowest reward. A run is one episode: with memory="episode" the
    memory starts afresh when an episode does (its learner is new), with "keep" the rule's memory survives and only
    the scaling starts afresh (the first gains of any run are far larger than the last). After `learn` the memory is
    that of the last episode: `predict` alone plays it frozen.

    Attributes:
        rule: the settings and the arithmetic.
        memory: "episode" or "keep".
        scaling: how gains become rewards.
        seconds: wall time spent deciding and learning in `learn` so far, without the env and the callbacks.
    """

    policy_aliases: ClassVar[dict[str, type[BasePolicy]]] = {"ShellPolicy": ShellPolicy}
    rule_class: ClassVar[type[Any]]  # a dataclass that is a Rule
    learns: ClassVar[bool] = True

    def __init__(
        self,
        policy: str | type[BasePolicy] = "ShellPolicy",
        env: Any = None,
        *,
        memory: str = "episode",
        reward_window: float = GainScaling.window,
        reward_clip: float = GainScaling.clip,
        seed: int | None = None,
        verbose: int = 0,
        tensorboard_log: str | None = None,
        device: str = "cpu",
        _init_setup_model: bool = True,
        **options: Any,
    ) -> None:
        """Store the settings; with an env, start the memory.

        Args:
            policy: the name of the policy class; there is one.
            env: a Gymnasium env, a VecEnv, an id, or None for an agent that is about to be loaded.
            memory: "episode" (the default) or "keep".
            reward_window: segments that the moving average and the running scale of gains look back over, >= 1.
            reward_clip: scaled rewards lie in [-reward_clip, reward_clip], > 0.
            seed: of the draws and of the env's resets.
            verbose: 1 logs episodes to stdout.
            tensorboard_log: a folder for stable-baselines3's own scalars, or None.
            device: always the CPU; taken because stable-baselines3's tools pass it.
            _init_setup_model: False leaves the memory unbuilt.
            **options: the rule's settings.

        Raises:
            ConfigError: for an unknown option, a value out of range, or an action space it cannot play.
        """
        if memory not in {"episode", "keep"}:
            raise ConfigError(f"memory: {memory!r} must be 'episode' or 'keep'")
        names = [field.name for field in dataclasses.fields(self.rule_class)]
        for name in options:
            if name not in names:
                raise ConfigError(f"{name}: {type(self).__name__} has no such option, but: {', '.join(self.options())}")
        self.rule: Rule = self.rule_class(**options)
        self.memory = memory
        self.scaling = GainScaling(reward_window, reward_clip)
        self.seconds = 0.0
        super().__init__(
            policy,
            env,
            learning_rate=0.0,
            verbose=verbose,
            tensorboard_log=tensorboard_log,
            device=device,
            support_multi_env=True,
            seed=seed,
        )
        if env is not None:
            self._check_space()
            if _init_setup_model:
                self._setup_model()

    @classmethod
    def options(cls) -> tuple[str, ...]:
        """The names of the settings that `make` takes."""
        own = tuple(field.name for field in dataclasses.fields(cls.rule_class))
        shared = ("memory", "reward_window", "reward_clip") if cls.learns else ()
        return (*own, *shared, "verbose", "tensorboard_log")

    def _check_space(self) -> None:
        self.arms = spaces.arms(self.action_space)
        self._mixture = spaces.is_mixture(self.action_space)

    def _setup_model(self) -> None:
        self.set_random_seed(self.seed)
        self.policy = self.policy_class(self.observation_space, self.action_space)
        self._remember(self.n_envs)

    def _remember(self, replicas: int) -> None:
        entropy = self.seed if self.seed is not None else int(np.random.SeedSequence().generate_state(1)[0])
        self._memory = Memory(self.rule, self.scaling, replicas=replicas, arms=self.arms, entropy=entropy)

    def set_random_seed(self, seed: int | None = None) -> None:
        """Seed the draws, the env's next reset, and (as stable-baselines3 does) the global generators."""
        super().set_random_seed(seed)
        if seed is not None:
            self.seed = seed
            if hasattr(self, "_memory"):
                self._memory.reseed(seed)

    def reset_memory(self, replicas: npt.NDArray[np.bool_] | None = None) -> None:
        """Forget: the rule's memory and the scaling of these replicas, (N,), or of all start afresh."""
        self._memory.restart(slice(None) if replicas is None else replicas, rule=True)

    # ---------------------------------------------------------------- decide

    def probabilities(self, observation: Observation) -> Floats:
        """(N, K) probability of each task at the next decision; K shares where the agent plays a mixture."""
        return self._memory.probabilities(spaces.rows(self.observation_space, observation) or 1)

    def predict(
        self,
        observation: Observation,
        state: tuple[npt.NDArray[Any], ...] | None = None,
        episode_start: npt.NDArray[np.bool_] | None = None,
        deterministic: bool = False,
    ) -> tuple[npt.NDArray[Any], tuple[npt.NDArray[Any], ...] | None]:
        """Draw a task for each replica; nothing is learned.

        Args:
            observation: a batch of N observations, or one; only its number is looked at.
            state: passed through.
            episode_start: ignored: `learn`, `observe` and `reset_memory` start memories, not `predict`.
            deterministic: play the most probable task; an argmax scheduler plays one task for ever, so not by default.

        Returns:
            (N,) int64 tasks or (N, K) float32 mixtures (one of them for a single observation), and `state`.
        """
        count = spaces.rows(self.observation_space, observation)
        _, actions = self._decide(count or 1, deterministic=deterministic)
        return (actions[0] if count is None else actions), state

    def _decide(self, count: int, *, deterministic: bool = False) -> tuple[Floats, npt.NDArray[Any]]:
        """The executed propensities (N, K) and the actions."""
        probabilities = self._memory.probabilities(count)
        if deterministic:
            arms = probabilities.argmax(axis=1)
            probabilities = one_hot(arms, self.arms)
        else:
            arms = draw(probabilities, self._memory.uniforms(count))
        self._memory.executed = probabilities
        return probabilities, self._actions(arms)

    def _actions(self, arms: Ints) -> npt.NDArray[Any]:
        if not self._mixture:
            return arms
        return (2 * one_hot(arms, self.arms) - 1).astype(np.float32)

    # ---------------------------------------------------------------- learn

    def observe(
        self,
        actions: npt.NDArray[Any],
        rewards: npt.NDArray[Any],
        dones: npt.NDArray[np.bool_],
        infos: list[dict[str, Any]],
    ) -> None:
        """Learn from what followed the last `predict`, and forget where an episode ended.

        Raises:
            ConfigError: where a mixture is not one-hot (a scalar gain is never credited by share) or the number of
                replicas is not the memory's.
        """
        self._learn_from(actions, rewards, infos)
        if dones.any():
            self._memory.restart(dones, rule=self.memory == "episode")

    def _learn_from(self, actions: npt.NDArray[Any], rewards: npt.NDArray[Any], infos: list[dict[str, Any]]) -> None:
        arms = self._arms_of(actions) if self._mixture else actions
        gains = np.array([_gain(info, reward) for info, reward in zip(infos, rewards, strict=True)])
        self._memory.update(arms, gains)

    def _arms_of(self, actions: npt.NDArray[Any]) -> Ints:
        if self.learns and not ((actions > -1).sum(axis=1) == 1).all():
            raise ConfigError("actions: a bandit can learn from one-hot mixtures only")
        arms: Ints = actions.argmax(axis=1)
        return arms

    def learn(
        self,
        total_timesteps: int,
        callback: Any = None,
        log_interval: int = 100,
        tb_log_name: str = "run",
        reset_num_timesteps: bool = True,
        progress_bar: bool = False,
    ) -> Self:
        """Play at least `total_timesteps` env steps (summed over replicas), learning from each.

        Callbacks are called as stable-baselines3 does; `self.locals` holds `actions`, `probabilities` (N, K, the
        executed propensities), `new_obs`, `rewards`, `dones`, `infos`. A callback that returns False ends the call;
        Ctrl-C does too, after the callbacks' `on_training_end`, and leaves an agent that can be saved.

        Args:
            total_timesteps: how many more steps.
            callback: a callback, a list of them, or None.
            log_interval: episodes between lines of stable-baselines3's own log.
            tb_log_name: the folder name of that log.
            reset_num_timesteps: False continues the last call: the env is not reset, nothing is forgotten.
            progress_bar: show one.

        Returns:
            The agent.
        """
        if self.env is None:
            raise ConfigError("env: None; an agent without an environment can only predict")
        if self._memory.replicas != self.env.num_envs:
            self._remember(self.env.num_envs)
        total, callbacks = self._setup_learn(total_timesteps, callback, reset_num_timesteps, tb_log_name, progress_bar)
        callbacks.on_training_start(locals(), globals())
        try:
            callbacks.on_rollout_start()
            while self.num_timesteps < total and self._step(callbacks, log_interval):
                pass
            callbacks.on_rollout_end()
        finally:
            callbacks.on_training_end()
        return self

    def _step(self, callback: Any, log_interval: int) -> bool:
        """One decision of all replicas and what is learned from it; False where a callback asks to stop."""
        env, clock, starts = self.env, time.perf_counter, self._last_episode_starts
        assert env is not None and starts is not None  # `learn` made sure
        begun = clock()
        if starts.any():
            self._memory.restart(starts, rule=self.memory == "episode")
        probabilities, actions = self._decide(env.num_envs)
        self.seconds += clock() - begun
        new_obs, rewards, dones, infos = env.step(actions)
        begun = clock()
        self._learn_from(actions, rewards, infos)
        self.seconds += clock() - begun
        self.num_timesteps += env.num_envs
        callback.update_locals(locals())
        go_on: bool = callback.on_step()
        self._last_obs, self._last_episode_starts = new_obs, dones  # type: ignore[assignment]
        if dones.any():
            self._note_episodes(infos, dones, log_interval)
        return go_on

    def _note_episodes(self, infos: list[dict[str, Any]], dones: npt.NDArray[np.bool_], log_interval: int) -> None:
        self._update_info_buffer(infos, dones)
        before = self._episode_num
        self._episode_num += int(dones.sum())
        if self._episode_num // log_interval > before // log_interval:
            self.dump_logs()

    def dump_logs(self) -> None:
        """Write stable-baselines3's own scalars: mean reward and length of recent episodes, agent seconds."""
        if self.ep_info_buffer:
            self.logger.record("rollout/ep_rew_mean", safe_mean([info["r"] for info in self.ep_info_buffer]))
            self.logger.record("rollout/ep_len_mean", safe_mean([info["l"] for info in self.ep_info_buffer]))
        self.logger.record("time/agent_seconds", self.seconds)
        self.logger.dump(step=self.num_timesteps)

    # ---------------------------------------------------------------- save and load

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
            "memory": self.memory,
            "scaling": dataclasses.asdict(self.scaling),
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
            env: a new environment with the same spaces, or None for an agent that only predicts.
            device: always the CPU.
            **kwargs: none is known.

        Raises:
            ConfigError: where the file is no such agent, or the env has other spaces.
        """
        if kwargs:
            raise ConfigError(f"{next(iter(kwargs))}: load has no such option")
        settings, arrays = archive.read(path, cls.__name__)
        window, clip = settings["scaling"]["window"], settings["scaling"]["clip"]
        agent = cls(
            memory=settings["memory"],
            reward_window=window,
            reward_clip=clip,
            seed=settings["seed"],
            device=device,
            **settings["rule"],
        )
        agent.observation_space = spaces.from_json(settings["observation_space"])
        agent.action_space = spaces.from_json(settings["action_space"])
        agent.n_envs = settings["remembered"]["replicas"]
        if env is not None:
            agent._adopt(env)
        agent._check_space()
        agent._setup_model()
        agent._memory = Memory.parse(agent.rule, agent.scaling, agent.arms, settings["remembered"], arrays)
        agent.num_timesteps, agent._episode_num = settings["timesteps"], settings["episodes"]
        agent.seconds = settings["seconds"]
        return agent

    def _adopt(self, env: Any) -> None:
        """Take over an env, if its spaces are those the agent was saved with."""
        self.env = self._wrap_env(env, self.verbose)
        self.n_envs = self.env.num_envs
        try:
            check_for_correct_spaces(self.env, self.observation_space, self.action_space)
        except ValueError as error:
            raise ConfigError(f"env: not the spaces the agent was saved with: {error}") from error


def _gain(info: dict[str, Any], reward: float) -> float:
    """The gain of one replica's segment, nan where the segment failed."""
    return math.nan if info.get("failed") else float(info.get("gain", reward))
