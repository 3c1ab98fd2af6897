"""Sliding-window UCB: the best upper confidence limit over the last plays only, so that old news is forgotten."""

from dataclasses import dataclass

import numpy as np

from curriculum_rl.agents.bandits.ucb1 import upper_limits
from curriculum_rl.agents.rule import Floats, Ints, State, add_plays, greedy
from curriculum_rl.errors import ConfigError


@dataclass(frozen=True)
class SlidingWindowUCB:
    """Play the task with the highest mean + width * sqrt(log(t) / n) over the last `window` decisions.

    t and n are how often all tasks and this one were played within the window; a task not played in it goes first
    (drawn evenly where there are several, and so are ties). The propensities are therefore 0 and 1 but for ties. With
    one play a decision t is the decisions in the window.

    Source:
        Garivier & Moulines (2011), On upper-confidence bound policies for switching bandit problems, section 3.2;
        width is their B sqrt(xi) for rewards in units of their standard deviation; theory asks for about 1, at
        horizons of 10 K plays .15 has the least regret (`benchmarks/bandits.py`).

    Attributes:
        window: decisions remembered, as a multiple of K, > 1: K single plays or fewer could not hold all tasks.
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
        """An empty window of W decisions: (count, sum of rewards) of each task, in a ring by decision and summed up."""
        length = int(np.ceil(self.window * arms))
        return {
            "ring": np.zeros((seeds, length, 2, arms)),
            "window": np.zeros((seeds, 2, arms)),
            "time": np.zeros(seeds, np.int64),
        }

    def probabilities(self, state: State) -> Floats:
        """(S, K) even over the tasks with the highest index."""
        window = state["window"]
        return greedy(upper_limits(window[:, 0], window[:, 1], self.width**2))

    def update(self, state: State, arms: Ints, rewards: Floats, probabilities: Floats) -> None:
        """Let the oldest decision go and add the plays of this one."""
        ring, window, time = state["ring"], state["window"], state["time"]
        rows, slot = np.arange(len(arms)), time % ring.shape[1]
        window -= ring[rows, slot]
        added = np.zeros(window.shape)
        add_plays(added[:, 0], arms, 1.0)
        add_plays(added[:, 1], arms, rewards)
        window += added
        ring[rows, slot] = added
        time += 1
