"""Files of agents with a network: nothing is lost, what is continued continues to the bit, and nothing else gets in."""

import copy
import re
from collections import deque
from typing import Any

import numpy as np
import pytest
import torch
from stable_baselines3.common.callbacks import CheckpointCallback

from curriculum_rl.agents import AGENTS, load, make
from curriculum_rl.agents.rl import members, schedules
from curriculum_rl.agents.rl.ppo import PPO
from curriculum_rl.agents.saving import archive
from curriculum_rl.agents.table import class_of
from curriculum_rl.errors import ConfigError

QUICK: dict[str, Any] = {"learning_starts": 8, "batch_size": 8, "gradient_steps": 1, "buffer_size": 200}
OPTIONS: dict[str, dict[str, Any]] = {
    "ppo": {"n_steps": 8, "batch_size": 8},
    "a2c": {"n_steps": 4},
    "ac-odm": {**QUICK, "task_columns": (1,), "run_columns": (0, 2)},
}
NAMES = ["ppo", "a2c", "dqn", "sac", "td3", "ac-odm"]
CASES = [(name, parts) for name in NAMES for parts in ("array", "two", "features")]


def made(name: str, pool: Any, parts: str = "features", **options: Any) -> Any:
    return make(name, env_of(name, pool, parts), **{"seed": 0, **OPTIONS.get(name, QUICK), **options})


def env_of(name: str, pool: Any, parts: str = "features") -> Any:
    spaces = {"array": {}, "two": {"dict_observation": True}, "features": {"features": True}}[parts]
    return pool(2, horizon=10, mixture=AGENTS[name].action == "mixture", **spaces)


def same(one: Any, other: Any) -> bool:
    """Whether two values are alike in type and in every number."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple | deque):
        lengths = getattr(one, "maxlen", None) == getattr(other, "maxlen", None) and len(one) == len(other)
        return lengths and all(map(same, one, other))
    if isinstance(one, torch.Tensor):
        one, other = one.detach().numpy(), other.detach().numpy()
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
    if callable(one):
        return bool(schedules.describe(one) == schedules.describe(other))
    return bool(one == other)


@pytest.mark.parametrize(("name", "parts"), CASES)
def test_every_member_is_kept_or_there_is_a_reason_why_not(name, parts, pool, tmp_path):
    """A member that a new stable-baselines3 brings is kept too, or fails here."""
    agent = made(name, pool, parts).learn(32)
    agent.save(tmp_path / "agent")
    for env in (None, env_of(name, pool, parts)):
        again: Any = load(name, tmp_path / "agent", env)
        assert same(agent.get_parameters(), again.get_parameters())
        for member, value in vars(agent).items():
            if member not in members.REBUILT:
                assert same(value, vars(again)[member]), member
        for member in ("policy_class", "observation_space", "action_space", "algorithm", "device"):
            assert getattr(agent, member) == getattr(again, member), member
        made_anew = (
            "lr_schedule",
            "rollout_buffer_class",
            "replay_buffer_class",
            "log_ent_coef",
            "exploration_schedule",
        )
        for member in made_anew:
            one, other = getattr(agent, member, None), getattr(again, member, None)
            assert vars(one) == vars(other) if member == "exploration_schedule" and one else same_object(one, other)
        assert repr(getattr(again.action_noise, "_sigma", None)) == repr(
            agent.action_noise.noises[0]._sigma if agent.action_noise else None
        )


def same_object(one: Any, other: Any) -> bool:
    return one is other if isinstance(one, type) else same(one, other)


def test_what_is_not_kept_has_a_reason_and_is_a_member(pool):
    there = {member for name in NAMES for member in vars(made(name, pool).learn(16))}
    there |= set(vars(make("sac", pool(1, mixture=True), ent_coef=0.1)))
    assert all(members.REBUILT.values()) and set(members.REBUILT) <= there


@pytest.mark.parametrize("name", NAMES)
def test_what_is_loaded_goes_on_to_the_bit(name, pool, tmp_path):
    agent = made(name, pool).learn(32)
    agent.save(tmp_path / "agent")
    replays = hasattr(agent, "replay_buffer")
    if replays:
        agent.save_replay_buffer(tmp_path / "buffer")
    env, observed = copy.deepcopy(agent.env), copy.deepcopy((agent._last_obs, agent._last_episode_starts))
    drawn = torch.get_rng_state(), np.random.get_state()  # noqa: NPY002
    agent.learn(32, reset_num_timesteps=False)
    again: Any = load(name, tmp_path / "agent", env)
    if replays:
        again.load_replay_buffer(tmp_path / "buffer")
    again._last_obs, again._last_episode_starts = observed
    torch.set_rng_state(drawn[0])
    np.random.set_state(drawn[1])  # noqa: NPY002
    again.learn(32, reset_num_timesteps=False)
    assert agent.num_timesteps == again.num_timesteps == 64
    assert same(agent.get_parameters(), again.get_parameters())
    assert not replays or np.array_equal(agent.replay_buffer.rewards, again.replay_buffer.rewards)


def test_stable_baselines3s_callback_leaves_files_that_are_read(pool, tmp_path):
    agent = made("dqn", pool)
    agent.learn(40, CheckpointCallback(10, str(tmp_path), save_replay_buffer=True))
    again: Any = load("dqn", tmp_path / "rl_model_40_steps.zip", env_of("dqn", pool))
    again.load_replay_buffer(tmp_path / "rl_model_replay_buffer_40_steps.pkl")
    assert again.num_timesteps == 40 and again.replay_buffer.pos == 19
    with pytest.raises(ConfigError, match=r"path: cannot read .*: position: 19 is no place in a buffer of 5"):
        made("dqn", pool, buffer_size=10).load_replay_buffer(tmp_path / "rl_model_replay_buffer_40_steps.pkl")
    with pytest.raises(
        ConfigError, match=r"path: cannot read .*: observations : must be|observations: run, tasks must be"
    ):
        made("dqn", pool, "array").load_replay_buffer(tmp_path / "rl_model_replay_buffer_40_steps.pkl")
    with pytest.raises(ConfigError, match="holds agent 'DQN', not 'replay buffer'"):
        agent.load_replay_buffer(tmp_path / "rl_model_40_steps.zip")


@pytest.mark.parametrize("name", NAMES)
def test_parameters_alone_are_taken_from_a_file_or_a_dict(name, pool, tmp_path):
    agent = made(name, pool).learn(32)
    agent.save(tmp_path / "agent")
    for given in (tmp_path / "agent", str(tmp_path / "agent.zip"), agent.get_parameters()):
        other = made(name, pool, seed=1)
        other.set_parameters(given)
        assert same(agent.get_parameters(), other.get_parameters())
    with pytest.raises(ConfigError, match=r"path: cannot read .*agent.zip: policy: .* is "):
        made(name, pool, policy_kwargs={"width": 5}).set_parameters(tmp_path / "agent")


class Extended(PPO):
    """A policy of a user's own, with members of its own."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.best: Any = float("-inf")
        self.seen: Any = np.zeros(3)


