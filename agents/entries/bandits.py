"""Bandits: they learn inside their one run, from the gain of what they picked."""

from types import MappingProxyType

from curriculum_rl.agents.entry import AgentEntry

_MODULE = "curriculum_rl.agents.bandits.agents"


def _entry(name: str, target: str, summary: str, source: str) -> AgentEntry:
    return AgentEntry(name, f"{_MODULE}:{target}", summary, source)


def _contextual(name: str, target: str, summary: str, source: str) -> AgentEntry:
    return AgentEntry(name, f"{_MODULE}:{target}", summary, source, env=MappingProxyType({"observation": "dict"}))


_EXP3S = "Auer et al. 2002, section 8; Graves et al. 2017, section 3.1"
_TSCL = "Matiisen et al. 2017"

BANDITS = (
    _entry("exp3s", "Exp3SAgent", "EXP3.S: exponential weights that forget", _EXP3S),
    _entry("sw-ucb", "SlidingWindowUCBAgent", "UCB over a sliding window", "Garivier & Moulines 2011"),
    _entry("d-ts", "DiscountedThompsonAgent", "discounted Gaussian Thompson sampling", "Raj & Kalyani 2017"),
    _entry("trend-ucb", "TrendUCBAgent", "fits how gains fall, then UCB", "ours"),
    _entry("eps-greedy", "EpsilonGreedyAgent", "the best mean, sometimes any task", "Sutton & Barto 2018, chapter 2"),
    _entry("boltzmann", "BoltzmannAgent", "a softmax over means", "Sutton & Barto 1998, section 2.3"),
    _entry("ucb1", "UCB1Agent", "UCB1: the best upper confidence limit", "Auer, Cesa-Bianchi & Fischer 2002"),
    _entry("d-ucb", "DiscountedUCBAgent", "UCB whose old plays count less", "Garivier & Moulines 2011"),
    _entry("thompson-beta", "BetaThompsonAgent", "Beta-Bernoulli Thompson sampling", "Agrawal & Goyal 2012"),
    _entry("thompson-gaussian", "GaussianThompsonAgent", "Gaussian Thompson sampling", "Agrawal & Goyal 2013"),
    _entry("exp3", "Exp3Agent", "EXP3: exponential weights", "Auer et al. 2002, section 3"),
    _entry("exp3-ix", "Exp3IXAgent", "EXP3 with implicit exploration", "Neu 2015"),
    _entry("exp3s-graves", "GravesExp3SAgent", "EXP3.S with the published settings", "Graves et al. 2017, section 3.1"),
    _entry("tscl-online", "TsclOnlineAgent", "TSCL: follow each task's gain", f"{_TSCL}, algorithm 2"),
    _entry("tscl-naive", "TsclNaiveAgent", "TSCL: ten plays in a row, then the slope", f"{_TSCL}, algorithm 3"),
    _entry("tscl-window", "TsclWindowAgent", "TSCL: the slope of the last ten plays", f"{_TSCL}, algorithm 4"),
    _entry("tscl-sampling", "TsclSamplingAgent", "TSCL: the best of one draw each", f"{_TSCL}, algorithm 5"),
    _entry("autosem", "AutoSeMAgent", "Beta-Bernoulli Thompson that decays", "Guo, Pasunuru & Bansal 2019"),
    _entry("mometas", "MometasAgent", "REINFORCE on a softmax, entropy bonus", "Wu et al. 2022"),
    _contextual("lin-ucb", "LinUCBAgent", "UCB of a linear model of per-task features", "Li et al. 2010"),
    _contextual("lin-ts", "LinearThompsonAgent", "Thompson on such a model", "Agrawal & Goyal 2013"),
)
