"""Baselines: they do not learn, and every comparison carries them."""

from types import MappingProxyType
from typing import Any

from curriculum_rl.agents.entry import AgentEntry

_COMMON = "the field's common baseline"


def _entry(name: str, target: str, summary: str, source: str, **more: Any) -> AgentEntry:
    return AgentEntry(name, f"curriculum_rl.agents.baselines.{target}", summary, source, needs_reward=False, **more)


BASELINES = (
    AgentEntry(
        "auto",
        "curriculum_rl.agents.auto.shell:Auto",
        "the default: the prior, weights under which the texts explain the target, as a static mixture; the signal "
        "split at the end where it may be trained on (options: prior, prior_last, measure, finish)",
        "ours: EM weights of bigram models (Dempster, Laird & Rubin 1977; Jelinek & Mercer 1980)",
        action="mixture",
        needs_reward=False,
        # Of what measure and guard ask for, as of the data mixers' signals.
        env=MappingProxyType({"signals.every": 8}),
    ),
    _entry(
        "stratified",
        "fixed:Stratified",
        "every batch holds all tasks equally",
        _COMMON,
        action="mixture",
        sees_target=False,
    ),
    _entry("round-robin", "fixed:RoundRobin", "one task after the other", _COMMON, sees_target=False),
    _entry("random", "fixed:Random", "a task at random, each as likely", _COMMON, sees_target=False),
    _entry("fixed", "fixed:Fixed", "always the same task (option: task)", _COMMON, sees_target=False),
    _entry(
        "mixture", "static:Mixture", "a static mixture (option: shares)", _COMMON, action="mixture", sees_target=False
    ),
    _entry(
        "schedule",
        "static:Schedule",
        "the schedule of another run, replayed (options: path, shuffle)",
        "ours: the yoked control of a comparison",
        action="mixture",
        sees_target=False,
    ),
    _entry(
        "size-proportional",
        "proportional:SizeProportional",
        "a static mixture in proportion to the corpora's tokens",
        _COMMON,
        action="mixture",
        sees_target=False,
    ),
    _entry(
        "temperature",
        "proportional:Temperature",
        "in proportion to a root of the corpora's tokens (option: temperature)",
        "Arivazhagan et al. 2019",
        action="mixture",
        sees_target=False,
    ),
    _entry(
        "target-objective",
        "target_tasks:TargetObjective",
        "stratified over the tasks of the target's own objective",
        _COMMON,
        action="mixture",
        sees_target=False,
    ),
    _entry(
        "stratified-finetune",
        "target_tasks:StratifiedFinetune",
        "stratified, then the target's signal split alone (option: last)",
        _COMMON,
        action="mixture",
        env=MappingProxyType({"target.train": True}),
    ),
)
