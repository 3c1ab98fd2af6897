"""What DQN, SAC and TD3 share: a replay buffer, a warm-up of random actions, and what they drew from."""

import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm

from curriculum_rl.agents.protocol import Observation
from curriculum_rl.agents.rl import buffers
from curriculum_rl.agents.rl.shell import Pretrained
from curriculum_rl.agents.saving import archive
from curriculum_rl.agents.shell import spaces
from curriculum_rl.errors import ConfigError
from curriculum_rl.mixtures import shares

_BUFFER = "replay buffer"
_CONCENTRATION = 0.3  # of the Dirichlet draws of a warm-up

REPLAY: Mapping[str, Any] = MappingProxyType(
    {
        "learning_rate": 1e-3,
        "buffer_size": 32_768,
        "learning_starts": 1024,
        "batch_size": 128,
        "tau": 0.01,
        "gamma": 1.0,
        "train_freq": 1,
        "gradient_steps": 4,
    }
)


class Replaying(Pretrained, OffPolicyAlgorithm):
    """Goes before one of stable-baselines3's algorithms that learn from a replay buffer.

    A file holds no replay buffer: an agent that was loaded learns from what it meets from then on. A run that
    `curriculum-rl train --resume` continues has it, in the checkpoint.

    Where the defaults of all differ from stable-baselines3's:

    - gamma 1: an episode is one run and ends, and the undiscounted sum of its rewards is the final score.
    - buffer_size 32,768: more than a default training has segments; theirs of a million would be gigabytes.
    - learning_starts 1,024 segments (32 runs of 32): a value that was fitted to fewer noisy gains follows their noise.
    - train_freq 1 and gradient_steps 4: one step of the env is N segments, so that 4 steps on batches of 128 use each
      of 32 segments about 16 times; theirs is one gradient step, whatever N is.
    - batch_size 128: a gradient step takes milliseconds on one thread of a CPU; SAC's and TD3's are twice as large.
    - learning_rate 1e-3 and tau .01: there are thousands of gradient steps, not hundreds of thousands.
    """

    def _prepare(self, settings: dict[str, Any], policy: Any, env: Any) -> dict[str, Any]:
        if settings["gradient_steps"] == 0:
            raise ConfigError("gradient_steps: 0 must be at least 1, or -1 for one per segment")
        return super()._prepare(settings, policy, env)

    def propensities(self) -> npt.NDArray[np.float64]:
        """(N, K) probabilities that the decision in progress was drawn from: even in the warm-up."""
        return self._executed

    def _sample_action(
        self, learning_starts: int, action_noise: Any = None, n_envs: int = 1
    ) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        begun = time.perf_counter()
        warm = self.num_timesteps < learning_starts
        if warm:
            arms = spaces.arms(self.action_space)
            self._executed = np.full((n_envs, arms), 1 / arms)
        else:
            self._executed = super().propensities()
        drawn = self._warm_up(n_envs) if warm else super()._sample_action(learning_starts, action_noise, n_envs)
        self.seconds += time.perf_counter() - begun
        return drawn

    def _warm_up(self, count: int) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        """Random actions, as they are played and as they are stored."""
        picks = np.random.randint(spaces.arms(self.action_space), size=count)  # noqa: NPY002 (the generator SB3 seeds)
        return picks, picks

    def _log_interval(self) -> int:
        """After every episode; replicas end theirs together, so once for all of them."""
        return self.n_envs

    def save_replay_buffer(self, path: Any) -> None:
        """Write what the replay buffer holds as one file (`curriculum_rl.agents.saving`), whatever its suffix."""
        archive.write(path, _BUFFER, buffers.describe(self.replay_buffer))

    def load_replay_buffer(self, path: Any, truncate_last_traj: bool = True) -> None:
        """Read what `save_replay_buffer` wrote.

        Args:
            path: the file.
            truncate_last_traj: taken because stable-baselines3 has it; it is about another kind of buffer.

        Raises:
            ConfigError: where it is no such file, or of a buffer of another size or about other observations.
        """
        saved = archive.read(path)
        archive.check_agent(saved, _BUFFER)
        with archive.reading(saved.path):
            buffers.restore(self.replay_buffer, saved.content)

    def _excluded_save_params(self) -> list[str]:
        return [*super()._excluded_save_params(), "_executed"]


class MixtureReplaying(Replaying):
    """Goes before SAC or TD3, which play mixtures."""

    plays = "mixture"

    def _warm_up(self, count: int) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        """Actions of mixtures in which few tasks dominate.

        Uniform actions, stable-baselines3's way, stay near the even mixture, and critics that saw nothing else promise
        wonders of the corners.
        """
        arms = spaces.arms(self.action_space)
        drawn = np.random.dirichlet(np.full(arms, _CONCENTRATION), size=count) * arms  # noqa: NPY002
        actions = (drawn * np.minimum(1, 2 / drawn.max(axis=1, keepdims=True)) - 1).astype(np.float32)
        return actions, actions

    def probabilities(self, observation: Observation) -> npt.NDArray[np.float64]:
        """(N, K) shares of the mean action."""
        with torch.no_grad():
            tensor, _ = self.policy.obs_to_tensor(observation)
            mean = self.policy._predict(tensor, deterministic=True)
        return shares(mean.cpu().numpy())
