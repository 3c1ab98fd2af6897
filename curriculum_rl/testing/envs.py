"""A toy environment without a language model: K tasks of which one is best, in microseconds a segment.

Try an agent on it::

    env = BanditEnv(arms=5, best=3)
    agent = make("my_pkg.my_mod:MyRule", env, seed=0).learn(600)
    print(agent.probabilities(env.reset()[0]))
"""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import gymnasium as gym
import numpy as np
import numpy.typing as npt
from gymnasium import spaces
from stable_baselines3.common.vec_env import DummyVecEnv

from curriculum_rl.mixtures import shares
from curriculum_rl.plugins import load
from curriculum_rl.signals import SIGNALS

Floats = npt.NDArray[np.float64]
Told = npt.NDArray[np.float32] | dict[str, npt.NDArray[np.float32]]


class BanditEnv(gym.Env[Told, Any]):
    """K tasks of which one is best; gains fall over the episode; `info["gain"]` is 100 times the reward.

    A segment gains level x (1 + share of the best task + noise), and the level falls from 1 to 1/6. It measures every
    signal that is asked for: the best task is aligned with the target and gains most; a signal of your own is noise.

    Args:
        arms: K.
        horizon: segments of an episode.
        best: the number of the best task.
        mixture: whether actions are mixtures, Box(-1, 1, (K,)), not single tasks.
        dict_observation: whether observations have the parts `run` and `tasks`.
        features: whether `tasks` holds two features of every task; then observations have parts, too.
        fail: the segments that fail: their gain is not a number.
        told: by segment, a gain that is told instead.
        noise: its size, in units of the level.
    """

    def __init__(
        self,
        *,
        arms: int = 5,
        horizon: int = 60,
        best: int = 3,
        mixture: bool = False,
        dict_observation: bool = False,
        features: bool = False,
        fail: Collection[int] = (),
        told: Mapping[int, float] | None = None,
        noise: float = 0.3,
    ) -> None:
        box = spaces.Box(-1, 1, (4,), np.float32)
        tasks = spaces.Box(-1, 1, (2 * arms,), np.float32) if features else box
        self.observation_space: Any = box
        if dict_observation or features:
            self.observation_space = spaces.Dict({"run": box, "tasks": tasks})
        self.action_space = spaces.Box(-1, 1, (arms,), np.float32) if mixture else spaces.Discrete(arms)
        self.arms, self.horizon, self.best, self.noise = arms, horizon, best % arms, noise
        self.fail, self.told = fail, dict(told or {})
        self.time = 0
        self.asked: tuple[str, ...] = ()

    def request_signals(self, names: Sequence[str]) -> None:
        """Measure these signals from now on."""
        self.asked = tuple(names)

    def signal_price(self, names: Sequence[str]) -> float:
        """They are free, as there is no budget."""
        return 0.0

    def _signals(self) -> dict[str, Floats]:
        """Of the shapes of `curriculum_rl.signals`."""
        K, draw = self.arms, self.np_random
        towards = np.append(np.eye(K)[self.best], 1.0)
        gradients = 0.1 * (draw.standard_normal((K + 1, 8)) + 3 * towards[:, None])
        made = {
            "heldout_loss": 3 + draw.random(K),
            "products": gradients @ gradients.T,
            "adam_products": gradients @ gradients.T,
            "variance": draw.random(K),
            "look_ahead": 0.1 * (draw.standard_normal(K) + towards[:-1]),
            "rollout": 0.1 * (draw.standard_normal(K) + towards[:-1]),
            "duel": np.asarray(0.1 * draw.standard_normal()),
            "ghost": towards[:-1] + 0.1 * draw.standard_normal(K),
            "transfer": 0.1 * draw.standard_normal((K, K)) + towards[:-1, None],
        }
        others = {name: draw.standard_normal(signal_shape(name, K)) for name in self.asked if name not in made}
        return {name: (made | others)[name] for name in self.asked}

    def _observe(self) -> Told:
        value = np.full(4, self.time / self.horizon, np.float32)
        if isinstance(self.observation_space, spaces.Box):
            return value
        return {"run": value, "tasks": np.resize(value, self.observation_space["tasks"].shape)}

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Told, dict[str, Any]]:
        """Begin an episode."""
        super().reset(seed=seed)
        self.time = 0
        return self._observe(), {}

    def step(self, action: Any) -> tuple[Told, float, bool, bool, dict[str, Any]]:
        """Play a segment; an action outside the space is a mistake."""
        assert self.action_space.contains(action), f"action {action!r} is not in {self.action_space}"
        mixture = isinstance(self.action_space, spaces.Box)
        played = shares(action) if mixture else np.eye(self.arms)[int(action)]
        level = 1 / (1 + 5 * self.time / self.horizon)
        gain = level * (1 + float(played[self.best]) + self.noise * float(self.np_random.standard_normal()))
        failed = self.time in self.fail
        info: dict[str, Any] = {"gain": float("nan") if failed else self.told.get(self.time, gain), "failed": failed}
        self.time += 1
        if self.asked:
            info |= {"signals": self._signals(), "mixture": played}
        return self._observe(), -1.0 if failed else gain / 100, self.time >= self.horizon, False, info


def signal_shape(name: str, arms: int) -> tuple[int, ...]:
    """The shape that a signal's description begins with, `()`, `(K,)`, `(K+1, K+1)` or such, for K = `arms`.

    Args:
        name: a key of `SIGNALS`, or `module:Class`.
        arms: K.

    Raises:
        AssertionError: where it begins with none.
    """
    text = SIGNALS[name] if name in SIGNALS else next(iter(load(name, "signals").measures.values()))
    found = re.match(r"\((|K(\+\d+)?,|(K(\+\d+)?)(, K(\+\d+)?)+)\)", text)
    assert found, f"a description must begin with a shape such as (), (K,) or (K+1, K+1): {text!r}"
    return tuple(arms + int(size[1:] or 0) for size in re.findall(r"K(?:\+\d+)?", found[1]))


def pool(count: int, **options: Any) -> DummyVecEnv:
    """N = `count` of them side by side."""
    return DummyVecEnv([lambda: BanditEnv(**options) for _ in range(count)])
