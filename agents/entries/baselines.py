"""Baselines: they do not learn, and every comparison carries them."""

from types import MappingProxyType

from curriculum_rl.agents.entry import AgentEntry

_MODULE = "curriculum_rl.agents.baselines.fixed"
_STATIC = "curriculum_rl.agents.baselines.static"
_SIZES = "curriculum_rl.agents.baselines.proportional"
_TARGET = "curriculum_rl.agents.baselines.target_tasks"

BASELINES = (
    AgentEntry(
        "auto",
        f"{_MODULE}:Auto",
        "the default: a static mixture, more of a task the nearer its text is to the target's (option: prior)",
        "ours: shares in proportion to exp(-divergence / .1)",
        action="mixture",
        needs_reward=False,
    ),
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
    AgentEntry(
        "mixture",
        f"{_STATIC}:Mixture",
        "a static mixture (option: shares)",
        "the field's common baseline",
        action="mixture",
        needs_reward=False,
        sees_target=False,
    ),
    AgentEntry(
        "schedule",
        f"{_STATIC}:Schedule",
        "the schedule of another run, replayed (options: path, shuffle)",
        "ours: the yoked control of a comparison",
        action="mixture",
        needs_reward=False,
        sees_target=False,
    ),
    AgentEntry(
        "size-proportional",
        f"{_SIZES}:SizeProportional",
        "a static mixture in proportion to the corpora's tokens",
        "the field's common baseline",
        action="mixture",
        needs_reward=False,
        sees_target=False,
    ),
    AgentEntry(
        "temperature",
        f"{_SIZES}:Temperature",
        "in proportion to a root of the corpora's tokens (option: temperature)",
        "Arivazhagan et al. 2019",
        action="mixture",
        needs_reward=False,
        sees_target=False,
    ),
    AgentEntry(
        "target-objective",
        f"{_TARGET}:TargetObjective",
        "stratified over the tasks of the target's own objective",
        "the field's common baseline",
        action="mixture",
        needs_reward=False,
        sees_target=False,
    ),
    AgentEntry(
        "stratified-finetune",
        f"{_TARGET}:StratifiedFinetune",
        "stratified, then the target's signal split alone (option: last)",
        "the field's common baseline",
        action="mixture",
        needs_reward=False,
        env=MappingProxyType({"target.train": True}),
    ),
)
