"""A Q-network that treats every task alike: permute the tasks, and their values are permuted with them."""

from typing import Any, ClassVar

from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from stable_baselines3.dqn.policies import DQNPolicy, QNetwork
from torch import Tensor, nn

from curriculum_rl.agents.rl.sets import DeepSet, Parts, reading
from curriculum_rl.agents.shell import spaces


class EquivariantQPolicy(DQNPolicy):
    """A value per task from the same set network as PPO's: the value of the set, and what each task adds to it.

    Its weights do not depend on K. Wants observations in two parts, `tasks` (K * F,) and `run` (G,).
    """

    any_number_of_tasks: ClassVar[bool] = True

    def __init__(
        self, observation_space: Any, action_space: Any, lr_schedule: Any, *, width: int = 64, **options: Any
    ) -> None:
        """Build the network and its target.

        Args:
            observation_space: a Dict of `tasks` and `run`.
            action_space: Discrete(K).
            lr_schedule: of the optimizer.
            width: of the hidden layers.
            options: `task_columns` and `run_columns`, the features that are looked at, and what else `DQNPolicy` takes.

        Raises:
            ConfigError: for observations in another form.
        """
        self._width = width
        options = reading("EquivariantPolicy", observation_space, spaces.arms(action_space), options)
        super().__init__(observation_space, action_space, lr_schedule, **options)

    def make_q_net(self) -> QNetwork:
        """One of the two networks."""
        return SetQNetwork(width=self._width, **self._update_features_extractor(self.net_args)).to(self.device)

    def _get_constructor_parameters(self) -> dict[str, Any]:
        return {**super()._get_constructor_parameters(), "width": self._width}


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
