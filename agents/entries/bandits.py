"""Bandits: they learn inside their one run, from the gain of what they picked."""

from types import MappingProxyType
from typing import Any

from curriculum_rl.agents.entry import AgentEntry

CONTEXT = MappingProxyType({"observation": "dict"})
"""What a contextual bandit's environment must have."""


def _entry(name: str, target: str, summary: str, source: str, **more: Any) -> AgentEntry:
    return AgentEntry(name, f"curriculum_rl.agents.bandits.{target}", summary, source, **more)


_EXP3S = "Auer et al. 2002, section 8; Graves et al. 2017, section 3.1"
_TSCL = "Matiisen et al. 2017"

BANDITS = (
    _entry("exp3s", "exp3s:Exp3S", "EXP3.S: exponential weights that forget", _EXP3S),
    _entry("sw-ucb", "sw_ucb:SlidingWindowUCB", "UCB over a sliding window", "Garivier & Moulines 2011"),
    _entry("d-ts", "thompson:DiscountedThompson", "discounted Gaussian Thompson sampling", "Raj & Kalyani 2017"),
    _entry("trend-ucb", "trend_ucb:TrendUCB", "fits how gains fall, then UCB", "ours"),
    _entry(
        "eps-greedy", "eps_greedy:EpsilonGreedy", "the best mean, sometimes any task", "Sutton & Barto 2018, chapter 2"
    ),
    _entry("boltzmann", "boltzmann:Boltzmann", "a softmax over means", "Sutton & Barto 1998, section 2.3"),
    _entry("ucb1", "ucb1:UCB1", "UCB1: the best upper confidence limit", "Auer, Cesa-Bianchi & Fischer 2002"),
    _entry("d-ucb", "d_ucb:DiscountedUCB", "UCB whose old plays count less", "Garivier & Moulines 2011"),
    _entry("thompson-beta", "thompson_beta:BetaThompson", "Beta-Bernoulli Thompson sampling", "Agrawal & Goyal 2012"),
    _entry(
        "thompson-gaussian", "thompson_gaussian:GaussianThompson", "Gaussian Thompson sampling", "Agrawal & Goyal 2013"
    ),
    _entry("exp3", "exp3:Exp3", "EXP3: exponential weights", "Auer et al. 2002, section 3"),
    _entry("exp3-ix", "exp3_ix:Exp3IX", "EXP3 with implicit exploration", "Neu 2015"),
    _entry(
        "exp3s-graves",
        "exp3s_graves:GravesExp3S",
        "EXP3.S with the published settings",
        "Graves et al. 2017, section 3.1",
    ),
    _entry("tscl-online", "tscl_online:TsclOnline", "TSCL: follow each task's gain", f"{_TSCL}, algorithm 2"),
    _entry("tscl-naive", "tscl_naive:TsclNaive", "TSCL: ten plays in a row, then the slope", f"{_TSCL}, algorithm 3"),
    _entry("tscl-window", "tscl_window:TsclWindow", "TSCL: the slope of the last ten plays", f"{_TSCL}, algorithm 4"),
    _entry("tscl-sampling", "tscl_sampling:TsclSampling", "TSCL: the best of one draw each", f"{_TSCL}, algorithm 5"),
    _entry("autosem", "autosem:AutoSeM", "Beta-Bernoulli Thompson that decays", "Guo, Pasunuru & Bansal 2019"),
    _entry("mometas", "mometas:Mometas", "REINFORCE on a softmax, entropy bonus", "Wu et al. 2022"),
    _entry("lin-ucb", "lin_ucb:LinUCB", "UCB of a linear model of per-task features", "Li et al. 2010", env=CONTEXT),
    _entry("lin-ts", "lin_ts:LinearThompson", "Thompson on such a model", "Agrawal & Goyal 2013", env=CONTEXT),
)
