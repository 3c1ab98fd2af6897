"""The options of agents with a network: one table of defaults a class, checked, documented, handed on and kept."""

import inspect
import math
import re
from functools import partial
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import stable_baselines3
import torch
from stable_baselines3.common.utils import LinearSchedule

from curriculum_rl.agents import AGENTS, load, make
from curriculum_rl.agents.rl.options import OPTIONS, settings_of
from curriculum_rl.agents.rule import check
from curriculum_rl.agents.table import class_of, options_of
from curriculum_rl.errors import ConfigError

NAMES = ["ppo", "a2c", "dqn", "sac", "td3", "ac-odm"]
DOCS = Path(__file__).resolve().parents[3] / "docs" / "agents-rl.md"
PLAIN: dict[str, Any] = {name: getattr(stable_baselines3, name.upper()) for name in NAMES[:-1]}
PLAIN["ac-odm"] = stable_baselines3.TD3
CLASSES: dict[str, Any] = {name: class_of(name) for name in NAMES}
OWN = {"noise", "smoothing", "task_columns", "run_columns"}  # stable-baselines3's constructors do not take them
OTHER: dict[str, Any] = {
    "learning_rate": 2e-3,
    "n_steps": 6,
    "batch_size": 4,
    "n_epochs": 3,
    "gamma": 0.5,
    "gae_lambda": 0.6,
    "clip_range": 0.3,
    "ent_coef": 0.2,
    "vf_coef": 0.7,
    "max_grad_norm": 0.8,
    "use_rms_prop": True,
    "normalize_advantage": False,
    "buffer_size": 64,
    "learning_starts": 7,
    "tau": 0.25,
    "train_freq": 2,
    "gradient_steps": 3,
    "target_update_interval": 5,
    "exploration_fraction": 0.75,
    "exploration_initial_eps": 0.9,
    "exploration_final_eps": 0.15,
    "target_entropy": -2.5,
    "noise": 0.35,
    "policy_delay": 4,
    "target_policy_noise": 0.15,
    "target_noise_clip": 0.45,
    "smoothing": 0.55,
    "task_columns": (1,),
    "run_columns": (0, 2),
    "policy_kwargs": {"net_arch": [8]},
    "tensorboard_log": None,
    "verbose": 0,
    "device": "cpu",
}


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def env_of(pool):
    return lambda name, count=2, **options: pool(count, mixture=AGENTS[name].action == "mixture", **options)


def test_options_are_the_defaults_and_each_is_explained(name):
    assert options_of(name) == ("policy", *CLASSES[name].defaults)
    for option in options_of(name):
        assert OPTIONS[option].meaning and OPTIONS[option].source
    assert set(OPTIONS) == {option for one in NAMES for option in options_of(one)}


def test_stable_baselines3_gets_the_defaults_and_what_replaces_them(name, env_of, monkeypatch):
    received: dict[str, Any] = {}
    monkeypatch.setattr(PLAIN[name], "__init__", lambda self, policy, env, **given: received.update(given))
    defaults = CLASSES[name].defaults
    ddpg = {"policy_delay": 1, "target_policy_noise": 0, "target_noise_clip": 0}
    fixed = ddpg if name == "ac-odm" else {}
    by_replicas = {"ppo": {"n_steps": 128, "batch_size": 256}, "a2c": {"n_steps": 64}}.get(name, {})
    for given, found in (({}, by_replicas), ({option: OTHER[option] for option in defaults}, {})):
        make(name, env_of(name), seed=3, **given)
        expected = {option: value for option, value in {**defaults, **given, **found}.items() if option not in OWN}
        expected["policy_kwargs"] = {**({"n_critics": 1} if name == "ac-odm" else {}), **given.get("policy_kwargs", {})}
        assert received == {**expected, **fixed, "seed": 3, "_init_setup_model": True}


def test_a_default_is_stable_baselines3s_or_a_docstring_says_why_not(name):
    theirs = inspect.signature(PLAIN[name].__init__).parameters
    reasons = " ".join(inspect.getdoc(cls) or "" for cls in CLASSES[name].__mro__ if "curriculum_rl" in cls.__module__)
    for option, default in CLASSES[name].defaults.items():
        if option not in theirs or theirs[option].default != default:
            assert re.search(rf"\b{option}\b", reasons), option


def test_an_unknown_option_is_named_and_the_known_ones_are_listed(name, env_of):
    known = ", ".join(options_of(name))
    message = f"colour: {CLASSES[name].__name__} has no such option, but: {known}"
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        CLASSES[name](None, env_of(name), colour=1)
    with pytest.raises(ConfigError, match=re.escape(f"agent {name}: unknown option 'colour'; it has: {known}")):
        make(name, env_of(name), colour=1)


def test_every_default_may_be_given_and_what_is_no_number_may_not(name):
    defaults = CLASSES[name].defaults
    assert settings_of("X", defaults, defaults) == dict(defaults)
    for option, default in defaults.items():
        if OPTIONS[option].bounds is None:
            continue
        for bad in (math.nan, [1], b"1", None if default is not None else "1"):
            with pytest.raises(ConfigError, match=f"^{option}: .* must be "):
                settings_of("X", defaults, {option: bad})


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("ppo", {"gamma": 1.01}, "gamma: 1.01 must be a number at least 0 and at most 1"),
        ("ppo", {"clip_range": 0}, "clip_range: 0 must be a number above 0"),
        ("ppo", {"batch_size": 1}, "batch_size: 1 must be a whole number at least 2"),
        ("ppo", {"n_steps": 1}, "n_steps: 1 of 1 replicas must be at least 2 segments together"),
        ("ppo", {"n_epochs": 2.5}, "n_epochs: 2.5 must be a whole number at least 1"),
        ("a2c", {"use_rms_prop": 1}, "use_rms_prop: 1 must be true or false"),
        ("a2c", {"ent_coef": "auto"}, "ent_coef: auto must be a number at least 0"),
        ("dqn", {"exploration_final_eps": -0.1}, "exploration_final_eps: -0.1 must be a number at least 0"),
        ("sac", {"tau": "fast"}, "tau: fast must be a number"),
        ("td3", {"gradient_steps": -2}, "gradient_steps: -2 must be a whole number at least -1"),
        ("ac-odm", {"policy_delay": 2}, "policy_delay: ACODM has no such option"),
    ],
)
def test_bounds(name, options, message, env_of):
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}"):
        CLASSES[name](None, env_of(name, 1), **options)


