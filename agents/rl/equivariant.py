"""Policies that treat every task alike, permute the tasks and what they say follows: what all share; actor-critics."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Self, cast

import torch
from stable_baselines3.common.policies import ActorCriticPolicy, BasePolicy
from torch import nn

from curriculum_rl.agents.rl import networks, parameters
from curriculum_rl.agents.rl.sets import DeepSet, Parts, is_two_part
from curriculum_rl.agents.saving import archive
from curriculum_rl.agents.shell import spaces
from curriculum_rl.errors import ConfigError

# What a policy's constructor is given by position, or gives itself.
_GIVEN = ("observation_space", "action_space", "lr_schedule", "features_extractor_class", "features_extractor_kwargs")


class Equivariant(BasePolicy):
    """Goes before one of stable-baselines3's policies: it reads observations in two parts, `tasks` and `run`.

    No arm has a number: what was learned of one task holds for each, and nothing can be memorised about a position.
    The weights do not depend on K, so a policy that was trained with 5 tasks plays 9.
    """

    any_number_of_tasks: ClassVar[bool] = True

    def __init__(
        self,
        observation_space: Any,
        action_space: Any,
        lr_schedule: Any,
        *,
        width: int = 64,
        task_columns: Sequence[int] | None = None,
        run_columns: Sequence[int] | None = None,
        **options: Any,
    ) -> None:
        """Build the networks, and their targets where there are any.

        Args:
            observation_space: a Dict of `tasks` (K * F,) and `run` (G,), `observation: dict`.
            action_space: Discrete(K) or Box(-1, 1, (K,)).
            lr_schedule: of the optimizers.
            width: of the hidden layers.
            task_columns: the features of a task that are looked at; None: all.
            run_columns: those of the run.
            **options: what else stable-baselines3's policy takes.

        Raises:
            ConfigError: for observations in another form, or where there is no such feature.
        """
        arms = spaces.arms(action_space)
        if not is_two_part(observation_space, arms):
            raise ConfigError(f"observation: EquivariantPolicy reads 'dict' observations, not {observation_space}")
        self._width = width
        self._columns = {"task_columns": task_columns, "run_columns": run_columns}
        options["features_extractor_class"] = Parts
        options["features_extractor_kwargs"] = {"arms": arms, **self._columns}
        super().__init__(observation_space, action_space, lr_schedule, **options)

    def save(self, path: Any) -> None:
        """Write the policy alone as one file (`curriculum_rl.agents.saving`); stable-baselines3's is a pickle."""
        options = {name: value for name, value in self._get_constructor_parameters().items() if name not in _GIVEN}
        spaces_ = {name: spaces.describe(getattr(self, name)) for name in ("observation_space", "action_space")}
        content = {**spaces_, "options": networks.with_names(options), "states": {"policy": self.state_dict()}}
        archive.write(path, type(self).__name__, content)

    @classmethod
    def load(cls, path: Any, device: Any = "cpu") -> Self:
        """Read what `save` wrote.

        Raises:
            ConfigError: where the file is no such policy.
        """
        saved = archive.read(path)
        archive.check_agent(saved, cls.__name__)
        with archive.reading(saved.path):
            content, made = saved.content, cast(Any, cls)  # the classes that follow it take more
            both = [spaces.from_description(content[name]) for name in ("observation_space", "action_space")]
            options = networks.with_classes(content["options"])
            with parameters.bounded(content):
                policy = made(*both, lambda _: 0.0, **options)
            parameters.restore_network("policy", policy, content["states"]["policy"])
            return cast(Self, policy.to(device))

    def _get_constructor_parameters(self) -> dict[str, Any]:
        return {**super()._get_constructor_parameters(), "width": self._width, **self._columns}


class EquivariantPolicy(Equivariant, ActorCriticPolicy):
    """An actor-critic: the same small network looks at every task's features, the mean of all codes, and the run's.

    Source: Zaheer et al. 2017 (Deep Sets, arXiv:1703.06114), section 2.2, for layers of the form f(x_k, mean of x).
    """

    def _build_mlp_extractor(self) -> None:
        parts = self.features_extractor
        assert isinstance(parts, Parts)  # __init__ asked for it
        self.mlp_extractor = DeepSet(parts.features, parts.run, arms=parts.arms, width=self._width)  # type: ignore[assignment]

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
