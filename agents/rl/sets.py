"""Networks over the set of tasks: permute the tasks, and what is said of each is permuted with them.

Shape letters: B batch, K tasks, F features of a task, G features of the run, W width of the hidden layers.
"""

from collections.abc import Sequence
from numbers import Integral
from typing import Any

import torch
from gymnasium import spaces as gym_spaces
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from torch import Tensor, nn

from curriculum_rl.errors import ConfigError


class Parts(BaseFeaturesExtractor):
    """Both parts of an observation side by side, tasks first: (B, K F + G).

    Args:
        observation_space: a Dict of `tasks` (K * F,) and `run` (G,).
        arms: K.
        task_columns: the features of a task that are looked at; None: all.
        run_columns: those of the run.

    Raises:
        ConfigError: where there is no such feature.
    """

    def __init__(
        self,
        observation_space: gym_spaces.Dict,
        *,
        arms: int,
        task_columns: Sequence[int] | None = None,
        run_columns: Sequence[int] | None = None,
    ) -> None:
        features, run = sizes(observation_space, arms)
        self._whole = features
        self._columns = _columns("task_columns", task_columns, features), _columns("run_columns", run_columns, run)
        self.arms = arms
        self.features = features if self._columns[0] is None else len(self._columns[0])
        self.run = run if self._columns[1] is None else len(self._columns[1])
        super().__init__(observation_space, arms * self.features + self.run)

    def forward(self, observation: dict[str, Tensor]) -> Tensor:
        """Of a batch of observations."""
        tasks, run = observation["tasks"], observation["run"]
        if self._columns[0] is not None:
            tasks = tasks.view(len(tasks), self.arms, self._whole)[:, :, self._columns[0]].flatten(1)
        if self._columns[1] is not None:
            run = run[:, self._columns[1]]
        return torch.cat([tasks, run], dim=1)


class SetNetwork(nn.Module):
    """The same small network for every task: its features and the run's, then its code beside the mean code.

    Source: Zaheer et al. 2017 (Deep Sets, arXiv:1703.06114), section 2.2, for layers of the form f(x_k, mean of x).

    Args:
        features: F.
        run: G.
        width: W.
    """

    def __init__(self, features: int, run: int, *, width: int) -> None:
        super().__init__()
        self._features, self._run = features, run
        self.encode = nn.Sequential(nn.Linear(features + run, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh())
        self.compare = nn.Sequential(nn.Linear(2 * width, width), nn.Tanh())

    def codes(self, x: Tensor) -> Tensor:
        """(B, K F + G) -> (B, K, W), of each task alone."""
        codes: Tensor = self.encode(rows(x, self._features, self._run))
        return codes

    def compared(self, codes: Tensor) -> Tensor:
        """(B, K, W) -> (B, K, W), of each task among the others."""
        mean = codes.mean(dim=1, keepdim=True).expand_as(codes)
        compared: Tensor = self.compare(torch.cat([codes, mean], dim=2))
        return compared


class DeepSet(SetNetwork):
    """One number per task for the actor, one code of the whole set for the critic.

    Args:
        features: F.
        run: G.
        arms: K; the weights do not depend on it.
        width: W.
    """

    def __init__(self, features: int, run: int, *, arms: int, width: int) -> None:
        super().__init__(features, run, width=width)
        self.latent_dim_pi, self.latent_dim_vf = arms, width
        self.last = nn.Linear(width, 1)
        self.judge = nn.Sequential(nn.Linear(width, width), nn.Tanh())

    def start_uniform(self) -> None:
        """Make the logits almost equal, whatever the features are."""
        shrink(self.last)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(B, K F + G) -> (B, K) logits or means, (B, W)."""
        codes = self.codes(x)
        return self._rates(codes), self.judge(codes.mean(dim=1))

    def forward_actor(self, x: Tensor) -> Tensor:
        """(B, K) logits or means."""
        return self._rates(self.codes(x))

    def forward_critic(self, x: Tensor) -> Tensor:
        """(B, W)."""
        judged: Tensor = self.judge(self.codes(x).mean(dim=1))
        return judged

    def _rates(self, codes: Tensor) -> Tensor:
        rates: Tensor = self.last(self.compared(codes)).squeeze(2)
        return rates


def rows(x: Tensor, features: int, run: int) -> Tensor:
    """(B, K F + G) -> (B, K, F + G): each task's features and the run's."""
    tasks = x[:, : x.shape[1] - run].view(len(x), -1, features)
    repeated = x[:, None, x.shape[1] - run :].expand(-1, tasks.shape[1], -1)
    return torch.cat([tasks, repeated], dim=2)


@torch.no_grad()
def shrink(layer: nn.Module) -> None:
    """Make a layer's output almost 0, whatever goes in."""
    for parameter in layer.parameters():
        parameter.mul_(0.01)


def is_two_part(observation_space: Any, arms: int) -> bool:
    """Whether observations are a Dict of `tasks` (K * F,) and `run` (G,), K = `arms`."""
    if not isinstance(observation_space, gym_spaces.Dict) or set(observation_space.spaces) != {"tasks", "run"}:
        return False
    size = gym_spaces.flatdim(observation_space["tasks"])
    return size > 0 and size % arms == 0


def sizes(observation_space: gym_spaces.Dict, arms: int) -> tuple[int, int]:
    """F and G of observations in two parts."""
    return gym_spaces.flatdim(observation_space["tasks"]) // arms, gym_spaces.flatdim(observation_space["run"])


def _is_whole(number: Any) -> bool:
    return isinstance(number, Integral) and not isinstance(number, bool)


def _columns(name: str, wanted: Sequence[int] | None, there: int) -> list[int] | None:
    if wanted is None:
        return None
    if not wanted or not all(_is_whole(one) and 0 <= one < there for one in wanted):
        raise ConfigError(f"{name}: {list(wanted)} must be numbers from 0 to {there - 1}")
    return list(wanted)
