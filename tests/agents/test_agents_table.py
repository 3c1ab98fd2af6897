"""The table: names, options, and messages for those who mistype them."""

import dataclasses
import math
import subprocess
import sys
from typing import Any

import pytest

from curriculum_rl.agents import AGENTS, load, make
from curriculum_rl.agents.bandits.contextual import ContextualShell
from curriculum_rl.agents.entries import FAMILIES
from curriculum_rl.agents.rl.options import settings_of
from curriculum_rl.agents.shell.loop import Shell
from curriculum_rl.agents.table import class_of, options_of
from curriculum_rl.errors import ConfigError


def test_no_name_stands_twice():
    names = [entry.name for entries in FAMILIES.values() for entry in entries]
    assert len(names) == len(set(names)) and list(AGENTS) == names
    assert AGENTS["ppo"].protocol == "pretrained" and AGENTS["stratified"].action == "mixture"


@pytest.mark.parametrize("name", sorted(AGENTS))
def test_an_entry_says_what_its_class_needs(name):
    entry = AGENTS[name]
    cls = class_of(name)
    assert entry.summary and entry.source and entry.feedback and entry.cost
    if issubclass(cls, Shell) and entry.needs_reward and entry.action == "any":
        assert cls.learns_from_picks
    if not entry.needs_reward and not entry.needs_signals:
        assert entry.feedback == "none"


def test_a_name_leads_to_one_class_and_the_file_carries_its_name():
    assert class_of("exp3s") is class_of("exp3s") and class_of("exp3s").__name__ == "Exp3SAgent"
    assert class_of("lin-ucb").__name__ == "LinUCBAgent" and issubclass(class_of("lin-ucb"), ContextualShell)
    assert class_of("hedge-alignment").__name__ == "AlignedHedgeAgent" and class_of("hedge-alignment").__doc__


def test_importing_the_table_is_light():
    heavy = "('torch', 'numpy', 'stable_baselines3', 'gymnasium')"
    code = f"import sys, curriculum_rl.agents as a; print(len(a.AGENTS), [m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"{len(AGENTS)} []"