def test_a_whole_number_may_be_written_as_a_real_one(env_of):
    agent: Any = make("dqn", env_of("dqn"), buffer_size=1e2, batch_size=np.float32(4)).learn(4)
    assert repr((agent.buffer_size, agent.batch_size)) == "(100, 4)"


def test_a_learning_rate_may_be_a_straight_line_and_no_other_function(name, env_of, tmp_path):
    agent: Any = make(name, env_of(name), learning_rate=LinearSchedule(1e-3, 0, 1.0))
    agent.save(tmp_path / "agent")
    again: Any = load(name, tmp_path / "agent")
    for one in (agent, again):
        assert one.lr_schedule(0.5) == 5e-4 and one.learning_rate.end == 0
    for wrong, words in (
        (lambda left: 1e-3 * left, "function cannot be saved; a number, or stable_baselines3.*LinearSchedule"),
        (LinearSchedule(-1, 0, 1), "start: -1 must be a number at least 0"),
        (LinearSchedule(1, 0, 0), "end_fraction: 0 must be a number above 0"),
    ):
        with pytest.raises(ConfigError, match=f"learning_rate: {words}"):
            make(name, env_of(name), learning_rate=wrong)


def value(agent: Any, option: str) -> Any:
    found = getattr(agent, option)
    if option == "train_freq":
        return found.frequency
    return found(1.0) if option == "clip_range" else found


def test_loading_keeps_the_options(name, env_of, tmp_path):
    env = env_of(name, features=True)
    given = {option: OTHER[option] for option in CLASSES[name].defaults}
    agent: Any = make(name, env, seed=0, **given).learn(24)
    agent.save(tmp_path / "agent")
    kept = {option: wanted for option, wanted in given.items() if hasattr(agent, option) and option != "policy_kwargs"}
    assert set(given) - set(kept) <= {"use_rms_prop", "task_columns", "run_columns", "policy_kwargs"}
    assert given["policy_kwargs"].items() <= agent.policy_kwargs.items()
    assert given["policy_kwargs"] == {"net_arch": [8]}, "the user's dict is not written into"
    saved = tmp_path / "agent"
    both: list[Any] = [load(name, saved), load(name, saved, env_of(name, features=True))]
    for loaded in both:
        assert {option: value(loaded, option) for option in kept} == {**kept, "device": torch.device("cpu")}
        assert loaded.policy_kwargs == agent.policy_kwargs
        assert loaded.policy.optimizer_class is agent.policy.optimizer_class


def test_parameters_of_one_agent_can_be_set_in_another(name, env_of):
    made: list[Any] = [make(name, env_of(name), seed=seed) for seed in (0, 1)]
    first, second = made
    observation = np.ones((1, 4), np.float32)
    assert not np.array_equal(first.probabilities(observation), second.probabilities(observation)) or name == "dqn"
    second.set_parameters(first.get_parameters())
    assert np.array_equal(first.probabilities(observation), second.probabilities(observation))


def test_ac_odm_sees_its_columns_also_where_the_env_is_an_id(bandit_env):
    columns: Any = partial(bandit_env, mixture=True, features=True)
    gymnasium.register("Columns-v0", columns)
    try:
        agent: Any = make("ac-odm", "Columns-v0", task_columns=(1,))
    finally:
        del gymnasium.registry["Columns-v0"]
    assert agent.policy_kwargs == {"n_critics": 1, "task_columns": (1,), "run_columns": (0,)}


def allowed(option: str) -> str:
    """What a value must be, in words: what the error for one that is not says after "must be"."""
    known = OPTIONS[option]
    if known.bounds is None:
        return ""
    if any(isinstance(one.defaults.get(option), bool) for one in CLASSES.values()):
        return "true or false"
    with pytest.raises(ConfigError) as caught:
        check(option, math.nan, **known.bounds)
    words = str(caught.value).partition("must be ")[2]
    return f"{words}, or a `LinearSchedule`" if known.scheduled else words


def test_the_page_has_every_option():
    """The table of docs/agents-rl.md, which nobody has to keep by hand: on a failure it shows what to put there."""
    lines = [f"| option | {' | '.join(f'`{name}`' for name in NAMES)} | what it is | must be | source |"]
    lines.append(f"| --- {'| --- ' * len(NAMES)}| --- | --- | --- |")
    for option, known in OPTIONS.items():
        tables = [{"policy": None, **CLASSES[name].defaults} for name in NAMES]
        cells = [str(table[option]) if option in table else "" for table in tables]
        row = (f"`{option}`", *cells, known.meaning, allowed(option), known.source)
        lines.append("|" + "|".join(f" {cell} " if cell else " " for cell in row) + "|")
    table = "\n".join(lines)
    assert table in DOCS.read_text(), table
