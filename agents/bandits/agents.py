"""The bandits as agents: each is the shared shell around one rule."""

from curriculum_rl.agents.bandits.exp3s import Exp3S
from curriculum_rl.agents.bandits.sw_ucb import SlidingWindowUCB
from curriculum_rl.agents.bandits.thompson import DiscountedThompson
from curriculum_rl.agents.base import Shell


class Exp3SAgent(Shell):
    """EXP3.S (`curriculum_rl.agents.bandits.exp3s`)."""

    rule_class = Exp3S


class SlidingWindowUCBAgent(Shell):
    """Sliding-window UCB (`curriculum_rl.agents.bandits.sw_ucb`)."""

    rule_class = SlidingWindowUCB


class DiscountedThompsonAgent(Shell):
    """Discounted Gaussian Thompson sampling (`curriculum_rl.agents.bandits.thompson`)."""

    rule_class = DiscountedThompson
