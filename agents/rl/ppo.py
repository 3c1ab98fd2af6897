"""PPO with defaults for runs of tens to hundreds of decisions; stable-baselines3's algorithm, files and all."""

import inspect
import time
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import stable_baselines3
import torch
from gymnasium import spaces as gym_spaces
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.distributions import DiagGaussianDistribution
from stable_baselines3.common.policies import BasePolicy

from curriculum_rl.agents import spaces
from curriculum_rl.agents.protocol import Observation
from curriculum_rl.agents.rl.equivariant import EquivariantPolicy, is_two_part
from curriculum_rl.errors import ConfigError
from curriculum_rl.mixtures import shares


class _Propensities(BaseCallback):
    """Puts `probabilities` where the other agents put them: into the locals that every callback shares."""

    def _on_step(self) -> bool:
        agent: Any = self.model
        # at this moment `_last_obs` is still the observation that the action was drawn for
        self.locals["probabilities"] = agent.probabilities(agent._last_obs)
        return True


class PPO(stable_baselines3.PPO):
    """Proximal policy optimisation, pretrained over many runs and then used.

    Where the defaults differ from stable-baselines3's:

    - gamma 1: an episode is one run and ends, and with rewards that are differences of scores the undiscounted
      return is what is wanted, the final score; a discount would pay for early gains that a later one undoes.
      gae_lambda .95 still bounds the variance.
    - n_steps: 32, or as many as make a rollout of 256 segments with few replicas; stable-baselines3's 2,048 steps of
      each replica would be dozens of runs before the first update. batch_size: 512, or the whole rollout.
    - learning_rate 1e-3: there are tens of updates, not thousands.
    - ent_coef .01: a scheduler that turns to one task too early never learns what the others give later.
    - device "cpu": the network is tiny, also where the learner is on a GPU.

    - policy: `EquivariantPolicy` where observations have the parts `tasks` and `run`, as a `Dict` of
      `curriculum_rl.envs`; else MultiInputPolicy or MlpPolicy. `curriculum-rl train` asks for such observations.

    Source:
        Schulman et al. (2017), Proximal policy optimization algorithms.

    Attributes:
        seconds: wall time spent in gradient updates and in reporting propensities so far.
    """

    policy_aliases: ClassVar[dict[str, type[BasePolicy]]] = {
        **stable_baselines3.PPO.policy_aliases,
        "EquivariantPolicy": EquivariantPolicy,
    }

    def __init__(
        self,
        policy: Any = None,
        env: Any = None,
        learning_rate: Any = 1e-3,
        n_steps: int | None = None,
        batch_size: int | None = None,
        n_epochs: int = 10,
        gamma: float = 1.0,
        gae_lambda: float = 0.95,
        clip_range: Any = 0.2,
        ent_coef: float = 0.01,
        vf_coef: float = 0.5,
        max_grad_norm: float = 0.5,
        policy_kwargs: dict[str, Any] | None = None,
        tensorboard_log: str | None = None,
        verbose: int = 0,
        seed: int | None = None,
        device: Any = "cpu",
        _init_setup_model: bool = True,
    ) -> None:
        """Store the settings as stable-baselines3 does; `policy` None picks the one for the observations.

        Raises:
            ConfigError: where the numbers do not fit together, the policy does not read the observations, or the action
                space is neither tasks nor mixtures.
        """
        self.seconds = 0.0
        replicas = getattr(env, "num_envs", 1)
        n_steps = max(32, 256 // replicas) if n_steps is None else n_steps
        batch_size = min(512, n_steps * replicas) if batch_size is None else batch_size
        if min(n_steps, batch_size, n_epochs) < 1:
            raise ConfigError(f"n_steps, batch_size, n_epochs: {n_steps}, {batch_size}, {n_epochs} must be at least 1")
        policy = _policy_for(env) if policy is None else policy
        self._check_policy(policy, env)
        super().__init__(
            policy,
            env,
            learning_rate=learning_rate,
            n_steps=n_steps,
            batch_size=batch_size,
            n_epochs=n_epochs,
            gamma=gamma,
            gae_lambda=gae_lambda,
            clip_range=clip_range,
            ent_coef=ent_coef,
            vf_coef=vf_coef,
            max_grad_norm=max_grad_norm,
            policy_kwargs=policy_kwargs,
            tensorboard_log=tensorboard_log,
            verbose=verbose,
            seed=seed,
            device=device,
            _init_setup_model=_init_setup_model,
        )
        if env is not None:
            spaces.arms(self.action_space)

    def _check_policy(self, policy: Any, env: Any) -> None:
        if not isinstance(policy, str):
            return
        if policy not in self.policy_aliases:
            raise ConfigError(f"policy: {policy!r} is not one of {', '.join(self.policy_aliases)}")
        parts = isinstance(getattr(env, "observation_space", None), gym_spaces.Dict)
        if env is not None and parts == (policy in ("MlpPolicy", "CnnPolicy")):
            kind = "a Dict" if parts else "one array"
            raise ConfigError(f"policy: {policy!r} cannot read observations that are {kind} (the key `observation`)")

    @classmethod
    def options(cls) -> tuple[str, ...]:
        """The names of the settings that `make` takes."""
        hidden = {"self", "env", "seed", "_init_setup_model"}
        return tuple(name for name in inspect.signature(cls.__init__).parameters if name not in hidden)

    def probabilities(self, observation: Observation) -> npt.NDArray[np.float64]:
        """(N, K) probability of each task; in a mixture space the shares of the mean action."""
        with torch.no_grad():
            tensor, _ = self.policy.obs_to_tensor(observation)
            distribution = self.policy.get_distribution(tensor)
        if isinstance(distribution, DiagGaussianDistribution):
            return shares(distribution.distribution.mean.cpu().numpy())
        logits: torch.Tensor = distribution.distribution.logits  # type: ignore[union-attr]
        values: npt.NDArray[np.float64] = torch.softmax(logits.double(), dim=-1).cpu().numpy()
        return values

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

    def train(self) -> None:
        """One PPO update, timed."""
        begun = time.perf_counter()
        super().train()
        self.seconds += time.perf_counter() - begun

    def learn(
        self,
        total_timesteps: int,
        callback: Any = None,
        log_interval: int = 1,
        tb_log_name: str = "run",
        reset_num_timesteps: bool = True,
        progress_bar: bool = False,
    ) -> Self:
        """As stable-baselines3's, but callbacks also find `probabilities`, and are closed when Ctrl-C ends the call."""
        try:
            return super().learn(
                total_timesteps, callback, log_interval, tb_log_name, reset_num_timesteps, progress_bar
            )
        except KeyboardInterrupt:
            self._callback.on_training_end()
            raise

    @classmethod
    def load(cls, path: Any, env: Any = None, device: Any = "cpu", **kwargs: Any) -> Self:  # type: ignore[override]
        """As stable-baselines3's, on the CPU unless told otherwise.

        Raises:
            ConfigError: where the file is no agent that stable-baselines3 saved, or the env has other spaces.
        """
        try:
            return super().load(path, env, device, **kwargs)
        except (OSError, ValueError, KeyError, AssertionError) as error:
            raise ConfigError(f"path: cannot load a PPO agent from {path}: {error}") from error

    def _init_callback(self, callback: Any, progress_bar: bool = False) -> BaseCallback:
        given = callback if isinstance(callback, list) else [callback] if callback is not None else []
        self._callback = super()._init_callback([_Propensities(), *given], progress_bar)
        return self._callback

    def _excluded_save_params(self) -> list[str]:
        return [*super()._excluded_save_params(), "_callback"]


def _policy_for(env: Any) -> Any:
    """The policy that reads an env's observations."""
    space = getattr(env, "observation_space", None)
    if space is not None and is_two_part(space, spaces.arms(env.action_space)):
        return EquivariantPolicy
    return "MultiInputPolicy" if isinstance(space, gym_spaces.Dict) else "MlpPolicy"
