"""A2C with defaults for runs of tens to hundreds of decisions; stable-baselines3's algorithm, files and all."""

from types import MappingProxyType
from typing import ClassVar

import stable_baselines3
from stable_baselines3.common.policies import BasePolicy

from curriculum_rl.agents.rl.actor_critic import ROLLOUT, ActorCritic
from curriculum_rl.agents.rl.equivariant import EquivariantPolicy
from curriculum_rl.agents.rl.options import COMMON


class A2C(ActorCritic, stable_baselines3.A2C):
    """Advantage actor-critic: one gradient step on each rollout; pretrained over many runs and then used.

    Where the defaults differ from stable-baselines3's, besides those of `ActorCritic`:

    - n_steps: 5 as theirs, but as many as make a rollout of 128 segments with few replicas: there is one gradient step
      per rollout, and 5 segments of one learner are too noisy for one.
    - normalize_advantage: gains shrink by orders of magnitude over a run; PPO does the same.
    - use_rms_prop False (Adam): there are hundreds of steps, not hundreds of thousands.

    Source:
        Mnih et al. (2016), Asynchronous methods for deep reinforcement learning; the synchronous form.
    """

    policy_aliases: ClassVar[dict[str, type[BasePolicy]]] = {
        **stable_baselines3.A2C.policy_aliases,
        "EquivariantPolicy": EquivariantPolicy,
    }

    defaults = MappingProxyType({**ROLLOUT, "use_rms_prop": False, "normalize_advantage": True, **COMMON})
    least_steps, least_segments = 5, 128
