"""The bandits as agents: each is the shared shell around one rule."""

from curriculum_rl.agents.bandits.autosem import AutoSeM
from curriculum_rl.agents.bandits.boltzmann import Boltzmann
from curriculum_rl.agents.bandits.contextual import ContextualShell
from curriculum_rl.agents.bandits.d_ucb import DiscountedUCB
from curriculum_rl.agents.bandits.eps_greedy import EpsilonGreedy
from curriculum_rl.agents.bandits.exp3 import Exp3
from curriculum_rl.agents.bandits.exp3_ix import Exp3IX
from curriculum_rl.agents.bandits.exp3s import Exp3S
from curriculum_rl.agents.bandits.exp3s_graves import GravesExp3S
from curriculum_rl.agents.bandits.lin_ts import LinearThompson
from curriculum_rl.agents.bandits.lin_ucb import LinUCB
from curriculum_rl.agents.bandits.mometas import Mometas
from curriculum_rl.agents.bandits.sw_ucb import SlidingWindowUCB
from curriculum_rl.agents.bandits.thompson import DiscountedThompson
from curriculum_rl.agents.bandits.thompson_beta import BetaThompson
from curriculum_rl.agents.bandits.thompson_gaussian import GaussianThompson
from curriculum_rl.agents.bandits.trend_ucb import TrendUCB
from curriculum_rl.agents.bandits.tscl_naive import TsclNaive
from curriculum_rl.agents.bandits.tscl_online import TsclOnline
from curriculum_rl.agents.bandits.tscl_sampling import TsclSampling
from curriculum_rl.agents.bandits.tscl_window import TsclWindow
from curriculum_rl.agents.bandits.ucb1 import UCB1
from curriculum_rl.agents.shell.loop import Shell


class EpsilonGreedyAgent(Shell):
    """Epsilon-greedy (`curriculum_rl.agents.bandits.eps_greedy`)."""

    rule_class = EpsilonGreedy


class BoltzmannAgent(Shell):
    """Boltzmann exploration (`curriculum_rl.agents.bandits.boltzmann`)."""

    rule_class = Boltzmann


class UCB1Agent(Shell):
    """UCB1 (`curriculum_rl.agents.bandits.ucb1`)."""

    rule_class = UCB1


class SlidingWindowUCBAgent(Shell):
    """Sliding-window UCB (`curriculum_rl.agents.bandits.sw_ucb`)."""

    rule_class = SlidingWindowUCB


class DiscountedUCBAgent(Shell):
    """Discounted UCB (`curriculum_rl.agents.bandits.d_ucb`)."""

    rule_class = DiscountedUCB


class BetaThompsonAgent(Shell):
    """Beta-Bernoulli Thompson sampling (`curriculum_rl.agents.bandits.thompson_beta`)."""

    rule_class = BetaThompson


class GaussianThompsonAgent(Shell):
    """Gaussian Thompson sampling (`curriculum_rl.agents.bandits.thompson_gaussian`)."""

    rule_class = GaussianThompson


class DiscountedThompsonAgent(Shell):
    """Discounted Gaussian Thompson sampling (`curriculum_rl.agents.bandits.thompson`)."""

    rule_class = DiscountedThompson


class Exp3Agent(Shell):
    """EXP3 (`curriculum_rl.agents.bandits.exp3`)."""

    rule_class = Exp3


class Exp3IXAgent(Shell):
    """EXP3-IX (`curriculum_rl.agents.bandits.exp3_ix`)."""

    rule_class = Exp3IX


class Exp3SAgent(Shell):
    """EXP3.S (`curriculum_rl.agents.bandits.exp3s`)."""

    rule_class = Exp3S


class GravesExp3SAgent(Shell):
    """EXP3.S as Graves et al. published it (`curriculum_rl.agents.bandits.exp3s_graves`)."""

    rule_class = GravesExp3S


class TsclOnlineAgent(Shell):
    """TSCL, online (`curriculum_rl.agents.bandits.tscl_online`)."""

    rule_class = TsclOnline


class TsclNaiveAgent(Shell):
    """TSCL, naive (`curriculum_rl.agents.bandits.tscl_naive`)."""

    rule_class = TsclNaive


class TsclWindowAgent(Shell):
    """TSCL, window (`curriculum_rl.agents.bandits.tscl_window`)."""

    rule_class = TsclWindow


class TsclSamplingAgent(Shell):
    """TSCL, sampling (`curriculum_rl.agents.bandits.tscl_sampling`)."""

    rule_class = TsclSampling


class AutoSeMAgent(Shell):
    """AutoSeM's task selection (`curriculum_rl.agents.bandits.autosem`)."""

    rule_class = AutoSeM


class MometasAgent(Shell):
    """MOMETAS' task selection (`curriculum_rl.agents.bandits.mometas`)."""

    rule_class = Mometas


class LinUCBAgent(ContextualShell):
    """LinUCB (`curriculum_rl.agents.bandits.lin_ucb`)."""

    rule_class = LinUCB


class LinearThompsonAgent(ContextualShell):
    """Linear Thompson sampling (`curriculum_rl.agents.bandits.lin_ts`)."""

    rule_class = LinearThompson


class TrendUCBAgent(Shell):
    """UCB after fitting how gains fall (`curriculum_rl.agents.bandits.trend_ucb`)."""

    rule_class = TrendUCB
