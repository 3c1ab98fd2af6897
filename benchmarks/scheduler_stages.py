"""What the comparison of schedulers runs, in which order: families by role, sets of agents, and stages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import partition
import yaml

from curriculum_rl.scripts.comparing.running.contestants import EM_PRIOR, FINETUNE, JS_PRIOR, STRATIFIED, best_static

AGENT = "auto"
"""The default agent, which the goals are about."""
FINISHING = "auto"
"""The agent that is compared with stratified-finetune, where the signal split is a task (`target.train`)."""
V1 = "alignment:prior=2:guard=0.05"
"""What `auto` was at first, on the square of the Jensen-Shannon prior: a temperature of .05 bits."""
SEEDS, FEW_SEEDS, MIXTURES = 10, 3, 64
BEST_STATIC = best_static(MIXTURES)
REACH = (25, 33, 50)
IDENTICAL = ("slices",)
"""Families whose tasks are identical: nothing can be gained on them, so they count in no share of wins."""
OTHERS = ("toys", "news")
"""Report families that other agents run on: one with neighbours of the target among its sources, one without."""


@dataclass(frozen=True)
class Family:
    """An environment file.

    Attributes:
        name: of the environment.
        role: "report" or "development".
        file: its path.
    """

    name: str
    role: str
    file: Path


@dataclass(frozen=True)
class Stage:
    """Some runs on each of some families.

    Attributes:
        name: of the set that they belong to; a set is one environment and one directory for each family.
        families: in order.
        agents: labels as `compare` takes them.
        baselines: labels of those beside stratified, which is always there.
        seeds: how many.
        reach: labels of those that get runs at parts of the budget.
        changes: settings of the environment by dotted key.
    """

    name: str
    families: tuple[Family, ...]
    agents: tuple[str, ...]
    baselines: tuple[str, ...] = ()
    seeds: int = SEEDS
    reach: tuple[str, ...] = ()
    changes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def runs(self) -> list[tuple[str, int, int]]:
        """Label, seed and percent of the budget of every run on one family."""
        labels = dict.fromkeys((*self.agents, STRATIFIED, *self.baselines))
        whole = [(label, seed, 100) for label in labels for seed in range(self.seeds)]
        return whole + [(label, seed, part) for label in self.reach for part in REACH for seed in range(self.seeds)]


def families(roles: Mapping[str, Sequence[str]] | None = None) -> list[Family]:
    """The report families of the partition, then the development ones.

    Args:
        roles: paths of environment files by role; None: those of the partition.
    """
    known = partition.read().families if roles is None else roles
    files = [(role, partition.ROOT / path) for role in ("report", "development") for path in known[role]]
    return [Family(yaml.safe_load(file.read_text(encoding="utf-8"))["name"], role, file) for role, file in files]


def stages(among: Sequence[Family], *, seeds: int = SEEDS, mixtures: int = MIXTURES) -> list[Stage]:
    """All there is to run, what the goals need first, so that a run that is stopped has left something to read.

    Args:
        among: the families.
        seeds: of the headline.
        mixtures: random static mixtures of the search for the best.
    """
    report, development = (tuple(one for one in among if one.role == role) for role in ("report", "development"))
    priors, searched = (EM_PRIOR, JS_PRIOR, FINETUNE), (best_static(mixtures),)
    few = min(seeds, FEW_SEEDS)
    return [
        Stage("headline", report, (AGENT,), priors, seeds),
        Stage("headline", report, (AGENT,), (), seeds, (AGENT,)),
        Stage("finish", report, (FINISHING,), (), seeds, (), {"target.train": True}),
        Stage("headline", report, (AGENT,), searched, seeds),
        Stage(
            "others",
            tuple(one for one in report if one.name in OTHERS),
            (V1, "d-ts", "odm", "aioli", "doremi", "doge", "ac-odm"),
            (EM_PRIOR, JS_PRIOR),
            few,
            (),
            {"target.prior": "js"},
        ),
        Stage("headline", development, (AGENT,), priors, seeds),
        Stage("headline", development, (AGENT,), (), seeds, (AGENT,)),
        Stage("headline", development, (AGENT,), searched, seeds),
    ]
