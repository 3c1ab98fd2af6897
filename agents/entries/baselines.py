"""Baselines: they do not learn, and every comparison carries them."""

from curriculum_rl.agents.entry import AgentEntry

_MODULE = "curriculum_rl.agents.fixed"

BASELINES = (
    AgentEntry(
        "stratified",
        f"{_MODULE}:Stratified",
        "every batch holds all tasks equally",
        "the field's common baseline",
        action="mixture",
        needs_reward=False,
        sees_target=False,
    ),
    AgentEntry(
        "round-robin",
        f"{_MODULE}:RoundRobin",
        "one task after the other",
        "the field's common baseline",
        needs_reward=False,
        sees_target=False,
    ),
    AgentEntry(
        "random",
        f"{_MODULE}:Random",
        "a task at random, each as likely",
        "the field's common baseline",
        needs_reward=False,
        sees_target=False,
    ),
    AgentEntry(
        "fixed",
        f"{_MODULE}:Fixed",
        "always the same task (option: task)",
        "the field's common baseline",
        needs_reward=False,
        sees_target=False,
    ),
)
