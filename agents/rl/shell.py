"""What all agents with a network share: options, propensities, closing callbacks; a mixin over SB3's classes."""

import time
from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt
from stable_baselines3.common.base_class import maybe_make_env
from stable_baselines3.common.callbacks import BaseCallback, ConvertCallback

from curriculum_rl.agents.protocol import Observation
from curriculum_rl.agents.rl import files
from curriculum_rl.agents.rl.choosing import check_policy, policy_for
from curriculum_rl.agents.rl.networks import check_policy_class, with_classes
from curriculum_rl.agents.rl.options import COMMON, settings_of
from curriculum_rl.agents.rl.savable import Savable
from curriculum_rl.agents.shell import spaces
from curriculum_rl.errors import ConfigError


class _Propensities(BaseCallback):
    """Puts `probabilities` where the other agents put them: into the locals that every callback shares."""

    def _on_step(self) -> bool:
        agent: Any = self.model
        rewards = self.locals["rewards"]
        if not np.isfinite(rewards).all():
            replica = int(np.flatnonzero(~np.isfinite(rewards))[0])
            raise ConfigError(f"reward: {rewards[replica]} from replica {replica}; a network cannot learn from it")
        self.locals["probabilities"] = agent.propensities()
        return True


class Pretrained(Savable):
    """Goes before one of stable-baselines3's algorithms among the bases of an agent.

    Where the defaults of all differ from stable-baselines3's:

    - policy None: `EquivariantPolicy` where observations have the parts `tasks` and `run`, as a `Dict` of
      `curriculum_rl.envs`, which `curriculum-rl train` asks for; else MultiInputPolicy or MlpPolicy.
    - device "cpu": the network is tiny, also where the learner is on a GPU.

    Attributes:
        defaults: what `make` and the constructor take besides `policy`, and its value where it is not given;
            `curriculum_rl.agents.rl.options` says what each means. Where neither the class nor one that it builds on
            says why, they are stable-baselines3's.
        seconds: wall time spent in gradient updates so far; agents with a replay buffer count deciding, too.
        algorithm: the name of the class, kept in the file.
    """

    plays: ClassVar[Literal["any", "task", "mixture"]] = "any"
    known_as: ClassVar[str] = ""  # in messages, where it is not the class's name
    defaults: ClassVar[Mapping[str, Any]] = COMMON
    seconds: float
    algorithm: str

    def __init__(
        self,
        policy: Any = None,
        env: Any = None,
        *,
        seed: int | None = None,
        _init_setup_model: bool = True,
        **options: Any,
    ) -> None:
        """Store the settings as stable-baselines3 does.

        Args:
            policy: a name of `policy_aliases` or a class; None: the one that reads the observations.
            env: a Gymnasium env, a VecEnv, an id, or None for an agent that is about to be loaded.
            seed: of the agent's draws and of the env's resets; None: of the system's choice.
            _init_setup_model: False leaves the networks unbuilt.
            **options: what replaces `defaults`.

        Raises:
            ConfigError: for an unknown option, a value out of range or of which others do not allow, a policy that does
                not read the observations, or an action space that the agent cannot play.
        """
        settings = settings_of(type(self).__name__, self.defaults, options)
        settings["policy_kwargs"] = with_classes(settings["policy_kwargs"] or {})  # stable-baselines3 writes into it
        self.seconds = 0.0
        self.algorithm = type(self).__name__
        policy, env = self._suited(policy, env)
        arguments = self._prepare(settings, policy, env)
        super().__init__(policy, env, seed=seed, _init_setup_model=_init_setup_model, **arguments)  # type: ignore[call-arg]

    def _prepare(self, settings: dict[str, Any], policy: Any, env: Any) -> dict[str, Any]:
        """Keep the settings that are the agent's own, and give those that stable-baselines3's constructor takes.

        Raises:
            ConfigError: for settings that do not fit together.
        """
        return settings

    def _suited(self, policy: Any, env: Any) -> tuple[Any, Any]:
        """The policy, by default the one that reads the env's observations, and the env, made if it was an id.

        Raises:
            ConfigError: where the agent cannot play the env's actions, or the policy cannot read its observations.
        """
        env = maybe_make_env(env, 0) if env is not None else None
        if env is not None:
            self._check_actions(env.action_space)
        policy = policy_for(env, self.policy_aliases) if policy is None else policy
        check_policy(policy, env, self.policy_aliases)
        check_policy_class(policy, self.policy_aliases)
        return policy, env

    def _check_actions(self, space: Any) -> None:
        arms, name = spaces.arms(space), self.known_as or self.algorithm.lower()
        if self.plays == "mixture" and not spaces.is_mixture(space):
            raise ConfigError(f"action_space: {name} plays mixtures, Box(-1, 1, (K,)), not Discrete({arms})")
        if self.plays == "task" and spaces.is_mixture(space):
            raise ConfigError(f"action_space: {name} plays one task at a time, Discrete(K), not mixtures of {arms}")

    @classmethod
    def options(cls) -> tuple[str, ...]:
        """The names of the settings that `make` takes."""
        return ("policy", *cls.defaults)

    def probabilities(self, observation: Observation) -> npt.NDArray[np.float64]:
        """(N, K) probability of each task; in a mixture space the shares of the mean action."""
        raise NotImplementedError

    def propensities(self) -> npt.NDArray[np.float64]:
        """(N, K) probabilities that the decision in progress was drawn from; callbacks find them in their locals."""
        # while callbacks run, `_last_obs` is still the observation that the action was drawn for
        assert self._last_obs is not None  # `learn` made sure
        return self.probabilities(self._last_obs)

    def observe(
        self,
        actions: npt.NDArray[Any],
        rewards: npt.NDArray[Any],
        dones: npt.NDArray[np.bool_],
        infos: list[dict[str, Any]],
    ) -> None:
        """Nothing: a pretrained agent does not learn inside a run."""

    def reset_memory(self, replicas: npt.NDArray[np.bool_] | None = None) -> None:
        """Nothing: a pretrained agent keeps no memory of a run."""

    def train(self, *args: Any, **kwargs: Any) -> None:
        """As stable-baselines3's, timed."""
        begun = time.perf_counter()
        super().train(*args, **kwargs)  # type: ignore[misc]
        self.seconds += time.perf_counter() - begun

    def learn(
        self,
        total_timesteps: int,
        callback: Any = None,
        log_interval: int | None = None,
        tb_log_name: str = "run",
        reset_num_timesteps: bool = True,
        progress_bar: bool = False,
    ) -> Self:
        """As stable-baselines3's, but callbacks also find `probabilities`, and are closed when Ctrl-C ends the call.

        Raises:
            ConfigError: where there is no env, where a reward is not finite, or where the agent could not be saved.
        """
        if self.env is None:
            raise ConfigError("env: None; an agent without an environment can only predict")
        files.check_members(self)
        interval = self._log_interval() if log_interval is None else log_interval
        try:
            return super().learn(  # type: ignore[safe-super]
                total_timesteps, callback, interval, tb_log_name, reset_num_timesteps, progress_bar
            )
        except KeyboardInterrupt:
            self._callback.on_training_end()
            raise

    def _log_interval(self) -> int:
        """How often stable-baselines3 writes its own scalars: after every rollout."""
        return 1

    def _init_callback(self, callback: Any, progress_bar: bool = False) -> BaseCallback:
        given = callback if isinstance(callback, list) else [callback] if callback is not None else []
        made = [one if isinstance(one, BaseCallback) else ConvertCallback(one) for one in given]
        self._callback = super()._init_callback([_Propensities(), *made], progress_bar)
        return self._callback

    def _excluded_save_params(self) -> list[str]:
        return [*super()._excluded_save_params(), "_callback"]
