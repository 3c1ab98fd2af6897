"""TSCL, naive: play a task several times in a row, then learn from the slope of its score over them."""

from dataclasses import dataclass

import numpy as np

from curriculum_rl.agents.bandits.tscl import Teacher, slope_weights
from curriculum_rl.agents.rule import Floats, Ints, State, check, one_hot


@dataclass(frozen=True)
class TsclNaive(Teacher):
    """Choose a task, play it `window` times, then Q <- Q + step (slope - Q).

    Where M replicas share the memory, the first one's pick starts the block; the others' plays of other tasks at that
    one decision are not learned from.

    Source:
        Matiisen et al. (2017), algorithm 3, with bandit feedback (`curriculum_rl.agents.bandits.tscl`).

    Attributes:
        exploration: the share of uniform play where a block starts, in [0, 1].
        temperature: of a softmax over the estimates, > 0; None: the best.
        absolute: choose by the size of the estimate.
        step: how far an estimate moves, in (0, 1].
        window: decisions in a row, >= 1.
    """

    step: float = 0.1
    window: int = 10

    def __post_init__(self) -> None:
        """Check the settings."""
        super().__post_init__()
        check("step", self.step, above=0, most=1)
        check("window", self.window, least=1, whole=True)

    def start(self, seeds: int, arms: int) -> State:
        """No block has begun."""
        return {
            "values": np.zeros((seeds, arms)),
            "task": np.zeros(seeds, np.int64),
            "age": np.zeros(seeds, np.int64),
            "slope": np.zeros(seeds),
        }

    def probabilities(self, state: State) -> Floats:
        """(S, K): the block's task, or by the estimates where a block is to start."""
        if state["age"].all():
            return one_hot(state["task"], state["values"].shape[1])
        block = one_hot(state["task"], state["values"].shape[1])
        return np.where((state["age"] > 0)[:, None], block, self.choose(state["values"]))

    def update(self, state: State, arms: Ints, rewards: Floats, probabilities: Floats) -> None:
        """Add this decision to the block's slope; at the end of a block, learn."""
        task, age, slope, values = state["task"], state["age"], state["slope"], state["values"]
        arms, rewards = arms.reshape(len(task), -1), rewards.reshape(len(task), -1)
        np.copyto(task, arms[:, 0], where=age == 0)
        mine = arms == task[:, None]
        gains = (rewards * mine).sum(axis=1) / np.maximum(mine.sum(axis=1), 1)
        slope += slope_weights(int(self.window))[-1][age] * gains
        age += 1
        over = np.flatnonzero(age >= self.window)
        if over.size:
            values[over, task[over]] += self.step * (slope[over] - values[over, task[over]])
            age[over], slope[over] = 0, 0.0
