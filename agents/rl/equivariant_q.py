"""A Q-network that treats every task alike: permute the tasks, and their values are permuted with them."""

from typing import Any

from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from stable_baselines3.dqn.policies import DQNPolicy, QNetwork
from torch import Tensor, nn

from curriculum_rl.agents.rl.equivariant import Equivariant
from curriculum_rl.agents.rl.sets import DeepSet, Parts


class EquivariantQPolicy(Equivariant, DQNPolicy):
    """A value per task from the same set network as PPO's: the value of the set, and what each task adds to it."""

    def make_q_net(self) -> QNetwork:
        """One of the two networks."""
        return SetQNetwork(width=self._width, **self._update_features_extractor(self.net_args)).to(self.device)


class SetQNetwork(QNetwork):
    """stable-baselines3's, with a dueling set network in place of its layers."""

    def __init__(self, *, width: int, features_extractor: BaseFeaturesExtractor, **options: Any) -> None:
        super().__init__(features_extractor=features_extractor, **options)
        assert isinstance(features_extractor, Parts)  # the policy asked for it
        self.q_net = nn.Sequential(DuelingSet(features_extractor, width=width))


class DuelingSet(nn.Module):
    """(B, K F + G) -> (B, K): V of the set + A of each task - mean A.

    Source: Wang et al. 2016 (Dueling network architectures, arXiv:1511.06581), equation 9.
    """

    def __init__(self, parts: Parts, *, width: int) -> None:
        super().__init__()
        self.tasks = DeepSet(parts.features, parts.run, arms=parts.arms, width=width)
        self.tasks.start_uniform()
        self.value = nn.Linear(width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """The values."""
        added, code = self.tasks(x)
        values: Tensor = self.value(code) + added - added.mean(dim=1, keepdim=True)
        return values
