"""Every mixer's rule keeps the contract, and what the table says of each."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from curriculum_rl.agents.entries.mixers import MIXERS
from curriculum_rl.agents.mixers.ado import ADO
from curriculum_rl.agents.mixers.aioli import Aioli
from curriculum_rl.agents.mixers.alignment import Alignment
from curriculum_rl.agents.mixers.doge import DoGE
from curriculum_rl.agents.mixers.doremi import DoReMi
from curriculum_rl.agents.mixers.greedy import Greedy
from curriculum_rl.agents.mixers.hedge import AlignedHedge, Hedge
from curriculum_rl.agents.mixers.meta_tartan import MetaTartan
from curriculum_rl.agents.mixers.multidds import MultiDDS
from curriculum_rl.agents.mixers.odm import ODM
from curriculum_rl.agents.mixers.odm_released import ODMReleased
from curriculum_rl.agents.mixers.pike import PiKE
from curriculum_rl.agents.mixers.r_and_b import RAndB
from curriculum_rl.agents.mixers.regmix import RegMix
from curriculum_rl.agents.mixers.rollout import Rollout
from curriculum_rl.agents.mixers.skill_it import SkillIt
from curriculum_rl.agents.table import class_of
from curriculum_rl.errors import ConfigError
from curriculum_rl.testing.rules import MixerRuleContract

RULES = [
    ODM(),
    ODMReleased(),
    DoReMi(),
    DoGE(),
    DoGE(universal=True),
    MultiDDS(),
    SkillIt(),
    SkillIt(normalise=True),
    Aioli(),
    Aioli(smoothing=None),
    ADO(warmup=0.0),
    PiKE(),
    RAndB(),
    RAndB(blind=True),
    RegMix(runs=24, candidates=50, best=3),
    RegMix(runs=3, candidates=50, best=3, law="ridge"),
    MetaTartan(),
    Greedy(),
    Greedy(temperature=1.0),
    Rollout(),
    Rollout(temperature=1.0, exploration=0.0),
    Hedge(),
    Hedge(sharing=0.0, step=50.0),
    AlignedHedge(),
    Alignment(),
    Alignment(cosine=True),
    Alignment(signal="ghost"),
]


class TestMixerRules(MixerRuleContract):
    @pytest.fixture(params=[rule for rule in RULES if not isinstance(rule, RegMix)], ids=repr)
    def rule(self, request):
        return request.param


class TestRegMix(MixerRuleContract):
    # The runs are proxies of one fit.
    test_a_run_does_not_depend_on_its_neighbours = None  # type: ignore[assignment]

    @pytest.fixture(params=[rule for rule in RULES if isinstance(rule, RegMix)], ids=repr)
    def rule(self, request):
        return request.param


@pytest.mark.parametrize("rule", [rule for rule in RULES if not isinstance(rule, RegMix)], ids=repr)
def test_the_first_mixture_is_even(rule):
    assert rule.mixture(rule.start(2, 8)) == pytest.approx(np.full((2, 8), 1 / 8))


@pytest.mark.parametrize("entry", MIXERS, ids=lambda entry: entry.name)
def test_entries_say_what_the_rules_need(entry):
    agent_class: Any = class_of(entry.name)
    rule_class = agent_class.rule_class
    assert entry.needs_signals == bool(rule_class.signals)
    assert entry.sees_target or "look_ahead" not in rule_class.signals
    assert (entry.protocol == "pretrained") == getattr(rule_class, "across_runs", False)
    assert dataclasses.is_dataclass(rule_class) and any(type(rule) is rule_class for rule in RULES)


def test_every_rule_has_an_entry_of_its_own():
    assert len({entry.name for entry in MIXERS}) == len({entry.target for entry in MIXERS}) == len(MIXERS)
    assert len(MIXERS) == len({type(rule) for rule in RULES})


@pytest.mark.parametrize(
    ("rule", "settings", "message"),
    [
        (ODM, {"smoothing": 1.0}, "smoothing: 1.0 must be a number at least 0"),
        (ODMReleased, {"smoothing": -0.1}, "smoothing: -0.1"),
        (DoReMi, {"step": 0}, "step: 0 must be a number above 0"),
        (DoReMi, {"smoothing": 2}, "smoothing: 2"),
        (DoGE, {"mu": float("nan")}, "mu: nan"),
        (MultiDDS, {"steps": 0}, "steps: 0"),
        (SkillIt, {"window": 0}, "window: 0"),
        (SkillIt, {"graphs": 0}, "graphs: 0"),
        (Aioli, {"smoothing": 1}, "smoothing: 1"),
        (ADO, {"floor": 2}, "floor: 2"),
        (ADO, {"every": 0}, "every: 0"),
        (PiKE, {"batch": 0}, "batch: 0"),
        (RAndB, {"sharpness": 0}, "sharpness: 0"),
        (RegMix, {"runs": 1}, "runs: 1"),
        (RegMix, {"runs": 23}, "law: 'trees' needs at least 24 runs, and there are 23"),
        (RegMix, {"law": "linear"}, "law: 'linear' must be one of trees, ridge"),
        (MetaTartan, {"step": "fast"}, "step: fast"),
        (Greedy, {"temperature": -1}, "temperature: -1"),
        (Hedge, {"sharing": 1}, "sharing: 1"),
        (AlignedHedge, {"clip": 0}, "clip: 0"),
        (Alignment, {"exploration": 1.5}, "exploration: 1.5"),
    ],
)
def test_settings_are_checked(rule, settings, message):
    with pytest.raises(ConfigError, match=message):
        rule(**settings)
