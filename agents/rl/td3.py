"""TD3 with defaults for runs of tens to hundreds of decisions; stable-baselines3's algorithm, files and all."""

from typing import Any, ClassVar

import numpy as np
import stable_baselines3
from stable_baselines3.common.noise import NormalActionNoise
from stable_baselines3.common.policies import BasePolicy

from curriculum_rl.agents.rl.equivariant_mixture import EquivariantTD3Policy
from curriculum_rl.agents.rl.mixture_policies import MlpMixturePolicy, MultiInputMixturePolicy
from curriculum_rl.agents.rl.replay import MixtureReplaying, check_counts, check_gradient_steps
from curriculum_rl.agents.shell import spaces
from curriculum_rl.errors import ConfigError


class TD3(MixtureReplaying, stable_baselines3.TD3):
    """Twin delayed deep deterministic policy gradient: one mixture per state, and noise to explore; mixtures only.

    Where the defaults differ from stable-baselines3's:

    - gamma 1: an episode is one run and ends, and the undiscounted sum of its rewards is the final score.
    - noise .2: the standard deviation of what is added to an action in training, a fifth of an even share; theirs adds
      nothing, and a deterministic actor then explores nothing.
    - buffer_size 32,768: more than a default training has segments; theirs of a million would be gigabytes.
    - learning_starts 1,024 segments (32 runs of 32): critics fitted to fewer follow their noise. Their mixtures are
      Dirichlet draws in which few tasks dominate; uniform actions stay near the even mixture, and critics that saw
      nothing else promise wonders of the corners.
    - gradient_steps 4: one step of the env is N segments; theirs is one gradient step for all of them.
    - batch_size 128: half of theirs, for speed; a gradient step takes milliseconds on one thread of a CPU.
    - tau .01: there are thousands of gradient steps, not hundreds of thousands. (Theirs of the learning rate, 1e-3, is
      kept.)
    - device "cpu": the network is tiny, also where the learner is on a GPU.
    - policy: `EquivariantTD3Policy` where observations have two parts; all actors end in a softmax, see
      `curriculum_rl.agents.rl.mixture_policies`.

    Source:
        Fujimoto et al. (2018), Addressing function approximation error in actor-critic methods.
    """

    policy_aliases: ClassVar[dict[str, type[BasePolicy]]] = {
        "MlpPolicy": MlpMixturePolicy,
        "MultiInputPolicy": MultiInputMixturePolicy,
        "EquivariantPolicy": EquivariantTD3Policy,
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
        noise: float = 0.2,
        policy_delay: int = 2,
        target_policy_noise: float = 0.2,
        target_noise_clip: float = 0.5,
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
        check_counts(buffer_size=buffer_size, batch_size=batch_size, train_freq=train_freq, policy_delay=policy_delay)
        check_gradient_steps(gradient_steps, learning_starts)
        if not noise >= 0:
            raise ConfigError(f"noise: {noise} must be at least 0")
        policy, env = self._suited(policy, env)
        self.noise = noise
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
            policy_delay=policy_delay,
            target_policy_noise=target_policy_noise,
            target_noise_clip=target_noise_clip,
            policy_kwargs=policy_kwargs,
            tensorboard_log=tensorboard_log,
            verbose=verbose,
            seed=seed,
            device=device,
            _init_setup_model=_init_setup_model,
        )

    def _setup_model(self) -> None:
        # made anew, because an agent may be loaded for another number of tasks or of replicas
        arms = spaces.arms(self.action_space)
        self.action_noise = NormalActionNoise(np.zeros(arms), np.full(arms, self.noise)) if self.noise else None
        super()._setup_model()
