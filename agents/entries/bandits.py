"""Bandits: they learn inside their one run, from the gain of what they picked."""

from curriculum_rl.agents.entry import AgentEntry

_MODULE = "curriculum_rl.agents.bandits.agents"

BANDITS = (
    AgentEntry(
        "exp3s",
        f"{_MODULE}:Exp3SAgent",
        "EXP3.S: exponential weights that forget",
        "Auer et al. 2002, section 8; Graves et al. 2017, section 3.1",
    ),
    AgentEntry(
        "sw-ucb",
        f"{_MODULE}:SlidingWindowUCBAgent",
        "UCB over a sliding window",
        "Garivier & Moulines 2011",
    ),
    AgentEntry(
        "d-ts",
        f"{_MODULE}:DiscountedThompsonAgent",
        "discounted Gaussian Thompson sampling",
        "Raj & Kalyani 2017",
    ),
)
