"""An actor-critic that treats every task alike: permute the tasks, and its probabilities are permuted with them."""

from collections.abc import Callable
from typing import Any, ClassVar

import torch
from stable_baselines3.common.policies import ActorCriticPolicy
from torch import nn

from curriculum_rl.agents.rl.sets import DeepSet, Parts, reading
from curriculum_rl.agents.shell import spaces


class EquivariantPolicy(ActorCriticPolicy):
    """The same small network looks at every task's features, the mean over all tasks' codes, and the run's features.

    No arm has a number: what was learned of one task holds for each, and nothing can be memorised about a position.
    The weights do not depend on K, so a policy that was trained with 5 tasks plays 9.
    Wants observations in two parts, `tasks` (K * F,) and `run` (G,): `observation: dict`.

    Source: Zaheer et al. 2017 (Deep Sets, arXiv:1703.06114), section 2.2, for layers of the form f(x_k, mean of x).
    """

    any_number_of_tasks: ClassVar[bool] = True

    def __init__(
        self, observation_space: Any, action_space: Any, lr_schedule: Any, *, width: int = 64, **options: Any
    ) -> None:
        """Build the network.

        Args:
            observation_space: a Dict of `tasks` and `run`.
            action_space: Discrete(K) or Box(-1, 1, (K,)).
            lr_schedule: of the optimizer.
            width: of the hidden layers.
            options: `task_columns` and `run_columns`, the features that are looked at, and what else
                `ActorCriticPolicy` takes.

        Raises:
            ConfigError: for observations in another form.
        """
        self._width = width
        arms = spaces.arms(action_space)
        options = reading("EquivariantPolicy", observation_space, arms, options) | {"share_features_extractor": True}
        super().__init__(observation_space, action_space, lr_schedule, **options)

    def _build_mlp_extractor(self) -> None:
        parts = self.features_extractor
        assert isinstance(parts, Parts)  # __init__ asked for it
        self.mlp_extractor = DeepSet(parts.features, parts.run, arms=parts.arms, width=self._width)  # type: ignore[assignment]

    def _get_constructor_parameters(self) -> dict[str, Any]:
        return {**super()._get_constructor_parameters(), "width": self._width}

    def _build(self, lr_schedule: Callable[[float], float]) -> None:
        super()._build(lr_schedule)
        self.mlp_extractor.start_uniform()  # type: ignore[operator]
        # The extractor's output is one number per task already; a matrix over tasks would not be equivariant.
        self.action_net = nn.Identity()
        if hasattr(self, "log_std"):
            self.log_std = nn.Parameter(torch.full((1,), self.log_std_init))
        self.optimizer = self.optimizer_class(
            self.parameters(),
            lr=lr_schedule(1),  # type: ignore[call-arg]
            **self.optimizer_kwargs,
        )
