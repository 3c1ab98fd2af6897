"""SAC with defaults for runs of tens to hundreds of decisions; stable-baselines3's algorithm, files and all."""

from typing import Any, ClassVar

import stable_baselines3
from stable_baselines3.common.policies import BasePolicy

from curriculum_rl.agents.rl.equivariant_mixture import EquivariantSACPolicy
from curriculum_rl.agents.rl.replay import MixtureReplaying, check_counts, check_gradient_steps
from curriculum_rl.agents.shell import spaces


class SAC(MixtureReplaying, stable_baselines3.SAC):
    """Soft actor-critic: a stochastic mixture, paid for its entropy, too; for mixtures only.

    Where the defaults differ from stable-baselines3's:

    - gamma 1: an episode is one run and ends, and the undiscounted sum of its rewards is the final score.
    - buffer_size 32,768: more than a default training has segments; theirs of a million would be gigabytes.
    - learning_starts 1,024 segments (32 runs of 32): critics fitted to fewer follow their noise. Their mixtures are
      Dirichlet draws in which few tasks dominate; uniform actions stay near the even mixture, and critics that saw
      nothing else promise wonders of the corners.
    - gradient_steps 4: one step of the env is N segments; theirs is one gradient step for all of them.
    - batch_size 128: half of theirs, for speed; a gradient step takes milliseconds on one thread of a CPU.
    - ent_coef "auto_0.001": rewards are tenths of a percent a segment; a start at 1 pays more for the entropy of one
      segment than for the whole run.
    - learning_rate 1e-3 and tau .01: there are thousands of gradient steps, not hundreds of thousands.
    - device "cpu": the network is tiny, also where the learner is on a GPU.
    - policy: `EquivariantSACPolicy` where observations have two parts.

    Source:
        Haarnoja et al. (2018), Soft actor-critic algorithms and applications; target entropy -K as there.
    """

    policy_aliases: ClassVar[dict[str, type[BasePolicy]]] = {
        **stable_baselines3.SAC.policy_aliases,
        "EquivariantPolicy": EquivariantSACPolicy,
    }

    def __init__(
        self,
        policy: Any = None,
        env: Any = None,
        learning_rate: Any = 1e-3,
        buffer_size: int = 32_768,
        learning_starts: int = 1024,
        batch_size: int = 128,
        tau: float = 0.01,
        gamma: float = 1.0,
        train_freq: int = 1,
        gradient_steps: int = 4,
        ent_coef: str | float = "auto_0.001",
        target_entropy: str | float = "auto",
        policy_kwargs: dict[str, Any] | None = None,
        tensorboard_log: str | None = None,
        verbose: int = 0,
        seed: int | None = None,
        device: Any = "cpu",
        _init_setup_model: bool = True,
    ) -> None:
        """Store the settings as stable-baselines3 does; `policy` None picks the one for the observations.

        Raises:
            ConfigError: for a number out of range, a policy that does not read the observations, or single tasks.
        """
        check_counts(buffer_size=buffer_size, batch_size=batch_size, train_freq=train_freq)
        check_gradient_steps(gradient_steps, learning_starts)
        policy, env = self._suited(policy, env)
        self._entropy_per_task = target_entropy == "auto"
        super().__init__(
            policy,
            env,
            learning_rate=learning_rate,
            buffer_size=buffer_size,
            learning_starts=learning_starts,
            batch_size=batch_size,
            tau=tau,
            gamma=gamma,
            train_freq=train_freq,
            gradient_steps=gradient_steps,
            ent_coef=ent_coef,
            target_entropy=target_entropy,
            policy_kwargs=policy_kwargs,
            tensorboard_log=tensorboard_log,
            verbose=verbose,
            seed=seed,
            device=device,
            _init_setup_model=_init_setup_model,
        )

    def _setup_model(self) -> None:
        if self._entropy_per_task:
            # an agent may be loaded for another number of tasks
            self.target_entropy = -float(spaces.arms(self.action_space))
        super()._setup_model()
