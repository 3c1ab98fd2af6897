"""Who decides: every agent is a stable-baselines3 algorithm that also runs where there is no language model."""

if __name__ == "agents":
    raise ImportError("import curriculum_rl.agents, not agents: one class must have one name")

from curriculum_rl.agents.entry import AgentEntry
from curriculum_rl.agents.table import AGENTS, load, make

__all__ = ["AGENTS", "AgentEntry", "load", "make"]
