"""PPO with defaults for runs of tens to hundreds of decisions; stable-baselines3's algorithm, files and all."""

from types import MappingProxyType
from typing import Any, ClassVar

import stable_baselines3
from stable_baselines3.common.policies import BasePolicy

from curriculum_rl.agents.rl.actor_critic import ROLLOUT, ActorCritic
from curriculum_rl.agents.rl.equivariant import EquivariantPolicy
from curriculum_rl.agents.rl.options import COMMON
from curriculum_rl.agents.rule import check


class PPO(ActorCritic, stable_baselines3.PPO):
    """Proximal policy optimisation, pretrained over many runs and then used.

    Where the defaults differ from stable-baselines3's, besides those of `ActorCritic`:

    - n_steps: 32, or as many as make a rollout of 256 segments with few replicas; stable-baselines3's 2,048 steps of
      each replica would be dozens of runs before the first update. batch_size: 512, or the whole rollout.

    Source:
        Schulman et al. (2017), Proximal policy optimization algorithms.
    """

    policy_aliases: ClassVar[dict[str, type[BasePolicy]]] = {
        **stable_baselines3.PPO.policy_aliases,
        "EquivariantPolicy": EquivariantPolicy,
    }

    defaults = MappingProxyType({**ROLLOUT, "batch_size": None, "n_epochs": 10, "clip_range": 0.2, **COMMON})
    least_steps, least_segments = 32, 256

    def _prepare(self, settings: dict[str, Any], policy: Any, env: Any) -> dict[str, Any]:
        settings = super()._prepare(settings, policy, env)
        if settings["batch_size"] is None:
            settings["batch_size"] = min(512, settings["n_steps"] * getattr(env, "num_envs", 1))
        # advantages are scaled by the standard deviation of a batch
        check("batch_size", settings["batch_size"], least=2, whole=True)
        return settings