def test_options_are_listed():
    assert options_of("fixed") == ("task", "verbose", "tensorboard_log")
    assert options_of("exp3s")[:6] == ("step", "exploration", "sharing", "implicit", "memory", "pool")
    assert "n_steps" in options_of("ppo") and "env" not in options_of("ppo")


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("exp4", {}, "agent: unknown name 'exp4'; there are: auto, stratified, "),
        ("exp3s", {"eta": 1}, "agent exp3s: unknown option 'eta'; it has: step, exploration"),
        ("exp3s", {"step": 0}, "step: 0 must be above 0"),
        ("exp3s", {"exploration": 1.5}, "exploration: 1.5 must be in"),
        ("exp3s", {"sharing": 1}, "sharing: 1 must be in"),
        ("exp3s", {"implicit": -1}, "implicit: -1 must be at least 0"),
        ("eps-greedy", {"exploration": 1.5}, "exploration: 1.5 must be a number at least 0 and at most 1"),
        ("eps-greedy", {"step": 0}, "step: 0 must be"),
        ("trend-ucb", {"width": -1}, "width: -1 must be"),
        ("trend-ucb", {"discount": 0}, "discount: 0 must be"),
        ("boltzmann", {"temperature": 0}, "temperature: 0 must be a number above 0"),
        ("boltzmann", {"step": 2}, "step: 2 must be"),
        ("ucb1", {"width": "wide"}, "width: wide must be"),
        ("d-ucb", {"discount": 0}, "discount: 0 must be"),
        ("d-ucb", {"width": float("inf")}, "width: inf must be"),
        ("thompson-beta", {"prior_plays": 0.5}, "prior_plays: 0.5 must be a number at least 1"),
        ("thompson-gaussian", {"noise": 0}, "noise: 0 must be"),
        ("thompson-gaussian", {"prior_plays": 0}, "prior_plays: 0 must be"),
        ("exp3", {"exploration": 0}, "exploration: 0 must be a number above 0 and at most 1"),
        ("exp3-ix", {"step": -1}, "step: -1 must be"),
        ("exp3s-graves", {"step": 0}, "step: 0 must be"),
        ("tscl-online", {"exploration": 2}, "exploration: 2 must be"),
        ("tscl-online", {"temperature": 0}, "temperature: 0 must be"),
        ("tscl-naive", {"window": 0}, "window: 0 must be"),
        ("tscl-naive", {"step": 0}, "step: 0 must be"),
        ("tscl-window", {"window": 2.5}, "window: 2.5 must be a whole number"),
        ("tscl-sampling", {"window": 0}, "window: 0 must be"),
        ("tscl-sampling", {"temperature": 1.0}, "temperature: 1.0"),
        ("autosem", {"decay": 1}, "decay: 1 must be"),
        ("autosem", {"prior_plays": 0}, "prior_plays: 0 must be"),
        ("lin-ucb", {"width": -1}, "width: -1 must be"),
        ("lin-ucb", {"ridge": 0}, "ridge: 0 must be"),
        ("lin-ts", {"spread": 0}, "spread: 0 must be"),
        ("lin-ts", {"draws": 0}, "draws: 0 must be a whole number at least 1"),
        ("lin-ucb", {}, "observation: LinUCBAgent needs per-task features"),
        ("mometas", {"step": 0}, "step: 0 must be"),
        ("mometas", {"entropy": -1}, "entropy: -1 must be"),
        ("sw-ucb", {"window": 1}, "window: 1 times K"),
        ("sw-ucb", {"width": float("nan")}, "width: nan"),
        ("d-ts", {"discount": 0}, "discount: 0 must be"),
        ("d-ts", {"prior_plays": 0}, "prior_plays: 0 must be"),
        ("d-ts", {"prior": 0}, "prior: 0 must be a number above 0"),
        ("ucb1", {"prune": 1}, "prune: 1 must be below 1"),
        ("exp3", {"guard": "yes"}, "guard: yes must be a number"),
        ("fixed", {"prune": 0.4}, "agent fixed: unknown option 'prune'"),
        ("ppo", {"guard": 0.05}, "agent ppo: unknown option 'guard'"),
        ("d-ts", {"noise": -1}, "noise: -1 must be"),
        ("d-ts", {"memory": "for ever"}, "memory: 'for ever' must be"),
        ("d-ts", {"pool": "yes"}, "pool: 'yes' must be true or false"),
        ("random", {"pool": True}, "agent random: unknown option 'pool'"),
        ("d-ts", {"reward_window": 0}, "reward_window: 0 must be"),
        ("d-ts", {"reward_clip": 0}, "reward_clip: 0 must be"),
        ("fixed", {"task": 5}, "task: 5 must be in"),
        ("fixed", {"task": "reviews.causal_lm"}, "task: reviews.causal_lm must be a whole number"),
        ("ppo", {"n_steps": 0}, "n_steps: 0 must be a whole number at least 1"),
        ("stratified", {}, "action_space: Stratified plays mixtures"),
        ("auto", {}, "action_space: Auto plays mixtures"),
        ("auto", {"prior": 0}, "prior: 0 must be a number above 0"),
    ],
)
def test_mistakes_get_one_line(name, options, message, bandit_env):
    with pytest.raises(ConfigError, match=message) as caught:
        make(name, bandit_env(), **options)
    assert "\n" not in str(caught.value)


def test_load_refuses_what_is_no_such_agent(bandit_env, tmp_path):
    with pytest.raises(ConfigError, match="no saved agent"):
        load("exp3s", tmp_path / "none.zip")
    (tmp_path / "junk.zip").write_bytes(b"junk")
    for name in ("exp3s", "ppo"):
        with pytest.raises(ConfigError, match="path: "):
            load(name, tmp_path / "junk.zip")
    make("d-ts", bandit_env()).save(tmp_path / "thompson.zip")
    with pytest.raises(ConfigError, match="holds agent 'DiscountedThompsonAgent'"):
        load("exp3s", tmp_path / "thompson.zip")
    with pytest.raises(ConfigError, match="env: not the spaces"):
        load("d-ts", tmp_path / "thompson.zip", bandit_env(dict_observation=True))


def test_bare_import_is_refused():
    done = subprocess.run([sys.executable, "-c", "import agents"], capture_output=True, text=True, check=False)
    assert "import curriculum_rl.agents" in done.stderr


@pytest.mark.parametrize("name", AGENTS)
def test_a_number_is_no_boolean_and_finite_in_every_option_that_is_one(name):
    cls: Any = class_of(name)
    if issubclass(cls, Shell):
        made: Any = make(name, None)
        given = {**made.settings, **dataclasses.asdict(made.rule)}
    else:
        given = cls.defaults

    def give(option, value):
        return (
            make(name, None, **{option: value}) if issubclass(cls, Shell) else settings_of(name, given, {option: value})
        )

    numbers = [key for key, value in given.items() if isinstance(value, int | float) and not isinstance(value, bool)]
    for option in numbers:
        for value in (True, math.inf, -math.inf, math.nan):
            with pytest.raises(ConfigError, match=f"{option}|{name}"):
                give(option, value)
    assert numbers or name in ("fixed", "static", "schedule")