def test_members_of_a_class_of_ones_own_are_kept_or_refused_before_it_learns(pool, tmp_path):
    agent: Any = Extended(None, env_of("ppo", pool), n_steps=8, batch_size=8, seed=0)
    agent.best, agent.seen = 1.5, np.array([1, 2, np.nan])
    agent.learn(16).save(tmp_path / "agent")
    again: Any = Extended.load(tmp_path / "agent")
    assert again.best == 1.5 and same(agent.seen, again.seen)
    agent.best = print
    for act in (lambda: agent.learn(16), lambda: agent.save(tmp_path / "other")):
        with pytest.raises(ConfigError, match="agent: Extended cannot be saved: best: builtin"):
            act()
    assert not (tmp_path / "other.zip").exists()


CLASSES = {"activation_fn": "ReLU", "optimizer_class": "RMSprop", "features_extractor_class": "FlattenExtractor"}


def test_classes_of_policy_kwargs_come_from_a_short_list_by_name(pool, tmp_path):
    agent = made("ppo", pool, "array", policy_kwargs={**CLASSES, "net_arch": {"pi": [8], "vf": [4, 4]}}).learn(16)
    agent.save(tmp_path / "agent")
    again: Any = load("ppo", tmp_path / "agent")
    assert again.policy_kwargs == agent.policy_kwargs and same(agent.get_parameters(), again.get_parameters())
    assert type(again.policy.optimizer) is torch.optim.RMSprop and again.policy.activation_fn is torch.nn.ReLU
    for key, value, message in (
        ("activation_fn", torch.nn.CELU, "activation_fn: <class .*CELU'> is not one of Tanh, ReLU"),
        ("activation_fn", "os:system", "activation_fn: 'os:system' is not one of Tanh, ReLU"),
        ("optimizer_class", "Rprop", "optimizer_class: 'Rprop' is not one of Adam, "),
        ("net_arch", len, "net_arch: builtin_function_or_method is neither number, text"),
    ):
        with pytest.raises(ConfigError, match=f"^policy_kwargs: {message}"):
            made("ppo", pool, "array", policy_kwargs={key: value})


