"""EXP3.S: exponential weights that share a little of their mass, so that they can follow a best task that changes."""

from dataclasses import dataclass

import numpy as np

from curriculum_rl.agents.rule import Floats, Ints, State, add_plays, of_plays
from curriculum_rl.errors import ConfigError

_SMALLEST = 1e-300  # instead of log(0), where weights underflow; no probability can tell


@dataclass(frozen=True)
class Exp3S:
    """EXP3.S as Graves et al. use it, with settings for runs of hundreds of segments instead of 10^5.

    pi = (1 - exploration) softmax(w) + exploration / K, and after arm k paid r:
    w_i <- log[(1 - a) e^(w_i + step x_i) + a / (K - 1) sum_(j != i) e^(w_j + step x_j)],
    x_i = r 1[i = k] / (pi_i + implicit). Of M plays at one decision x_i is the mean of their estimates: the step is no
    longer than after one play, but less noisy.

    `implicit` keeps one lucky play of a rare task from taking over: with steps large enough for a short run and none
    of it, mean regret on the tuning problems of `benchmarks/bandits.py` is 82 % of uniform's, not 62 %.
    Graves et al.'s own rule is step=1e-3, sharing=None, implicit=0 (100 %).

    Source:
        Auer, Cesa-Bianchi, Freund & Schapire (2002), The nonstochastic multiarmed bandit problem, section 8;
        Graves et al. (2017), Automated curriculum learning for neural networks, section 3.1: step 1e-3,
        exploration .05, a = 1/t. The first update uses t = 2 (at t = 1 all reward would go to the other arms).
        Neu (2015), Explore no more: improved high-probability regret bounds for non-stochastic bandits (implicit).

    Attributes:
        step: the learning rate of the log weights, > 0.
        exploration: the share of uniform play, in (0, 1].
        sharing: a, the mass shared per update, in [0, 1); None for 1/t, t = 2, 3, ...
        implicit: added to propensities before dividing by them, >= 0.
    """

    step: float = 0.3
    exploration: float = 0.05
    sharing: float | None = 0.001
    implicit: float = 0.15

    def __post_init__(self) -> None:
        """Check the settings."""
        if not self.step > 0:
            raise ConfigError(f"step: {self.step} must be above 0")
        if not 0 < self.exploration <= 1:
            raise ConfigError(f"exploration: {self.exploration} must be in (0, 1]")
        if self.sharing is not None and not 0 <= self.sharing < 1:
            raise ConfigError(f"sharing: {self.sharing} must be in [0, 1) or none")
        if not self.implicit >= 0:
            raise ConfigError(f"implicit: {self.implicit} must be at least 0")

    def start(self, seeds: int, arms: int) -> State:
        """Even weights."""
        return {"log_weights": np.zeros((seeds, arms)), "time": np.ones(seeds)}

    def probabilities(self, state: State) -> Floats:
        """(S, K) mixed softmax."""
        weights = np.exp(state["log_weights"])  # no overflow: `update` leaves no log weight above 0
        weights *= (1 - self.exploration) / weights.sum(axis=1, keepdims=True)
        weights += self.exploration / weights.shape[1]
        return weights

    def update(self, state: State, arms: Ints, rewards: Floats, probabilities: Floats) -> None:
        """One EXP3.S step, in log space."""
        log_weights, time = state["log_weights"], state["time"]
        time += 1
        drawn_with = of_plays(probabilities, arms)
        plays = arms.size // len(arms)
        add_plays(log_weights, arms, self.step * rewards / (drawn_with + self.implicit) / plays)
        log_weights -= log_weights.max(axis=1, keepdims=True)
        others = log_weights.shape[1] - 1
        if others == 0 or self.sharing == 0:
            return
        shared = 1 / time[:, None] if self.sharing is None else self.sharing
        weights = np.exp(log_weights)
        rest = weights.sum(axis=1, keepdims=True) - weights
        rest *= shared / others
        weights *= 1 - shared
        weights += rest
        np.log(np.maximum(weights, _SMALLEST, out=weights), out=log_weights)
