"""The lines of the table of agents, a file per family.

A line repeats what the rule's class says of itself (`signals`, what it plays), and tests hold them to it: to read it
there, `list agents` would have to import all rules, and with them numpy, torch and stable-baselines3.
"""

from collections.abc import Mapping
from types import MappingProxyType

from curriculum_rl.agents.entries.bandits import BANDITS
from curriculum_rl.agents.entries.baselines import BASELINES
from curriculum_rl.agents.entries.mixers import MIXERS
from curriculum_rl.agents.entries.rl import RL
from curriculum_rl.agents.entry import AgentEntry

FAMILIES: Mapping[str, tuple[AgentEntry, ...]] = MappingProxyType(
    {"baseline": BASELINES, "bandit": BANDITS, "data mixer": MIXERS, "reinforcement learning": RL}
)