def test_a_policy_of_ones_own_has_a_name_in_an_agent_of_ones_own(pool, tmp_path):
    mine = type("Mine", (PPO.policy_aliases["MlpPolicy"],), {})
    with pytest.raises(ConfigError, match=r"policy: 'Mine' is not one of MlpPolicy, .* an agent class of your own"):
        made("ppo", pool, "array", policy=mine)
    known: Any = type("Known", (PPO,), {"policy_aliases": {**PPO.policy_aliases, "Mine": mine}})
    known("Mine", env_of("ppo", pool, "array"), n_steps=8, batch_size=8).save(tmp_path / "agent")
    assert type(known.load(tmp_path / "agent").policy) is mine


def changed(saved: Any, path: str, value: Any) -> None:
    *above, last = [int(key) if key.isdigit() else key for key in path.split("/")]
    for key in above:
        saved = saved[key]
    if value is None:
        del saved[last]
    else:
        saved[last] = value(saved[last]) if callable(value) else value


HOSTILE: list[tuple[str, str, Any, str]] = [
    ("ppo", "members/gamma", 2, "gamma: 2 must be a number at least 0 and at most 1"),
    ("ppo", "members/gamma", "one", "gamma: one must be"),
    ("ppo", "members/gamma", float("nan"), "gamma: nan must be"),
    ("ppo", "members/seed", -1, "seed: -1 must be a whole number at least 0"),
    ("ppo", "members/n_envs", 10**9, "n_envs: 1000000000 must be a whole number at least 1 and at most 65536"),
    ("ppo", "members/num_timesteps", -5, "num_timesteps: -5 must be a whole number at least 0"),
    ("ppo", "members/num_timesteps", [1], r"num_timesteps: \[1\] must be a number"),
    ("ppo", "members/n_steps", 10**15, ""),
    ("ppo", "members/verbose", True, "verbose: True must be"),
    ("ppo", "members/policy", 3, "policy is no member that a file holds"),
    ("ppo", "members/env", "evil:Env-v0", "env is no member that a file holds"),
    ("ppo", "members/predict", 3, "predict is no member that a file holds"),
    ("ppo", "members/__class__", 3, "__class__ is no member that a file holds"),
    ("ppo", "members/tensorboard_log", "/etc", "tensorboard_log is no member that a file holds"),
    ("ppo", "members/clip_range", {"linear": {"start": 1}}, "clip_range: .*missing 2 required"),
    ("ppo", "members/clip_range", {"os": "system"}, r"\['os'\] is no schedule"),
    ("ppo", "members/learning_rate", "fast", "learning_rate: fast must be"),
    ("ppo", "members/ep_info_buffer", [[1]], r"\[1\] is nothing that an episode ends with"),
    ("ppo", "members/policy_kwargs", {"activation_fn": "os:system"}, "activation_fn: 'os:system' is not one of"),
    ("ppo", "members/policy_kwargs", {"width": 10**6}, "ask for larger networks than it holds"),
    ("ppo", "members/policy_kwargs", {"width": "wide"}, ""),
    ("ppo", "members/policy_kwargs", {"colour": 1}, "unexpected keyword argument 'colour'"),
    ("td3", "members/policy_kwargs", {"n_critics": 10**9}, "ask for larger networks than it holds"),
    ("ppo", "members", [], ""),
    ("ppo", "members", None, "it has no 'members'"),
    ("ppo", "policy", "curriculum_rl.agents.rl.equivariant:EquivariantPolicy", "it has no 'curriculum_rl"),
    ("ppo", "policy", None, "it has no 'policy'"),
    ("ppo", "action_space", {"kind": "discrete", "n": 10**30, "start": 0}, ""),
    ("ppo", "action_space", {"kind": "discrete", "n": 0, "start": 0}, ""),
    ("ppo", "action_space", {"kind": "text"}, "'text' is no kind of space"),
    ("ppo", "observation_space/spaces/tasks/low", np.zeros(7, np.float32), ""),
    ("ppo", "parameters/states/policy", lambda state: {}, r"policy has , not "),
    ("ppo", "parameters/states/policy", lambda state: list(state.values()), ""),
    ("ppo", "parameters/states/policy.optimizer", None, "it has policy, not policy, policy.optimizer"),
    ("ppo", "parameters/states/policy/value_net.bias", torch.zeros(2), r"value_net.bias is \(\(2,\).* not \(\(1,\)"),
    (
        "ppo",
        "parameters/states/policy/value_net.bias",
        torch.zeros(1, dtype=torch.int32),
        r"not \(\(1,\), torch.float32",
    ),
    ("ppo", "parameters/states/policy/value_net.bias", torch.full((1,), np.nan), "has numbers that are not finite"),
    ("ppo", "parameters/states/policy/value_net.bias", "0", r"value_net.bias is str, not \(\(1,\)"),
    ("ppo", "parameters/states/policy.optimizer/state/0/exp_avg", torch.zeros(3), r"0: exp_avg is \(\(3,\)"),
    (
        "ppo",
        "parameters/states/policy.optimizer/state/0/exp_avg",
        None,
        "policy.optimizer: 0 has step, exp_avg_sq, not",
    ),
    ("ppo", "parameters/states/policy.optimizer/state/99", lambda _: {}, ""),
    ("ppo", "parameters/states/policy.optimizer/param_groups/0/lr", float("nan"), "lr: nan must be"),
    ("ppo", "parameters/states/policy.optimizer/param_groups/0/betas", (2.0, 2.0), "betas: .* as policy_kwargs has it"),
    ("ppo", "parameters/states/policy.optimizer/param_groups", [], "has 0 groups, not 1"),
    ("sac", "parameters/tensors/log_ent_coef", torch.zeros(2), "log_ent_coef is"),
    ("sac", "parameters/tensors", {}, "it has , not log_ent_coef"),
    ("sac", "members/ent_coef", "auto_x", ""),
    ("ac-odm", "members/smoothing", 7, "smoothing: 7 must be"),
    ("ac-odm", "members/_aligned", [1], "_aligned: must be an array"),
    ("ac-odm", "members/policy_kwargs/task_columns", (True,), r"task_columns: \[True\] must be numbers from 0 to 1"),
]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """What a file of each agent holds."""
    from curriculum_rl.testing import envs

    found = {}
    for name in ("ppo", "td3", "sac", "ac-odm"):
        path = tmp_path_factory.mktemp("files") / name
        made(name, envs.pool).learn(16).save(path)
        found[name] = archive.read(path)
    return found


