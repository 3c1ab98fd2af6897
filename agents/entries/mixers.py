"""Data mixers: they set the mixture of every segment from what was measured of each task."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from curriculum_rl.agents.entry import AgentEntry

_MODULE = "curriculum_rl.agents.mixers.agents"
# On a small learner gradients of a few rows of every task cost about as much as a segment: measured after each of
# them they would take half of the budget.
_RARELY = MappingProxyType({"signals.every": 8})
_NOTHING: Mapping[str, Any] = MappingProxyType({})


def _entry(
    name: str,
    target: str,
    summary: str,
    source: str,
    *,
    signals: bool = True,
    sees_target: bool = True,
    reward: bool = False,
    runs: int | None = None,
    num_envs: int = 1,
) -> AgentEntry:
    online = runs is None
    return AgentEntry(
        name,
        f"{_MODULE}:{target}",
        summary,
        source,
        action="mixture",
        protocol="online" if online else "pretrained",
        runs=runs,
        num_envs=num_envs,
        needs_reward=reward,
        needs_signals=signals,
        sees_target=sees_target,
        env=_RARELY if signals and online else _NOTHING,
    )


MIXERS: tuple[AgentEntry, ...] = (
    _entry(
        "odm",
        "ODMAgent",
        "ODM's formula: more of tasks with high training loss",
        "Albalak et al. 2023, algorithm 1",
        signals=False,
        sees_target=False,
    ),
    _entry(
        "odm-released",
        "ODMReleasedAgent",
        "ODM as it was run: in proportion to perplexity",
        "Albalak et al. 2023, released code",
        signals=False,
        sees_target=False,
    ),
    _entry(
        "doremi",
        "DoReMiAgent",
        "DoReMi: two proxy runs, then the static mixture of the second",
        "Xie et al. 2023, algorithm 1",
        sees_target=False,
        runs=2,
    ),
    _entry(
        "doge",
        "DoGEAgent",
        "DoGE: one proxy run, then its static mixture (option: universal)",
        "Fan, Pagliardini & Jaggi 2023",
        runs=1,
    ),
    _entry(
        "multidds",
        "MultiDDSAgent",
        "MultiDDS-S: climbs the expected gradient cosine",
        "Wang, Tsvetkov & Neubig 2020",
    ),
    _entry(
        "skill-it",
        "SkillItAgent",
        "Skill-it: tasks that teach what is not yet learned",
        "Chen et al. 2023, algorithm 1",
        sees_target=False,
    ),
    _entry(
        "aioli",
        "AioliAgent",
        "Aioli: tasks that take most off all tasks' losses",
        "Chen et al. 2024",
        sees_target=False,
    ),
    _entry(
        "ado",
        "ADOAgent",
        "ADO: by the speed of each task's own scaling law",
        "Jiang et al. 2024, algorithm 1",
        signals=False,
        sees_target=False,
    ),
    _entry(
        "pike",
        "PiKEAgent",
        "PiKE: large gradients, little noise",
        "Li et al. 2025, algorithm 1",
        sees_target=False,
    ),
    _entry(
        "r-and-b",
        "RAndBAgent",
        "R&B's balance step: softmax of gradient products (option: blind)",
        "Ge et al. 2025, algorithm 1",
    ),
    _entry(
        "regmix",
        "RegMixAgent",
        "RegMix: 64 proxy runs, then the mixture a regression likes best",
        "Liu et al. 2024",
        signals=False,
        reward=True,
        runs=64,
        num_envs=16,
    ),
    _entry(
        "meta-tartan",
        "MetaTartanAgent",
        "META-TARTAN: logits move by gradient cosines",
        "Dery et al. 2022, section 4",
    ),
    _entry(
        "greedy",
        "GreedyAgent",
        "the task whose one-step look-ahead gained most",
        "the field's common baseline",
    ),
    _entry(
        "rollout",
        "RolloutAgent",
        "the task whose branch, finished by stratified updates, gained most",
        "Bertsekas, Tsitsiklis & Wu 1997; stratified as base policy: ours",
    ),
    _entry(
        "hedge",
        "HedgeAgent",
        "fixed-share Hedge on the look-ahead gains of all tasks",
        "Herbster & Warmuth 1998, section 5",
    ),
    _entry(
        "hedge-alignment",
        "AlignedHedgeAgent",
        "fixed-share Hedge on Adam-preconditioned gradient cosines",
        "Herbster & Warmuth 1998, section 5",
    ),
    _entry(
        "alignment",
        "AlignmentAgent",
        "exponentiated gradient on Adam-preconditioned alignments",
        "ours",
    ),
)
