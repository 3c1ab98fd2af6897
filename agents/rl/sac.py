"""SAC with defaults for runs of tens to hundreds of decisions; stable-baselines3's algorithm, files and all."""

from types import MappingProxyType
from typing import Any, ClassVar

import stable_baselines3
from stable_baselines3.common.policies import BasePolicy

from curriculum_rl.agents.rl.equivariant_mixture import EquivariantSACPolicy
from curriculum_rl.agents.rl.options import COMMON
from curriculum_rl.agents.rl.replay import REPLAY, MixtureReplaying
from curriculum_rl.agents.shell import spaces


class SAC(MixtureReplaying, stable_baselines3.SAC):
    """Soft actor-critic: a stochastic mixture, paid for its entropy, too; for mixtures only.

    Where the defaults differ from stable-baselines3's, besides those of `Replaying`:

    - ent_coef "auto_0.001": rewards are tenths of a percent a segment; a start at 1 pays more for the entropy of one
      segment than for the whole run.

    Source:
        Haarnoja et al. (2018), Soft actor-critic algorithms and applications; target entropy -K as there.
    """

    policy_aliases: ClassVar[dict[str, type[BasePolicy]]] = {
        **stable_baselines3.SAC.policy_aliases,
        "EquivariantPolicy": EquivariantSACPolicy,
    }

    defaults = MappingProxyType({**REPLAY, "ent_coef": "auto_0.001", "target_entropy": "auto", **COMMON})

    def _prepare(self, settings: dict[str, Any], policy: Any, env: Any) -> dict[str, Any]:
        self._entropy_per_task = settings["target_entropy"] == "auto"
        return super()._prepare(settings, policy, env)

    def _setup_model(self) -> None:
        if self._entropy_per_task:
            # an agent may be loaded for another number of tasks
            self.target_entropy = -float(spaces.arms(self.action_space))
        super()._setup_model()
