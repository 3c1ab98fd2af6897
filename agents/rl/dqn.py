"""DQN with defaults for runs of tens to hundreds of decisions; stable-baselines3's algorithm, files and all."""

from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import stable_baselines3
import torch
from stable_baselines3.common.policies import BasePolicy

from curriculum_rl.agents.protocol import Observation
from curriculum_rl.agents.rl.equivariant_q import EquivariantQPolicy
from curriculum_rl.agents.rl.options import COMMON
from curriculum_rl.agents.rl.replay import REPLAY, Replaying
from curriculum_rl.agents.rule import one_hot
from curriculum_rl.agents.shell import spaces


class DQN(Replaying, stable_baselines3.DQN):
    """Deep Q-learning: a value for each task, of which the greatest is played; for single picks only.

    Where it differs from stable-baselines3's, besides the defaults of `Replaying`:

    - Each replica tosses its own coin whether to explore: theirs is one coin for all, so that with 32 learners and
      epsilon .05 all of them explore at one step of 20, and none at the other 19.
    - target_update_interval 1,024 segments: theirs of 10,000 is a third of a training. (tau is 1 as theirs.)
    - exploration_fraction .5: half of the training; a tenth of it is over before the buffer says anything.

    Source:
        Mnih et al. (2015), Human-level control through deep reinforcement learning.
    """

    policy_aliases: ClassVar[dict[str, type[BasePolicy]]] = {
        **stable_baselines3.DQN.policy_aliases,
        "EquivariantPolicy": EquivariantQPolicy,
    }
    plays = "task"
    defaults = MappingProxyType(
        {
            **REPLAY,
            "tau": 1.0,
            "target_update_interval": 1024,
            "exploration_fraction": 0.5,
            "exploration_initial_eps": 1.0,
            "exploration_final_eps": 0.05,
            "max_grad_norm": 10.0,
            **COMMON,
        }
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
