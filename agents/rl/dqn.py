"""DQN with defaults for runs of tens to hundreds of decisions; stable-baselines3's algorithm, files and all."""

from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import stable_baselines3
import torch
from stable_baselines3.common.policies import BasePolicy

from curriculum_rl.agents.protocol import Observation
from curriculum_rl.agents.rl.equivariant_q import EquivariantQPolicy
from curriculum_rl.agents.rl.replay import Replaying, check_counts, check_gradient_steps
from curriculum_rl.agents.rule import one_hot
from curriculum_rl.agents.shell import spaces


class DQN(Replaying, stable_baselines3.DQN):
    """Deep Q-learning: a value for each task, of which the greatest is played; for single picks only.

    Where it differs from stable-baselines3's:

    - gamma 1: an episode is one run and ends, and the undiscounted sum of its rewards is the final score.
    - Each replica tosses its own coin whether to explore: theirs is one coin for all, so that with 32 learners and
      epsilon .05 all of them explore at one step of 20, and none at the other 19.
    - buffer_size 32,768: more than a default training has segments; theirs of a million would be gigabytes.
    - learning_starts 1,024 segments (32 runs of 32): a Q-network fitted to fewer noisy gains follows their noise.
    - train_freq 1 and gradient_steps 4: one step of the env is N segments, so that 4 steps on batches of 128 use each
      of 32 segments about 16 times; theirs is one step on 32 every 4 segments.
    - target_update_interval 1,024 segments: theirs of 10,000 is a third of a training.
    - exploration_fraction .5: half of the training; a tenth of it is over before the buffer says anything.
    - learning_rate 1e-3: there are thousands of gradient steps, not millions.
    - device "cpu": the network is tiny, also where the learner is on a GPU.
    - policy: `EquivariantQPolicy` where observations have two parts.

    Source:
        Mnih et al. (2015), Human-level control through deep reinforcement learning.
    """

    policy_aliases: ClassVar[dict[str, type[BasePolicy]]] = {
        **stable_baselines3.DQN.policy_aliases,
        "EquivariantPolicy": EquivariantQPolicy,
    }
    plays = "task"

    def __init__(
        self,
        policy: Any = None,
        env: Any = None,
        learning_rate: Any = 1e-3,
        buffer_size: int = 32_768,
        learning_starts: int = 1024,
        batch_size: int = 128,
        tau: float = 1.0,
        gamma: float = 1.0,
        train_freq: int = 1,
        gradient_steps: int = 4,
        target_update_interval: int = 1024,
        exploration_fraction: float = 0.5,
        exploration_initial_eps: float = 1.0,
        exploration_final_eps: float = 0.05,
        max_grad_norm: float = 10.0,
        policy_kwargs: dict[str, Any] | None = None,
        tensorboard_log: str | None = None,
        verbose: int = 0,
        seed: int | None = None,
        device: Any = "cpu",
        _init_setup_model: bool = True,
    ) -> None:
        """Store the settings as stable-baselines3 does; `policy` None picks the one for the observations.

        Raises:
            ConfigError: for a number out of range, a policy that does not read the observations, or mixtures.
        """
        check_counts(buffer_size=buffer_size, batch_size=batch_size, train_freq=train_freq)
        check_gradient_steps(gradient_steps, learning_starts)
        policy, env = self._suited(policy, env)
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
            target_update_interval=target_update_interval,
            exploration_fraction=exploration_fraction,
            exploration_initial_eps=exploration_initial_eps,
            exploration_final_eps=exploration_final_eps,
            max_grad_norm=max_grad_norm,
            policy_kwargs=policy_kwargs,
            tensorboard_log=tensorboard_log,
            verbose=verbose,
            seed=seed,
            device=device,
            _init_setup_model=_init_setup_model,
        )

    def probabilities(self, observation: Observation, *, deterministic: bool = False) -> npt.NDArray[np.float64]:
        """(N, K) probability of each task: epsilon / K, and the rest on the most valuable one.

        Args:
            observation: a batch of N, or one.
            deterministic: of the greedy choice instead, epsilon 0.
        """
        with torch.no_grad():
            tensor, _ = self.policy.obs_to_tensor(observation)
            greedy = self.policy._predict(tensor, deterministic=True).cpu().numpy()
        arms = spaces.arms(self.action_space)
        epsilon = 0.0 if deterministic else self.exploration_rate
        return (1 - epsilon) * one_hot(greedy, arms) + epsilon / arms

    def predict(
        self,
        observation: Observation,
        state: tuple[npt.NDArray[Any], ...] | None = None,
        episode_start: npt.NDArray[np.bool_] | None = None,
        deterministic: bool = False,
    ) -> tuple[npt.NDArray[Any], tuple[npt.NDArray[Any], ...] | None]:
        """The most valuable task; a random one with the present epsilon, unless `deterministic`."""
        greedy, state = self.policy.predict(observation, state, episode_start, deterministic=True)
        if deterministic:
            return greedy, state
        shape = np.shape(greedy)
        explores = np.random.random(shape) < self.exploration_rate  # noqa: NPY002 (the generator SB3 seeds)
        random = np.random.randint(spaces.arms(self.action_space), size=shape)  # noqa: NPY002
        return np.where(explores, random, greedy), state
