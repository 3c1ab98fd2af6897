"""What PPO and A2C share: the distribution that their actor draws from."""

import numpy as np
import numpy.typing as npt
import torch
from stable_baselines3.common.distributions import DiagGaussianDistribution
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm

from curriculum_rl.agents.protocol import Observation
from curriculum_rl.agents.rl.shell import Pretrained
from curriculum_rl.mixtures import shares


class ActorCritic(Pretrained, OnPolicyAlgorithm):
    """Goes before stable-baselines3's PPO or A2C."""

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
