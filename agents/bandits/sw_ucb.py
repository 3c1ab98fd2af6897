"""Sliding-window UCB: the best upper confidence limit over the last plays only, so that old news is forgotten."""

from dataclasses import dataclass

import numpy as np

from curriculum_rl.agents.rule import Floats, Ints, State
from curriculum_rl.errors import ConfigError


@dataclass(frozen=True)
class SlidingWindowUCB:
    """Play the task with the highest mean + width * sqrt(log(min(t, window)) / n) over the last `window` plays.

    n is how often the task was played within the window; a task not played in it goes first (drawn evenly where
    there are several, and so are ties). The propensities are therefore 0 and 1 but for ties.

    Source:
        Garivier & Moulines (2011), On upper-confidence bound policies for switching bandit problems, section 3.2;
        width is their B sqrt(xi) for rewards in units of their standard deviation; theory asks for about 1, at
        horizons of 10 K plays .15 has the least regret (`benchmarks/bandits.py`).

    Attributes:
        window: plays remembered, as a multiple of K, > 1: a window below K plays could not hold all tasks.
        width: of the confidence limit, >= 0.
    """

    window: float = 15.0
    width: float = 0.15

    def __post_init__(self) -> None:
        """Check the settings."""
        if not self.window > 1:
            raise ConfigError(f"window: {self.window} times K must be above 1")
        if not self.width >= 0:
            raise ConfigError(f"width: {self.width} must be at least 0")

    def start(self, seeds: int, arms: int) -> State:
        """An empty window: ring buffers of arms and rewards, and their sums per task."""
        length = int(np.ceil(self.window * arms))
        return {
            "arms": np.zeros((seeds, length), np.int64),
            "rewards": np.zeros((seeds, length)),
            "counts": np.zeros((seeds, arms)),
            "sums": np.zeros((seeds, arms)),
            "time": np.zeros(seeds, np.int64),
        }

    def probabilities(self, state: State) -> Floats:
        """(S, K) even over the tasks with the highest index."""
        counts, time = state["counts"], state["time"]
        seen = np.maximum(counts, 1)
        horizon = np.log(np.minimum(np.maximum(time, 1), state["arms"].shape[1]))
        index = state["sums"] / seen + self.width * np.sqrt(horizon[:, None] / seen)
        index[counts == 0] = np.inf
        best: Floats = (index == index.max(axis=1, keepdims=True)).astype(np.float64)
        best /= best.sum(axis=1, keepdims=True)
        return best

    def update(self, state: State, arms: Ints, rewards: Floats, probabilities: Floats) -> None:
        """Let the oldest play go, if the window is full, and add this one."""
        counts, sums, time = state["counts"], state["sums"], state["time"]
        rows = np.arange(len(arms))
        slot = time % state["arms"].shape[1]
        old, full = state["arms"][rows, slot], time >= state["arms"].shape[1]
        counts[rows, old] -= full
        sums[rows, old] -= full * state["rewards"][rows, slot]
        counts[rows, arms] += 1
        sums[rows, arms] += rewards
        state["arms"][rows, slot], state["rewards"][rows, slot] = arms, rewards
        time += 1
