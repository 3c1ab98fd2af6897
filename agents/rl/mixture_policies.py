"""TD3's policies of stable-baselines3 for mixtures: their actor ends in a softmax."""

from typing import Any

import torch
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from stable_baselines3.td3 import policies
from torch import Tensor, nn


class AsMixture(nn.Module):
    """(B, K) logits -> (B, K) actions that stand for their softmax p: K p - 1, or less where that is above 1.

    The even mixture is 0, the middle of the space, so that noise goes both ways. A tanh per task, stable-baselines3's
    way, ends in corners where its gradient is gone: shares do not change when all a_i + 1 are scaled, so nothing holds
    the actions, and once all are near -1 they are as good as random.
    """

    def forward(self, logits: Tensor) -> Tensor:
        """The actions, in [-1, 1]."""
        weights = torch.softmax(logits, dim=1) * logits.shape[1]
        actions: Tensor = weights * (2 / weights.max(dim=1, keepdim=True).values).clamp(max=1) - 1
        return actions


class MlpMixturePolicy(policies.TD3Policy):
    """For observations that are one array."""

    def make_actor(self, features_extractor: BaseFeaturesExtractor | None = None) -> policies.Actor:
        """The actor, or its target."""
        return _ending_in_a_softmax(super().make_actor(features_extractor))


class MultiInputMixturePolicy(policies.MultiInputPolicy):
    """For observations that are a Dict."""

    def make_actor(self, features_extractor: BaseFeaturesExtractor | None = None) -> policies.Actor:
        """The actor, or its target."""
        return _ending_in_a_softmax(super().make_actor(features_extractor))


def _ending_in_a_softmax(actor: Any) -> policies.Actor:
    actor.mu[-1] = AsMixture()
    made: policies.Actor = actor
    return made
