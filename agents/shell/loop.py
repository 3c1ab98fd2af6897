"""The shell that makes any rule a stable-baselines3 algorithm: its settings, its decisions and its loop."""

import dataclasses
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import torch
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.policies import BasePolicy
from stable_baselines3.common.utils import safe_mean

from curriculum_rl import plugins
from curriculum_rl.agents.protocol import Observation
from curriculum_rl.agents.rule import Floats, Ints, draw, one_hot
from curriculum_rl.agents.saving import archive
from curriculum_rl.agents.shell import files, signals, spaces
from curriculum_rl.agents.shell.memory import Memory
from curriculum_rl.agents.shell.scaling import GainScaling
from curriculum_rl.agents.shell.wrapping import NOTHING, WRAPPERS, Wrapping
from curriculum_rl.errors import ConfigError
from curriculum_rl.mixtures import action_of

SHARED: Mapping[str, Any] = MappingProxyType(
    {"memory": "episode", "pool": True, "reward_window": GainScaling.window, "reward_clip": GainScaling.clip}
)
"""The settings about picks and their gains, with their defaults."""


class ShellPolicy(BasePolicy):
    """What stable-baselines3 expects under `agent.policy`: no parameters; the shell decides without looking."""

    def _predict(self, observation: Any, deterministic: bool = False) -> torch.Tensor:
        raise NotImplementedError("call predict() on the agent: its policy has no parameters and no memory")