@pytest.mark.parametrize(("name", "path", "value", "message"), HOSTILE)
def test_whatever_a_file_says_it_is_loaded_whole_or_refused_in_one_line(name, path, value, message, files, tmp_path):
    content = copy.deepcopy(files[name].content)
    if path.endswith("state/99"):
        content["parameters"]["states"]["policy.optimizer"]["state"][99] = {}
    changed(content, path, value)
    archive.write(tmp_path / "agent.zip", files[name].agent, content)
    with pytest.raises(
        ConfigError, match=rf"^path: cannot read {re.escape(str(tmp_path))}/agent.zip: .*{message}"
    ) as caught:
        load(name, tmp_path / "agent.zip")
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 700


JUNK: list[Any] = [None, "x", -1, 2.5, float("nan"), [], {}, True, np.zeros(3), "os:system", (1, 2)]


def places(value: Any, place: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    below = value.items() if isinstance(value, dict) and len(place) < 2 else ()
    return [place, *(more for key, part in below for more in places(part, (*place, str(key))))]


def test_junk_in_any_place_is_refused_in_one_line_or_does_no_harm(files, pool, tmp_path):
    """Every value of a file by turns, each replaced by two of those above."""
    refused = 0
    for number, place in enumerate(places(files["ppo"].content)[1:]):
        for junk in (JUNK[number % len(JUNK)], JUNK[(number + 5) % len(JUNK)]):
            content = copy.deepcopy(files["ppo"].content)
            changed(content, "/".join(place), lambda _, junk=junk: junk)
            archive.write(tmp_path / "agent.zip", "PPO", content)
            try:
                agent: Any = load("ppo", tmp_path / "agent.zip", env_of("ppo", pool))
            except ConfigError as error:
                refused += 1
                assert "agent.zip" in str(error) and "\n" not in str(error)
            else:
                agent.predict(agent.env.reset())
    assert refused > 50


def test_the_file_under_test_loads_where_nothing_is_changed(files, tmp_path):
    for name, saved in files.items():
        archive.write(tmp_path / "agent.zip", saved.agent, copy.deepcopy(saved.content))
        assert type(load(name, tmp_path / "agent.zip")) is class_of(name)
