"""What PPO and A2C share: a rollout, and the distribution that their actor draws from."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch
from stable_baselines3.common.distributions import DiagGaussianDistribution
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm

from curriculum_rl.agents.protocol import Observation
from curriculum_rl.agents.rl.shell import Pretrained
from curriculum_rl.errors import ConfigError
from curriculum_rl.mixtures import shares

ROLLOUT: Mapping[str, Any] = MappingProxyType(
    {
        "learning_rate": 1e-3,
        "n_steps": None,
        "gamma": 1.0,
        "gae_lambda": 0.95,
        "ent_coef": 0.01,
        "vf_coef": 0.5,
        "max_grad_norm": 0.5,
    }
)


class ActorCritic(Pretrained, OnPolicyAlgorithm):
    """Goes before stable-baselines3's PPO or A2C.

    Where the defaults of both differ from stable-baselines3's:

    - gamma 1: an episode is one run and ends, and with rewards that are differences of scores the undiscounted
      return is what is wanted, the final score; a discount would pay for early gains that a later one undoes.
    - gae_lambda .95 bounds the variance; A2C's plain advantages (1) would carry the noise of the whole rollout.
    - learning_rate 1e-3: there are tens to hundreds of updates, not thousands.
    - ent_coef .01: a scheduler that turns to one task too early never learns what the others give later.

    Attributes:
        least_steps: of each replica in a rollout, unless `n_steps` is given.
        least_segments: of all replicas in a rollout, unless `n_steps` is given.
    """

    least_steps: ClassVar[int]
    least_segments: ClassVar[int]

    def _prepare(self, settings: dict[str, Any], policy: Any, env: Any) -> dict[str, Any]:
        """`n_steps` None becomes a number.

        Raises:
            ConfigError: for a rollout of fewer than two segments.
        """
        replicas = getattr(env, "num_envs", 1)
        if settings["n_steps"] is None:
            settings["n_steps"] = max(self.least_steps, self.least_segments // replicas)
        if settings["n_steps"] * replicas < 2:
            raise ConfigError(
                f"n_steps: {settings['n_steps']} of {replicas} replicas must be at least 2 segments together"
            )
        return super()._prepare(settings, policy, env)

    def dump_logs(self, iteration: int = 0) -> None:
        """As stable-baselines3's, but rollouts are counted from the first of all, also where `learn` goes on."""
        super().dump_logs(self.num_timesteps // (self.n_steps * self.n_envs))

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
