"""The loop that all agents without a network share: one shell that makes any rule a stable-baselines3 algorithm."""

import math
import time
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from stable_baselines3.common.utils import safe_mean

from curriculum_rl.agents.rule import Ints
from curriculum_rl.agents.shell import signals
from curriculum_rl.agents.shell.files import SavedPlayer
from curriculum_rl.errors import ConfigError


class Shell(SavedPlayer):
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
    """

    _asked: tuple[str, ...] | None = None  # the signals

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
        gains = np.array([_gain(info, reward) for info, reward in zip(infos, rewards, strict=True)])
        self._memory.update(arms, gains)
        if self._memory.wears:
            epochs = signals.stacked(infos, "epochs", np.zeros((len(infos), self.arms)))
            self._memory.witness(epochs, signals.measured(infos).get("duel"))

    def _setup_model(self) -> None:
        super()._setup_model()
        if self._memory.wears:
            self._ask()

    def _prepare(self) -> None:
        """Ask for the signals that are needed now, and take in what the env said of the runs that begin.

        Raises:
            ConfigError: where a wrapper that was asked for needs what the env does not tell.
        """
        self._ask()
        if not self._memory.worn["begun"].all():
            self._hear()
        if self._memory.worn["told"].all():
            return
        for name in ("prior", "prune"):
            value = getattr(self.wrapping, name)
            if value and value != getattr(self.worn, name):
                raise ConfigError(
                    f"{name}: {value} needs the divergence of each task from the target, which the reset of this env "
                    "does not tell"
                )

    def _ask(self) -> None:
        """Have the env measure what is needed now, and nothing else: it is paid for."""
        needed = self._memory.needs
        if self.env is None or needed == self._asked:
            return
        if not signals.offers_signals(self.env, needed) and needed:
            only = needed == self.wrapping.needs
            who = f"guard: {self.wrapping.guard}" if only else f"env: {type(self).__name__}"
            raise ConfigError(f"{who} needs the signals {', '.join(needed)}, and the env has no request_signals")
        self._asked = needed

    def _hear(self) -> None:
        """Pass on what the env said of its tasks when it was reset."""
        said = signals.divergences(signals.reset_infos(self.env))
        if said is not None:
            self._memory.hear(*said)

    @property
    def pruned(self) -> list[int]:
        """The env's numbers of the tasks that pruning left out of the (first) last run."""
        return self.wrapping.pruned(self._memory.worn)[0]

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


def _gain(info: dict[str, Any], reward: float) -> float:
    """The gain of one replica's segment, nan where the segment failed."""
    return math.nan if info.get("failed") else float(info.get("gain", reward))
