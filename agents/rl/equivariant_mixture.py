"""For mixtures: an actor that treats every task alike, and a critic that ignores their order."""

from collections.abc import Callable
from typing import Any, ClassVar

import torch
from stable_baselines3.common.policies import ContinuousCritic
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from stable_baselines3.sac import policies as sac
from stable_baselines3.td3 import policies as td3
from torch import Tensor, nn

from curriculum_rl.agents.rl.equivariant import Equivariant
from curriculum_rl.agents.rl.mixture_policies import AsMixture
from curriculum_rl.agents.rl.sets import Parts, SetNetwork, rows, shrink


class TaskCodes(SetNetwork):
    """(B, K F + G) -> (B, K, W): a code of each task among the others."""

    def forward(self, x: Tensor) -> Tensor:
        """The codes."""
        return self.compared(self.codes(x))


class PerTask(nn.Linear):
    """(B, K, W) -> (B, K): one number per task, by the same weights."""

    def __init__(self, width: int) -> None:
        super().__init__(width, 1)

    def forward(self, codes: Tensor) -> Tensor:
        """The numbers."""
        return super().forward(codes).squeeze(2)


class SetValue(nn.Module):
    """(B, K F + G + K) -> (B, 1): the value of a mixture, whatever the order of its tasks.

    A task's row holds its features, K times its share (1 is the even mixture, at any K), and the run's features.
    """

    def __init__(self, parts: Parts, *, width: int) -> None:
        super().__init__()
        self._arms, self._features, self._run = parts.arms, parts.features, parts.run
        size = parts.features + 1 + parts.run
        self.encode = nn.Sequential(nn.Linear(size, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh())
        self.judge = nn.Sequential(nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 1))

    def forward(self, x: Tensor) -> Tensor:
        """The value."""
        seen, weights = x[:, : -self._arms], x[:, -self._arms :] + 1
        shares = weights / weights.mean(dim=1, keepdim=True).clamp(min=1e-6)
        table = torch.cat([rows(seen, self._features, self._run), shares[:, :, None]], dim=2)
        value: Tensor = self.judge(self.encode(table).mean(dim=1))
        return value


class SetCritic(ContinuousCritic):
    """stable-baselines3's critics, with set networks in place of their layers."""

    def __init__(self, *, width: int, features_extractor: BaseFeaturesExtractor, **options: Any) -> None:
        super().__init__(features_extractor=features_extractor, **options)
        assert isinstance(features_extractor, Parts)  # the policy asked for it
        for index in range(self.n_critics):
            network = SetValue(features_extractor, width=width)
            self.add_module(f"qf{index}", network)
            self.q_networks[index] = network


class SetActor(td3.Actor):
    """TD3's actor: a logit per task, and the action that stands for their softmax, almost even at the start."""

    def __init__(self, *, width: int, features_extractor: BaseFeaturesExtractor, **options: Any) -> None:
        super().__init__(features_extractor=features_extractor, **options)
        assert isinstance(features_extractor, Parts)  # the policy asked for it
        last = PerTask(width)
        shrink(last)
        self.mu = nn.Sequential(TaskCodes(features_extractor.features, features_extractor.run, width=width), last)
        self.mu.append(AsMixture())


class SetGaussianActor(sac.Actor):
    """SAC's actor: a mean and a log-std per task."""

    def __init__(self, *, width: int, features_extractor: BaseFeaturesExtractor, **options: Any) -> None:
        super().__init__(features_extractor=features_extractor, **options)
        assert isinstance(features_extractor, Parts)  # the policy asked for it
        self.latent_pi = nn.Sequential(TaskCodes(features_extractor.features, features_extractor.run, width=width))
        self.mu = PerTask(width)
        self.log_std = PerTask(width)  # type: ignore[assignment]
        shrink(self.mu)


class _MixturePolicy(Equivariant):
    """What the policies of TD3 and SAC share."""

    actor_class: ClassVar[Callable[..., Any]]
    actor_kwargs: dict[str, Any]
    critic_kwargs: dict[str, Any]

    def make_actor(self, features_extractor: BaseFeaturesExtractor | None = None) -> Any:
        """The actor, or its target."""
        options = self._update_features_extractor(self.actor_kwargs, features_extractor)
        return self.actor_class(width=self._width, **options).to(self.device)

    def make_critic(self, features_extractor: BaseFeaturesExtractor | None = None) -> SetCritic:
        """The critics, or their targets."""
        options = self._update_features_extractor(self.critic_kwargs, features_extractor)
        return SetCritic(width=self._width, **options).to(self.device)


class EquivariantTD3Policy(_MixturePolicy, td3.TD3Policy):
    """For TD3: permute the tasks, and the mixture is permuted with them, its value stays."""

    actor_class = SetActor


class EquivariantSACPolicy(_MixturePolicy, sac.SACPolicy):
    """For SAC; see `EquivariantTD3Policy`."""

    actor_class = SetGaussianActor
