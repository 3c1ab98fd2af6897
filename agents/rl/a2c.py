"""A2C with defaults for runs of tens to hundreds of decisions; stable-baselines3's algorithm, files and all."""

from typing import Any, ClassVar

import stable_baselines3
from stable_baselines3.common.policies import BasePolicy

from curriculum_rl.agents.rl.actor_critic import ActorCritic
from curriculum_rl.agents.rl.equivariant import EquivariantPolicy
from curriculum_rl.errors import ConfigError


class A2C(ActorCritic, stable_baselines3.A2C):
    """Advantage actor-critic: one gradient step on each rollout; pretrained over many runs and then used.

    Where the defaults differ from stable-baselines3's:

    - gamma 1: an episode is one run and ends, and the undiscounted sum of its rewards is the final score.
    - gae_lambda .95: with rollouts longer than 5 steps the plain advantages (1) carry the noise of the whole rollout.
    - n_steps: 5 as theirs, but as many as make a rollout of 128 segments with few replicas: there is one gradient step
      per rollout, and 5 segments of one learner are too noisy for one.
    - normalize_advantage: gains shrink by orders of magnitude over a run; PPO does the same.
    - use_rms_prop False (Adam) and learning_rate 1e-3: there are hundreds of steps, not hundreds of thousands.
    - ent_coef .01: a scheduler that turns to one task too early never learns what the others give later.
    - device "cpu": the network is tiny, also where the learner is on a GPU.
    - policy: as for PPO, `EquivariantPolicy` where observations have two parts.

    Source:
        Mnih et al. (2016), Asynchronous methods for deep reinforcement learning; the synchronous form.
    """

    policy_aliases: ClassVar[dict[str, type[BasePolicy]]] = {
        **stable_baselines3.A2C.policy_aliases,
        "EquivariantPolicy": EquivariantPolicy,
    }

    def __init__(
        self,
        policy: Any = None,
        env: Any = None,
        learning_rate: Any = 1e-3,
        n_steps: int | None = None,
        gamma: float = 1.0,
        gae_lambda: float = 0.95,
        ent_coef: float = 0.01,
        vf_coef: float = 0.5,
        max_grad_norm: float = 0.5,
        use_rms_prop: bool = False,
        normalize_advantage: bool = True,
        policy_kwargs: dict[str, Any] | None = None,
        tensorboard_log: str | None = None,
        verbose: int = 0,
        seed: int | None = None,
        device: Any = "cpu",
        _init_setup_model: bool = True,
    ) -> None:
        """Store the settings as stable-baselines3 does; `policy` None picks the one for the observations.

        Raises:
            ConfigError: for a rollout of fewer than two segments, a policy that does not read the observations, or an
                action space that is neither tasks nor mixtures.
        """
        policy, env = self._suited(policy, env)
        replicas = getattr(env, "num_envs", 1)
        n_steps = max(5, 128 // replicas) if n_steps is None else n_steps
        if n_steps < 1 or n_steps * replicas < 2:
            raise ConfigError(f"n_steps: {n_steps} of {replicas} replicas must be at least 2 segments together")
        super().__init__(
            policy,
            env,
            learning_rate=learning_rate,
            n_steps=n_steps,
            gamma=gamma,
            gae_lambda=gae_lambda,
            ent_coef=ent_coef,
            vf_coef=vf_coef,
            max_grad_norm=max_grad_norm,
            use_rms_prop=use_rms_prop,
            normalize_advantage=normalize_advantage,
            policy_kwargs=policy_kwargs,
            tensorboard_log=tensorboard_log,
            verbose=verbose,
            seed=seed,
            device=device,
            _init_setup_model=_init_setup_model,
        )
