"""Agents of the user's own, named `module:Class`: rules that the shell wraps, whole agents, and what is neither."""

import dataclasses
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from curriculum_rl.agents import load, make
from curriculum_rl.agents.entries.bandits import BANDITS
from curriculum_rl.agents.table import AGENTS, class_of, entry, options_of
from curriculum_rl.errors import ConfigError

RULES = ("Sticky", "Looking", "Least")


@pytest.fixture(autouse=True)
def _here(monkeypatch, request):
    monkeypatch.syspath_prepend(request.path.parent)


@pytest.fixture
def env_for(bandit_env):
    options = {"Looking": {"features": True}, "Least": {"mixture": True}}
    return lambda name, **more: bandit_env(**options.get(name, {}), **more)


@pytest.mark.parametrize("name", [*RULES, "Whole"])
def test_it_plays_is_saved_and_goes_on_alike(name, env_for, tmp_path):
    spec = f"own_agents:{name}"
    options = {} if name == "Whole" else {"minimum_share": 0.01}
    agent: Any = make(spec, env_for(name), seed=1, **options).learn(70)
    chances = agent.probabilities(agent._last_obs)
    assert chances.shape == (1, 5) and chances.sum() == pytest.approx(1) and chances.min() >= 0
    agent.save(tmp_path / "agent")
    loaded: Any = load(spec, tmp_path / "agent", env_for(name))
    assert {type(loaded), type(agent)} == {class_of(spec)} and loaded.num_timesteps == 70
    assert np.array_equal(loaded.predict(agent._last_obs)[0], agent.predict(agent._last_obs)[0])
    with pytest.raises(ConfigError, match="unknown option 'colour'"):
        make(spec, None, colour="red")


def test_the_fields_of_a_rule_are_options_and_wrappers_come_for_free(env_for):
    assert options_of("own_agents:Sticky")[:2] == ("stay", "memory") and "guard" in options_of("own_agents:Sticky")
    agent = make("own_agents:Sticky", env_for("Sticky"), stay=0.5, minimum_share=0.05)
    assert agent.probabilities(np.zeros((1, 4)))[0] == pytest.approx([0.05 + 0.75 * 0.6] + [0.05 + 0.75 * 0.1] * 4)
    assert "memory" not in options_of("own_agents:Least")


def test_the_rule_of_the_docs_finds_the_good_task(bandit_env, tmp_path, monkeypatch):
    page = (Path(__file__).parents[2] / "docs" / "agents-bandits.md").read_text()
    (tmp_path / "rule_of_the_docs.py").write_text(re.findall(r"```python\n(.*?)```", page, re.S)[0])
    monkeypatch.syspath_prepend(tmp_path)
    agent = make("rule_of_the_docs:Sticky", bandit_env(), seed=0, stay=0.5).learn(59)
    assert agent.probabilities(np.zeros((1, 4)))[0].tolist() == pytest.approx([0.1, 0.1, 0.1, 0.6, 0.1])


def test_a_mixers_signals_are_requested(env_for):
    env = env_for("Least")
    agent: Any = make("own_agents:Least", env).learn(3)
    assert env.asked == ("heldout_loss",)
    assert agent.probabilities(agent._last_obs)[0].max() > 0.2


@pytest.mark.parametrize(
    ("name", "differs"),
    [
        ("Sticky", {"summary": "Plays one task, mostly."}),
        ("Looking", {"summary": "Plays by a feature.", "env": {"observation": "dict"}}),
        (
            "Least",
            {
                "summary": "More of what is learned least.",
                "action": "mixture",
                "needs_reward": False,
                "needs_signals": True,
                "env": {"signals.every": 8},
            },
        ),
        ("Blind", {"summary": "Sees nothing.", "source": "a test", "needs_reward": False, "sees_target": False}),
        (
            "Remembering",
            {
                "summary": "Over several runs.",
                "action": "mixture",
                "protocol": "pretrained",
                "needs_reward": False,
                "needs_signals": True,
            },
        ),
        ("Whole", {"summary": "An agent of a shell."}),
        ("Network", {"summary": "A policy.", "protocol": "pretrained", "num_envs": 32, "env": dict(AGENTS["ppo"].env)}),
    ],
)
def test_its_entry_follows_from_the_class(name, differs):
    spec = f"own_agents:{name}"
    found = {field.name: getattr(entry(spec), field.name) for field in dataclasses.fields(entry(spec))}
    usual = {field.name: field.default for field in dataclasses.fields(entry(spec))} | {"env": {}, "source": "yours"}
    assert found | {"env": dict(found["env"])} == usual | {"name": spec, "target": spec} | differs


def test_our_own_are_found_by_either_name():
    assert class_of("curriculum_rl.agents.bandits.exp3s:Exp3S") is class_of("exp3s")
    for name, written in AGENTS.items():
        derived = entry(written.target)
        assert (derived.action, derived.protocol) == (written.action, written.protocol)
        assert derived.needs_signals == written.needs_signals or name == "ac-odm"  # its class says nothing of them
        if name in (one.name for one in BANDITS):
            assert derived.env == written.env


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("NUMBER", "is no class"),
        ("Nothing", "has no probabilities or mixture, as rules have, and no learn and predict"),
        (
            "Pickled",
            "has the save of stable-baselines3, whose files run code when they are read; build on .*Pretrained.*",
        ),
        ("Plain", "is no dataclass; the fields of a rule are the agent's options"),
        ("Forgetful", "is no bandit's rule: it has no start, update"),
        ("Unmeasured", "is no mixer's rule: it has no update, signals, a tuple of names"),
        ("Misshapen", r"is no bandit's rule: update does not take \(state, arms, rewards, probabilities\)"),
    ],
)
def test_what_is_no_agent_is_one_line(name, message):
    for asked in (class_of, entry):
        with pytest.raises(ConfigError, match=f"^agent: 'own_agents:{name}' {message}$"):
            asked(f"own_agents:{name}")


def test_other_mistakes_are_one_line(bandit_env):
    with pytest.raises(ConfigError, match="'stable_baselines3:PPO' is no agent: it has no probabilities, obs"):
        class_of("stable_baselines3:PPO")
    with pytest.raises(ConfigError, match=r"agent: probabilities of Beyond must sum to 1 \(got 1.1: 0.924"):
        make("own_agents:Beyond", bandit_env())
    with pytest.raises(ConfigError, match="prior is an option of every agent, and no name for a field"):
        class_of("own_agents:Clashing")
    with pytest.raises(ConfigError, match="memory is an option of every agent, and no name for a field"):
        class_of("own_agents:Keeping")
    with pytest.raises(ConfigError, match="the fields of Unwritten cannot be saved: an array is a rule"):
        make("own_agents:Unwritten", None)
    with pytest.raises(ConfigError, match="missing a required argument: 'window'"):
        make("own_agents:Demanding", None)
    with pytest.raises(ConfigError, match=r"entry must be a dict of some of summary, source, .*'colour': 'red'"):
        entry("own_agents:Boasting")
    with pytest.raises(ConfigError, match="agents: 'no_such:Rule': there is no module 'no_such'"):
        entry("no_such:Rule", "agents")
