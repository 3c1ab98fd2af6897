"""TD3 with defaults for runs of tens to hundreds of decisions; stable-baselines3's algorithm, files and all."""

from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
import stable_baselines3
from stable_baselines3.common.noise import NormalActionNoise
from stable_baselines3.common.policies import BasePolicy
from stable_baselines3.td3 import policies

from curriculum_rl.agents.rl.equivariant_mixture import EquivariantTD3Policy
from curriculum_rl.agents.rl.mixture_policies import MlpMixturePolicy, MultiInputMixturePolicy
from curriculum_rl.agents.rl.options import COMMON
from curriculum_rl.agents.rl.replay import REPLAY, MixtureReplaying
from curriculum_rl.agents.shell import spaces


class TD3(MixtureReplaying, stable_baselines3.TD3):
    """Twin delayed deep deterministic policy gradient: one mixture per state, and noise to explore; mixtures only.

    Where the defaults differ from stable-baselines3's, besides those of `Replaying`:

    - noise .2: the standard deviation of what is added to an action in training, a fifth of an even share; theirs adds
      nothing, and a deterministic actor then explores nothing.
    - Actors end in a softmax, see `curriculum_rl.agents.rl.mixture_policies`; theirs are `TanhPolicy` and
      `MultiInputTanhPolicy`.

    Source:
        Fujimoto et al. (2018), Addressing function approximation error in actor-critic methods.
    """

    policy_aliases: ClassVar[dict[str, type[BasePolicy]]] = {
        "MlpPolicy": MlpMixturePolicy,
        "MultiInputPolicy": MultiInputMixturePolicy,
        "EquivariantPolicy": EquivariantTD3Policy,
        "TanhPolicy": policies.MlpPolicy,
        "MultiInputTanhPolicy": policies.MultiInputPolicy,
    }

    defaults = MappingProxyType(
        {
            **REPLAY,
            "noise": 0.2,
            "policy_delay": 2,
            "target_policy_noise": 0.2,
            "target_noise_clip": 0.5,
            **COMMON,
        }
    )

    def _prepare(self, settings: dict[str, Any], policy: Any, env: Any) -> dict[str, Any]:
        self.noise = settings.pop("noise")
        return super()._prepare(settings, policy, env)

    def _setup_model(self) -> None:
        # made anew, because an agent may be loaded for another number of tasks or of replicas
        arms = spaces.arms(self.action_space)
        self.action_noise = NormalActionNoise(np.zeros(arms), np.full(arms, self.noise)) if self.noise else None
        super()._setup_model()
