"""What every mixer's rule must do, whatever it is told, and what the table says of each."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
from curriculum_rl.agents.mixers.rule import Feedback, next_run
from curriculum_rl.agents.mixers.skill_it import SkillIt
from curriculum_rl.agents.table import class_of
from curriculum_rl.errors import ConfigError
from curriculum_rl.signals import SIGNALS

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
    RegMix(runs=3, candidates=50, best=3),
    RegMix(runs=3, candidates=50, best=3, terms="linear"),
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
SHAPES = {"products": (1, 1), "adam_products": (1, 1), "transfer": (0, 0)}


def made(rule, random, seeds, arms, size, missing):
    """Feedback of any size, of which some numbers are missing."""

    def numbers(*shape):
        values = size * random.standard_normal((seeds, *shape))
        values[random.random((seeds, *shape)) < missing] = np.nan
        return values

    names = (rule.signal,) if isinstance(rule, Alignment) else rule.signals
    signals = {name: numbers(*(arms + more for more in SHAPES.get(name, (0,)))) for name in names}
    mixture = random.dirichlet(np.full(arms, 0.3), seeds)
    mixture[random.random(mixture.shape) < 0.3] = 0.0
    return Feedback(signals, numbers(arms), mixture, mixture, numbers(), np.full(seeds, 0.5))


def check_mixture(rule, state, seeds, arms):
    mixture = rule.mixture(state)
    assert mixture.shape == (seeds, arms) and np.isfinite(mixture).all() and mixture.min() >= 0
    assert np.allclose(mixture.sum(axis=1), 1)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("rule", RULES, ids=repr)
@settings(deadline=None, max_examples=25)
@given(
    arms=st.integers(1, 9),
    segments=st.integers(1, 12),
    size=st.sampled_from([0.0, 1e-300, 1e-3, 1.0, 20.0, 1e6, 1e100]),
    missing=st.sampled_from([0.0, 0.1, 0.5, 1.0]),
    seed=st.integers(0, 2**32 - 1),
)
def test_mixtures_stay_mixtures(rule, arms, segments, size, missing, seed):
    random = np.random.default_rng(seed)
    state = rule.start(2, arms)
    shapes = {name: (values.shape, values.dtype) for name, values in state.items()}
    for _ in range(segments):
        check_mixture(rule, state, 2, arms)
        rule.update(state, made(rule, random, 2, arms, size, missing))
        if random.random() < 0.3:
            next_run(rule, state, random.random(2) < 0.5, arms=arms)
    check_mixture(rule, state, 2, arms)
    assert all(np.isfinite(values).all() for values in state.values())
    assert {name: (values.shape, values.dtype) for name, values in state.items()} == shapes


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("rule", RULES, ids=repr)
def test_five_hundred_tasks(rule):
    random = np.random.default_rng(0)
    state = rule.start(1, 500)
    for run in range(4):
        for _ in range(2):
            rule.update(state, made(rule, random, 1, 500, 3.0, 0.1 * run))
        check_mixture(rule, state, 1, 500)
        next_run(rule, state, np.ones(1, bool), arms=500)
    check_mixture(rule, state, 1, 500)


@pytest.mark.parametrize("rule", [rule for rule in RULES if not isinstance(rule, RegMix)], ids=repr)
def test_rows_are_independent(rule):
    random = np.random.default_rng(0)
    together, alone = rule.start(3, 4), rule.start(1, 4)
    for segment in range(30):
        told = made(rule, random, 3, 4, 2.0, 0.1)
        rule.update(together, told)
        signals = {name: values[1:2] for name, values in told.signals.items()}
        rule.update(alone, Feedback(signals, *(values[1:2] for values in told[1:6])))
        assert np.array_equal(rule.mixture(together)[1], rule.mixture(alone)[0])
        if segment % 10 == 9:
            next_run(rule, together, np.array([segment == 9, True, False]), arms=4)
            next_run(rule, alone, np.array([True]), arms=4)


@pytest.mark.parametrize("rule", [r for r in RULES if not isinstance(r, RegMix | DoReMi | DoGE)], ids=repr)
def test_online_rules_begin_each_run_anew(rule):
    random = np.random.default_rng(0)
    state, fresh = rule.start(2, 5), rule.start(2, 5)
    for _ in range(20):
        rule.update(state, made(rule, random, 2, 5, 2.0, 0.0))
    kept = {name: values[0].copy() for name, values in state.items()}
    assert any(not np.array_equal(state[name], fresh[name]) for name in state)
    next_run(rule, state, np.array([False, True]), arms=5)
    assert all(np.array_equal(state[name][1], fresh[name][1]) for name in state)
    assert all(np.array_equal(state[name][0], kept[name]) for name in state)


@pytest.mark.parametrize("rule", [rule for rule in RULES if not isinstance(rule, RegMix)], ids=repr)
def test_the_first_mixture_is_even(rule):
    assert rule.mixture(rule.start(2, 8)) == pytest.approx(np.full((2, 8), 1 / 8))


@pytest.mark.parametrize("entry", MIXERS, ids=lambda entry: entry.name)
def test_entries_say_what_the_rules_need(entry):
    rule_class = class_of(entry.name).rule_class
    assert entry.needs_signals == bool(rule_class.signals) and set(rule_class.signals) <= set(SIGNALS)
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
        (RegMix, {"terms": "cubic"}, "terms: 'cubic' must be one of linear, sqrt, squared"),
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
