"""PPO with defaults for runs of tens to hundreds of decisions; stable-baselines3's algorithm, files and all."""

from typing import Any, ClassVar

import stable_baselines3
from stable_baselines3.common.policies import BasePolicy

from curriculum_rl.agents.rl.actor_critic import ActorCritic
from curriculum_rl.agents.rl.equivariant import EquivariantPolicy
from curriculum_rl.errors import ConfigError


class PPO(ActorCritic, stable_baselines3.PPO):
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
        policy, env = self._suited(policy, env)
        replicas = getattr(env, "num_envs", 1)
        n_steps = max(32, 256 // replicas) if n_steps is None else n_steps
        batch_size = min(512, n_steps * replicas) if batch_size is None else batch_size
        if min(n_steps, batch_size, n_epochs) < 1:
            raise ConfigError(f"n_steps, batch_size, n_epochs: {n_steps}, {batch_size}, {n_epochs} must be at least 1")
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
