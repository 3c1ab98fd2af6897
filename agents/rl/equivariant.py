"""An actor-critic that treats every task alike: permute the tasks, and its probabilities are permuted with them."""

from collections.abc import Callable
from typing import Any

import torch
from gymnasium import spaces as gym_spaces
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from torch import Tensor, nn

from curriculum_rl.agents import spaces
from curriculum_rl.errors import ConfigError


class EquivariantPolicy(ActorCriticPolicy):
    """The same small network looks at every task's features, the mean over all tasks' codes, and the run's features.

    No arm has a number: what was learned of one task holds for each, and nothing can be memorised about a position.
    Wants observations in two parts, `tasks` (K * F,) and `run` (G,): `observation: dict`.

    Source: Zaheer et al. 2017 (Deep Sets, arXiv:1703.06114), section 2.2, for layers of the form f(x_k, mean of x).
    """

    def __init__(
        self, observation_space: Any, action_space: Any, lr_schedule: Any, *, width: int = 64, **options: Any
    ) -> None:
        """Build the network.

        Args:
            observation_space: a Dict of `tasks` and `run`.
            action_space: Discrete(K) or Box(-1, 1, (K,)).
            lr_schedule: of the optimizer.
            width: of the hidden layers.
            options: what else `ActorCriticPolicy` takes.

        Raises:
            ConfigError: for observations in another form.
        """
        self._width = width
        self._arms = spaces.arms(action_space)
        if not is_two_part(observation_space, self._arms):
            raise ConfigError(f"observation: EquivariantPolicy reads 'dict' observations, not {observation_space}")
        options |= {"features_extractor_class": _Parts, "share_features_extractor": True}
        super().__init__(observation_space, action_space, lr_schedule, **options)

    def _build_mlp_extractor(self) -> None:
        parts = self.observation_space.spaces  # type: ignore[attr-defined]
        features = parts["tasks"].shape[0] // self._arms
        self.mlp_extractor = DeepSet(features, parts["run"].shape[0], arms=self._arms, width=self._width)  # type: ignore[assignment]

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


class DeepSet(nn.Module):
    """One number per task for the actor, one code of the whole set for the critic.

    Args:
        features: F of each task.
        run: G of the run.
        arms: K; the weights do not depend on it.
        width: of the codes.
    """

    def __init__(self, features: int, run: int, *, arms: int, width: int) -> None:
        super().__init__()
        self._features, self._run = features, run
        self.latent_dim_pi, self.latent_dim_vf = arms, width
        self.encode = nn.Sequential(nn.Linear(features + run, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh())
        self.compare = nn.Sequential(nn.Linear(2 * width, width), nn.Tanh())
        self.last = nn.Linear(width, 1)
        self.judge = nn.Sequential(nn.Linear(width, width), nn.Tanh())

    @torch.no_grad()
    def start_uniform(self) -> None:
        """Make the logits almost equal, whatever the features are."""
        for parameter in self.last.parameters():
            parameter.mul_(0.01)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(B, K F + G) -> (B, K) logits or means, (B, width)."""
        codes = self._codes(x)
        return self._rates(codes), self.judge(codes.mean(dim=1))

    def forward_actor(self, x: Tensor) -> Tensor:
        """(B, K) logits or means."""
        return self._rates(self._codes(x))

    def forward_critic(self, x: Tensor) -> Tensor:
        """(B, width)."""
        judged: Tensor = self.judge(self._codes(x).mean(dim=1))
        return judged

    def _codes(self, x: Tensor) -> Tensor:
        tasks = x[:, : -self._run].view(len(x), -1, self._features)
        run = x[:, None, -self._run :].expand(-1, tasks.shape[1], -1)
        codes: Tensor = self.encode(torch.cat([tasks, run], dim=2))
        return codes

    def _rates(self, codes: Tensor) -> Tensor:
        mean = codes.mean(dim=1, keepdim=True).expand_as(codes)
        rates: Tensor = self.last(self.compare(torch.cat([codes, mean], dim=2))).squeeze(2)
        return rates


class _Parts(BaseFeaturesExtractor):
    """Both parts side by side, tasks first."""

    def __init__(self, observation_space: gym_spaces.Dict) -> None:
        super().__init__(observation_space, gym_spaces.flatdim(observation_space))

    def forward(self, observation: dict[str, Tensor]) -> Tensor:
        return torch.cat([observation["tasks"], observation["run"]], dim=1)


def is_two_part(observation_space: Any, arms: int) -> bool:
    """Whether observations are a Dict of `tasks` (K * F,) and `run` (G,), K = `arms`."""
    if not isinstance(observation_space, gym_spaces.Dict) or set(observation_space.spaces) != {"tasks", "run"}:
        return False
    size = gym_spaces.flatdim(observation_space["tasks"])
    return size > 0 and size % arms == 0
