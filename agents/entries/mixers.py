"""Data mixers: they set the mixture of every segment from what was measured of each task."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from curriculum_rl.agents.entry import AgentEntry

# On a small learner gradients of a few rows of every task cost about as much as a segment: measured after each of
# them they would take half of the budget.
_RARELY = MappingProxyType({"signals.every": 8})
_NOTHING: Mapping[str, Any] = MappingProxyType({})


def mixer(
    name: str, target: str, summary: str, source: str, *, signals: bool, pretrained: bool, **more: Any
) -> AgentEntry:
    """The line of a mixer's rule; one that learns inside its run measures rarely."""
    own: dict[str, Any] = {
        "action": "mixture",
        "protocol": "pretrained" if pretrained else "online",
        "needs_reward": False,
        "needs_signals": signals,
        "env": _RARELY if signals and not pretrained else _NOTHING,
    }
    return AgentEntry(name, target, summary, source, **own | more)


def _entry(name: str, target: str, summary: str, source: str, *, signals: bool = True, **more: Any) -> AgentEntry:
    target = f"curriculum_rl.agents.mixers.{target}"
    return mixer(name, target, summary, source, signals=signals, pretrained="runs" in more, **more)


MIXERS: tuple[AgentEntry, ...] = (
    _entry(
        "odm",
        "odm:ODM",
        "ODM's formula: more of tasks with high training loss",
        "Albalak et al. 2023, algorithm 1",
        signals=False,
        sees_target=False,
    ),
    _entry(
        "odm-released",
        "odm_released:ODMReleased",
        "ODM as it was run: in proportion to perplexity",
        "Albalak et al. 2023, released code",
        signals=False,
        sees_target=False,
    ),
    _entry(
        "doremi",
        "doremi:DoReMi",
        "DoReMi: two proxy runs, then the static mixture of the second",
        "Xie et al. 2023, algorithm 1",
        sees_target=False,
        runs=2,
    ),
    _entry(
        "doge",
        "doge:DoGE",
        "DoGE: one proxy run, then its static mixture (option: universal)",
        "Fan, Pagliardini & Jaggi 2023",
        runs=1,
    ),
    _entry(
        "multidds",
        "multidds:MultiDDS",
        "MultiDDS-S: climbs the expected gradient cosine",
        "Wang, Tsvetkov & Neubig 2020",
    ),
    _entry(
        "skill-it",
        "skill_it:SkillIt",
        "Skill-it: tasks that teach what is not yet learned",
        "Chen et al. 2023, algorithm 1",
        sees_target=False,
    ),
    _entry(
        "aioli",
        "aioli:Aioli",
        "Aioli: tasks that take most off all tasks' losses",
        "Chen et al. 2024",
        sees_target=False,
    ),
    _entry(
        "ado",
        "ado:ADO",
        "ADO: by the speed of each task's own scaling law",
        "Jiang et al. 2024, algorithm 1",
        signals=False,
        sees_target=False,
    ),
    _entry(
        "pike", "pike:PiKE", "PiKE: large gradients, little noise", "Li et al. 2025, algorithm 1", sees_target=False
    ),
    _entry(
        "r-and-b",
        "r_and_b:RAndB",
        "R&B's balance step: softmax of gradient products (option: blind)",
        "Ge et al. 2025, algorithm 1",
    ),
    _entry(
        "regmix",
        "regmix:RegMix",
        "RegMix: 64 proxy runs, then the mixture a regression likes best",
        "Liu et al. 2024",
        signals=False,
        needs_reward=True,
        runs=64,
        num_envs=16,
    ),
    _entry(
        "meta-tartan",
        "meta_tartan:MetaTartan",
        "META-TARTAN: logits move by gradient cosines",
        "Dery et al. 2022, section 4",
    ),
    _entry("greedy", "greedy:Greedy", "the task whose one-step look-ahead gained most", "the field's common baseline"),
    _entry(
        "rollout",
        "rollout:Rollout",
        "the task whose branch, finished by stratified updates, gained most",
        "Bertsekas, Tsitsiklis & Wu 1997; stratified as base policy: ours",
    ),
    _entry(
        "hedge",
        "hedge:Hedge",
        "fixed-share Hedge on the look-ahead gains of all tasks",
        "Herbster & Warmuth 1998, section 5",
    ),
    _entry(
        "hedge-alignment",
        "hedge:AlignedHedge",
        "fixed-share Hedge on Adam-preconditioned gradient cosines",
        "Herbster & Warmuth 1998, section 5",
    ),
    _entry("alignment", "alignment:Alignment", "exponentiated gradient on Adam-preconditioned alignments", "ours"),
)
