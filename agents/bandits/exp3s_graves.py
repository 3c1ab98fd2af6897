"""Graves et al.'s EXP3.S with their own settings: made for runs of 10^5 segments."""

from dataclasses import dataclass

from curriculum_rl.agents.bandits.exp3s import Exp3S


@dataclass(frozen=True)
class GravesExp3S(Exp3S):
    """EXP3.S (`curriculum_rl.agents.bandits.exp3s`) as published; rewards are the shell's, not reservoir quantiles.

    Source:
        Graves et al. (2017), Automated curriculum learning for neural networks, section 3.1: step 1e-3,
        exploration .05, sharing 1/t, no implicit exploration.

    Attributes:
        step: the learning rate of the log weights, > 0.
        exploration: the share of uniform play, in (0, 1].
        sharing: a, the mass shared per update, in [0, 1); None for 1/t, t = 2, 3, ...
        implicit: added to propensities before dividing by them, >= 0.
    """

    step: float = 1e-3
    exploration: float = 0.05
    sharing: float | None = None
    implicit: float = 0.0
