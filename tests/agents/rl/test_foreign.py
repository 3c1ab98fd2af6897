"""Files of stable-baselines3: ours open there, theirs come in by the one function that says that it runs code."""

import json
import zipfile
from typing import Any

import numpy as np
import pytest
import stable_baselines3
import torch
from stable_baselines3.common.noise import NormalActionNoise, OrnsteinUhlenbeckActionNoise

from curriculum_rl.agents import AGENTS, load, make
from curriculum_rl.agents.rl import foreign
from curriculum_rl.errors import ConfigError

QUICK: dict[str, Any] = {"learning_starts": 8, "batch_size": 8, "gradient_steps": 1}
OPTIONS: dict[str, dict[str, Any]] = {"ppo": {"n_steps": 8, "batch_size": 8}, "a2c": {"n_steps": 4}}
NAMES = ["ppo", "a2c", "dqn", "sac", "td3", "ac-odm"]
OBSERVATION = np.ones((1, 4), np.float32)


def plain(name: str) -> Any:
    return stable_baselines3.TD3 if name == "ac-odm" else getattr(stable_baselines3, name.upper())


def space(name: str) -> dict[str, Any]:
    return {"mixture": AGENTS[name].action == "mixture"}


def same_networks(one: Any, other: Any) -> bool:
    states = one.get_parameters(), other.get_parameters()
    assert states[0].keys() == states[1].keys()
    return all(
        torch.equal(value, states[1][name][part])
        for name, state in states[0].items()
        if not name.endswith("optimizer")
        for part, value in state.items()
    )


@pytest.mark.parametrize("name", NAMES)
def test_ours_opens_in_plain_stable_baselines3_and_goes_on_there(name, pool, tmp_path):
    agent: Any = make(name, pool(2, **space(name)), seed=0, **OPTIONS.get(name, QUICK)).learn(32)
    foreign.write(agent, tmp_path / "theirs.zip")
    there = plain(name).load(tmp_path / "theirs.zip", env=pool(2, **space(name)))
    assert type(there) is plain(name) and same_networks(agent, there)
    expected, _ = agent.predict(OBSERVATION, deterministic=True)
    assert np.array_equal(there.predict(OBSERVATION, deterministic=True)[0], expected)
    assert there.learn(16, reset_num_timesteps=False).num_timesteps == 48


@pytest.mark.parametrize("name", NAMES)
def test_what_went_out_comes_in_again(name, pool, tmp_path):
    """As a run directory of version 0.1 does, whose agent.zip is such a file."""
    agent: Any = make(name, pool(2, **space(name)), seed=0, **OPTIONS.get(name, QUICK)).learn(32)
    foreign.write(agent, tmp_path / "theirs.zip")
    foreign.read(tmp_path / "theirs.zip").save(tmp_path / "ours")
    again: Any = load(name, tmp_path / "ours", pool(2, **space(name)))
    assert same_networks(agent, again) and again.num_timesteps == 32
    assert np.array_equal(again.probabilities(OBSERVATION), agent.probabilities(OBSERVATION))


@pytest.mark.parametrize("name", NAMES[:-1])
def test_theirs_comes_in(name, pool, tmp_path):
    options = {**OPTIONS.get(name, QUICK), "gamma": 0.9}
    there = plain(name)("MlpPolicy", pool(2, **space(name)), seed=0, **options).learn(32)
    there.save(tmp_path / "theirs.zip")
    foreign.read(tmp_path / "theirs.zip").save(tmp_path / "ours")
    agent: Any = load(name, tmp_path / "ours", pool(2, **space(name)))
    assert agent.gamma == 0.9 and same_networks(agent, there)
    expected, _ = there.predict(OBSERVATION, deterministic=True)
    assert np.array_equal(agent.predict(OBSERVATION, deterministic=True)[0], expected)
    assert agent.learn(16, reset_num_timesteps=False).num_timesteps == 48


def test_the_noise_of_td3_comes_in_where_it_is_the_same_for_every_task(pool, tmp_path):
    def kept(noise: Any) -> Any:
        stable_baselines3.TD3("MlpPolicy", pool(1, mixture=True), action_noise=noise).save(tmp_path / "theirs.zip")
        return foreign.read(tmp_path / "theirs.zip").noise

    assert kept(None) == 0 and kept(NormalActionNoise(np.zeros(5), np.full(5, 0.3))) == 0.3
    for noise in (
        NormalActionNoise(np.ones(5), np.full(5, 0.3)),
        NormalActionNoise(np.zeros(5), np.arange(5.0)),
        OrnsteinUhlenbeckActionNoise(np.zeros(5), np.ones(5)),
    ):
        with pytest.raises(ConfigError, match=r"action_noise: .* is not the same normal noise"):
            kept(noise)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"learning_rate": lambda left: left}, "learning_rate: the schedule .* is neither a number nor"),
        (
            {"policy_kwargs": {"activation_fn": torch.nn.CELU}},
            "policy_kwargs: activation_fn: .*CELU.* is not one of Tanh, ReLU",
        ),
        ({"use_sde": True}, "use_sde: agents here do not explore so"),
        ({"gamma": 1.5}, "gamma: 1.5 must be a number at least 0 and at most 1"),
        ({"policy": type("Mine", (stable_baselines3.ppo.MlpPolicy,), {})}, "policy: 'Mine' is not one of MlpPolicy"),
    ],
)
def test_what_agents_here_do_not_have_is_refused(options, message, pool, tmp_path):
    policy = options.pop("policy", "MlpPolicy")
    stable_baselines3.PPO(policy, pool(1, mixture=True), n_steps=8, batch_size=8, **options).save(
        tmp_path / "theirs.zip"
    )
    with pytest.raises(ConfigError, match=f"path: cannot read .*theirs.zip: {message}") as caught:
        foreign.read(tmp_path / "theirs.zip")
    assert "\n" not in str(caught.value)


def test_options_that_only_they_have_come_in(pool, tmp_path):
    options: dict[str, Any] = {"target_kl": 0.1, "clip_range_vf": 0.3, "stats_window_size": 7}
    there = stable_baselines3.PPO("MlpPolicy", pool(2, mixture=True), n_steps=8, batch_size=8, seed=0, **options)
    there.learn(16).save(tmp_path / "theirs.zip")
    foreign.read(tmp_path / "theirs.zip").save(tmp_path / "ours")
    agent: Any = load("ppo", tmp_path / "ours", pool(2, mixture=True))
    assert (agent.target_kl, agent.clip_range_vf(1)) == (0.1, 0.3)
    assert agent.ep_info_buffer.maxlen == 7 and same_networks(agent, there)
    agent.learn(16)


def test_a_file_of_nothing_is_one_line(pool, tmp_path):
    (tmp_path / "junk.zip").write_bytes(b"junk")
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("data", json.dumps({"colour": "red"}))
    for name, message in (("junk", "File is not a zip file"), ("other", "of no algorithm known here")):
        with pytest.raises(ConfigError, match=f"path: cannot read .*{name}.zip: .*{message}"):
            foreign.read(tmp_path / f"{name}.zip")
    with pytest.raises(ConfigError, match="agent: Exp3Agent has no network"):
        foreign.write(make("exp3", pool(1)), tmp_path / "out.zip")
    assert not (tmp_path / "out.zip").exists()
