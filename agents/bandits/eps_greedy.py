"""Epsilon-greedy: mostly the task with the best mean so far, sometimes any."""

from dataclasses import dataclass

import numpy as np

from curriculum_rl.agents.rule import Floats, Ints, State, check, greedy, mean_of_plays


@dataclass(frozen=True)
class EpsilonGreedy:
    """Play the task with the highest estimate with probability 1 - exploration, any task otherwise.

    The estimate of a task starts at 0, an average task, and moves by the step towards what its plays brought.

    Source:
        Sutton & Barto (2018), Reinforcement learning, an introduction, sections 2.2 to 2.5: exploration .1, the mean of
        all plays (step None) or, where tasks change, a constant step.

    Attributes:
        exploration: the share of uniform play, in [0, 1].
        step: how far an estimate moves, in (0, 1]; None: one over the number of plays, which gives their mean.
    """

    exploration: float = 0.1
    step: float | None = None

    def __post_init__(self) -> None:
        """Check the settings."""
        check("exploration", self.exploration, least=0, most=1)
        if self.step is not None:
            check("step", self.step, above=0, most=1)

    def start(self, seeds: int, arms: int) -> State:
        """Nothing played, all estimates 0."""
        return {"counts": np.zeros((seeds, arms)), "values": np.zeros((seeds, arms))}

    def probabilities(self, state: State) -> Floats:
        """(S, K) mostly the best."""
        return greedy(state["values"], self.exploration)

    def update(self, state: State, arms: Ints, rewards: Floats, probabilities: Floats) -> None:
        """Move the estimates of what was played."""
        learn_values(state, arms, rewards, self.step)


def learn_values(state: State, arms: Ints, rewards: Floats, step: float | None) -> None:
    """Move, in place, the `values` of the tasks played towards the mean reward of their plays at this decision.

    Args:
        state: with `counts` and `values`, (S, K) each.
        arms: (S, M) the tasks played.
        rewards: (S, M).
        step: how far; None: plays at this decision over all plays of the task, which gives the mean of all.
    """
    counts, values = state["counts"], state["values"]
    plays, means = mean_of_plays(arms, rewards, counts.shape[1])
    counts += plays
    shares = plays / np.maximum(counts, 1.0) if step is None else np.minimum(plays, 1.0) * step
    values += shares * (means - values)