class Shell(BaseAlgorithm):
    """A rule as a stable-baselines3 algorithm: it plays the N replicas of a VecEnv and learns from each segment.

    With pool=True (the default) there is one memory: all replicas draw from the same probabilities, each from its own
    random stream, and the rule learns from their N gains at once, as one time step. With pool=False each replica has
    a memory of its own, and row r behaves the same whatever N is. With N = 1 the two are the same.

    What is learned from is `info["gain"]` where the env gives it, else the reward, detrended and scaled by
    `GainScaling`; `info["failed"]` true pays the lowest reward. A run is one episode: with memory="episode" the
    memory starts afresh when an episode does (its learner is new), with "keep" the rule's memory survives and only
    the scaling starts afresh (the first gains of any run are far larger than the last). A pooled memory does so when
    all replicas have ended an episode since it last did: at once in a vector env whose replicas run in lock-step, as
    `curriculum_rl.envs` has them; where they do not, a new run's first gains meet the others' last ones, and
    pool=False is the safer choice. After `learn` the memory is that of the last episode: `predict` alone plays it
    frozen.

    In a mixture space, Box(-1, 1, (K,)), a pick is played one-hot: 1 at the task, -1 elsewhere, so that all of the
    gain belongs to the task.

    Attributes:
        rule: the settings and the arithmetic (`curriculum_rl.agents.rule.Rule`).
        memory: "episode" or "keep".
        pool: whether one memory serves all replicas.
        scaling: how gains become rewards.
        wrapping: the wrappers around the rule.
        settings: those that are not the rule's, as the constructor takes them.
        seconds: wall time spent deciding and learning in `learn` so far, without the env and the callbacks.
    """

    policy_aliases: ClassVar[dict[str, type[BasePolicy]]] = {"ShellPolicy": ShellPolicy}
    rule_class: ClassVar[type[Any]]  # a dataclass that is a rule
    learns_from_picks: ClassVar[bool] = True  # else the shared settings are no options
    mixes: ClassVar[bool] = False  # plays probabilities as one mixture, no picks
    shared: ClassVar[Mapping[str, Any]] = SHARED
    wrappers: ClassVar[Wrapping | None] = NOTHING  # by default; None: the agent takes none

    _requested: tuple[str, ...] | None = None  # the signals

    def __init__(
        self,
        policy: str | type[BasePolicy] = "ShellPolicy",
        env: Any = None,
        *,
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
            seed: of the draws and of the env's resets.
            verbose: 1 logs episodes to stdout.
            tensorboard_log: a folder for stable-baselines3's own scalars, or None.
            device: always the CPU; taken because stable-baselines3's tools pass it.
            _init_setup_model: False leaves the memory unbuilt.
            **options: the rule's settings; the wrappers' (`Wrapping`); and, where the agent learns from its picks,
                memory: "episode" (the default) or "keep";
                pool: one memory for the N replicas of a VecEnv (the default), or False: each has its own;
                reward_window: decisions that the moving average and the running scale of gains look back over, >= 1;
                reward_clip: scaled rewards lie in [-reward_clip, reward_clip], > 0.

        Raises:
            ConfigError: for an unknown option, a value out of range, or an action space it cannot play.
        """
        defaults = self.own_settings()
        own = {name: options.pop(name, default) for name, default in defaults.items()}
        self.memory: str = own["memory"]
        self.pool: bool = own.get("pool", False)
        if self.memory not in {"episode", "keep"}:
            raise ConfigError(f"memory: {self.memory!r} must be 'episode' or 'keep'")
        if not isinstance(self.pool, bool):
            raise ConfigError(f"pool: {self.pool!r} must be true or false")
        self.pool = own["pool"] = self.pool and self.learns_from_picks
        self.rule: Any = plugins.make(self.rule_class, type(self).__name__, "agent", options)
        files.check_settings(self.rule)
        self.wrapping = Wrapping(**{name: value for name, value in own.items() if name in WRAPPERS})
        self.scaling = GainScaling(*(own[name] for name in ("reward_window", "reward_clip") if name in own))
        self.settings = {name: own[name] for name in defaults}
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
        own = [field.name for field in dataclasses.fields(cls.rule_class)]
        shared = cls.shared if cls.learns_from_picks else ()
        wrappers = [name for name in WRAPPERS if name in cls.own_settings()]
        return (*own, *shared, *wrappers, "verbose", "tensorboard_log")

    @classmethod
    def own_settings(cls) -> dict[str, Any]:
        """The settings that are not the rule's, with their defaults; a rule's field replaces a wrapper's option."""
        wrappers = dataclasses.asdict(cls.wrappers) if cls.wrappers else {}
        fields = {field.name for field in dataclasses.fields(cls.rule_class)}
        return {**cls.shared, **{name: value for name, value in wrappers.items() if name not in fields}}

    def _check_space(self) -> None:
        self.arms = spaces.arms(self.action_space)
        self._mixture = spaces.is_mixture(self.action_space)
        if self.mixes and not self._mixture:
            raise ConfigError(f"action_space: {type(self).__name__} plays mixtures, Box(-1, 1, (K,)), not single tasks")

    def _setup_model(self) -> None:
        self.set_random_seed(self.seed)
        self.policy = self.policy_class(self.observation_space, self.action_space)
        self._remember(self.n_envs)
        if self._memory.reads_env:
            self._request()

    def _remember(self, replicas: int) -> None:
        """Start the memory of N = `replicas`."""
        self._memory: Any = Memory(self.rule, **self._of_memory(replicas))

    def _of_memory(self, replicas: int) -> dict[str, Any]:
        entropy = self.seed if self.seed is not None else int(np.random.SeedSequence().generate_state(1)[0])
        return {
            "scaling": self.scaling,
            "replicas": replicas,
            "arms": self.arms,
            "entropy": entropy,
            "pooled": self.pool,
            "wrapping": self.wrapping,
        }

    def _look(self, observation: Observation) -> None:
        """Take in what the next decision may depend on: nothing, but for contextual rules."""

    def set_random_seed(self, seed: int | None = None) -> None:
        """Seed the draws, the env's next reset, and (as stable-baselines3 does) the global generators."""
        super().set_random_seed(seed)
        if seed is not None:
            self.seed = seed
            if hasattr(self, "_memory"):
                self._memory.reseed(seed)

    def reset_memory(self, replicas: npt.NDArray[np.bool_] | None = None) -> None:
        """Forget what was learned and how gains are scaled.

        Args:
            replicas: (N,) which have begun anew; a pooled memory waits for the last of them. None: all.
        """
        self._memory.restart(replicas)

    def probabilities(self, observation: Observation) -> Floats:
        """(N, K) probability of each task at the next decision; K shares where the agent plays a mixture."""
        self._look(observation)
        chances: Floats = self._memory.probabilities(spaces.rows(self.observation_space, observation) or 1)
        return chances

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
        self._look(observation)
        count = spaces.rows(self.observation_space, observation)
        _, actions = self._decide(count or 1, deterministic=deterministic)
        return (actions[0] if count is None else actions), state

    def _decide(self, count: int, *, deterministic: bool = False) -> tuple[Floats, npt.NDArray[Any]]:
        """The executed propensities (N, K) and the actions."""
        if self._memory.reads_env:
            self._prepare()
        chances = self._memory.probabilities(count)
        if self.mixes:
            self._memory.executed = chances
            return chances, action_of(chances)
        if deterministic:
            arms = chances.argmax(axis=1)
            chances = one_hot(arms, self.arms)
        else:
            arms = draw(chances, self._memory.uniforms(count))
        self._memory.executed = chances
        return chances, (2 * one_hot(arms, self.arms) - 1).astype(np.float32) if self._mixture else arms

    def _prepare(self) -> None:
        """Request the signals that are needed now, and note what the env says of the runs that begin.

        Raises:
            ConfigError: where a wrapper that was asked for needs what the env does not say.
        """
        self._request()
        if not self._memory.wrappers["begun"].all():
            self._receive()
        needed = {"prior": ("weighed", "a prior"), "prune": ("told", "the divergence of each task from the target")}
        for name, (known, what) in needed.items():
            value = getattr(self.wrapping, name)
            if value and not self._memory.wrappers[known].all():
                raise ConfigError(f"{name}: {value} needs {what}, which the reset of this env does not say")

    def _request(self) -> None:
        """Have the env measure what is needed now, and nothing else: it is paid for."""
        needed = self._memory.needs
        if self.env is None or needed == self._requested:
            return
        if not signals.request(self.env, needed) and needed:
            only = needed == self.wrapping.needs
            who = f"guard: {self.wrapping.guard}" if only else f"env: {type(self).__name__}"
            raise ConfigError(f"{who} needs the signals {', '.join(needed)}, and the env has no request_signals")
        self._requested = needed

    def _receive(self) -> None:
        """Hand the memory what the env said of its tasks when it was reset."""
        said = signals.task_figures(signals.reset_infos(self.env), self.arms)
        if said is not None:
            self._memory.receive(said)

    @property
    def pruned(self) -> list[int]:
        """The env's numbers of the tasks that pruning left out of the (first) last run."""
        return self.wrapping.pruned(self._memory.wrappers)[0]

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
                replicas is not the last decision's.
        """
        self._learn_from(actions, rewards, infos)
        if dones.any():
            self._memory.restart(dones, rule=self.memory == "episode")

    def _learn_from(self, actions: npt.NDArray[Any], rewards: npt.NDArray[Any], infos: list[dict[str, Any]]) -> None:
        arms = self._arms_of(actions) if self._mixture else actions
        self._memory.update(arms, signals.gains(infos, rewards, failed=np.nan))
        if self._memory.reads_env:
            epochs = signals.stacked(infos, "epochs", np.zeros((len(infos), self.arms)))
            self._memory.update_wrappers(epochs, signals.measured(infos).get("duel"))

    def _arms_of(self, actions: npt.NDArray[Any]) -> Ints:
        if self.learns_from_picks and not ((actions > -1).sum(axis=1) == 1).all():
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
        if not self.pool and self._memory.replicas != self.env.num_envs:
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
        self._look(self._last_obs)  # type: ignore[arg-type]
        probabilities, actions = self._decide(env.num_envs)
        self.seconds += clock() - begun
        new_obs, rewards, dones, infos = env.step(actions)
        begun = clock()
        self._learn_from(actions, rewards, infos)
        self.seconds += clock() - begun
        self.num_timesteps += env.num_envs
        callback.update_locals(locals())
        if dones.any():
            self._note_episodes(infos, dones, log_interval)  # before the callbacks: what they save is all of the step
        go_on: bool = callback.on_step()
        self._last_obs, self._last_episode_starts = new_obs, dones  # type: ignore[assignment]
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

    def save(self, path: str | Path, exclude: Any = None, include: Any = None) -> None:  # type: ignore[override]
        """Write settings, memory and the state of the random streams as one file (`curriculum_rl.agents.saving`).

        Args:
            path: the file; ".zip" is added where it has no suffix.
            exclude: taken because stable-baselines3's callbacks may pass it; everything is saved.
            include: likewise.
        """
        files.save(self, path)

    @classmethod
    def check_file(cls, path: Any) -> None:
        """See that a file is whole and of this class, without making an agent of it.

        Raises:
            ConfigError: where it is not.
        """
        archive.check_agent(archive.read(path), cls.__name__)

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
        agent: Self = files.load(cls, path, env)
        return agent
