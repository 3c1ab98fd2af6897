"""The lines of the table of agents, a file per family; light, so that `--help` is fast."""

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
