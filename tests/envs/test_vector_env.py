"""The vector environment: replica by replica what the single one shows; autoreset, shards, stable-baselines3."""

import os
import signal
import warnings
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium.vector import AutoresetMode
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import VecMonitor, VecNormalize

from curriculum_rl.agents.table import AGENTS, make
from curriculum_rl.envs.pretraining import PretrainingEnv
from curriculum_rl.envs.stable_baselines import make_sb3_vec_env
from curriculum_rl.envs.vector import PretrainingVectorEnv
from curriculum_rl.errors import ConfigError, ShardError
from curriculum_rl.pretraining.counting import stratified_rows

ID = "curriculum_rl.envs:CurriculumRL/Pretraining-v0"
ACTIONS = [[0, 4, 2], [3, 1, 1], [0, 0, 0], [2, 4, 1], [4, 4, 4]] * 10


def single(tiny: dict[str, Any], seed: int, column: int, **options: Any) -> list[Any]:
    """What one environment shows over two episodes of a column of ACTIONS."""
    env = PretrainingEnv(tiny, **options)
    observation, _ = env.reset(seed=seed)
    rows: list[Any] = [observation]
    ends = 0
    for actions in ACTIONS:
        observation, reward, terminated, _, info = env.step(actions[column])
        rows.append((observation, reward, terminated, info["score"], info["loss"], info.get("final")))
        if terminated:
            ends += 1
            if ends == 2:
                break
            rows.append(env.reset()[0])
    return rows


def several(env: PretrainingVectorEnv, seed: int) -> list[list[Any]]:
    """The same of every replica of a vector environment."""
    observation: Any = env.reset(seed=seed)[0]
    rows: list[list[Any]] = [[observation[n]] for n in range(env.num_envs)]
    ends = 0
    for actions in ACTIONS:
        observation, reward, terminated, truncated, info = env.step(np.array(actions))
        assert not truncated.any()
        last = info["final_info"] if terminated.all() else info
        ends += int(terminated.all())
        for n, kept in enumerate(rows):
            final = None
            if terminated[n]:
                losses = {name: loss[n] for name, loss in last["final"]["corpus_losses"].items() if name[0] != "_"}
                names = ("target_loss", "downstream_accuracy", "downstream_log_loss", "mean_corpus_loss")
                final = {**{name: last["final"][name][n] for name in names}, "corpus_losses": losses}
            seen = info["final_obs"][n] if terminated[n] else observation[n]
            kept.append((seen, reward[n], terminated[n], last["score"][n], last["loss"][n], final))
            if terminated[n] and ends < 2:
                kept.append(observation[n])
        if ends == 2:
            break
    return rows


def plain(rows: Any) -> Any:
    """Comparable without numpy's types."""
    if isinstance(rows, dict):
        return {key: plain(value) for key, value in rows.items()}
    if isinstance(rows, list | tuple):
        return [plain(row) for row in rows]
    return np.asarray(rows).tolist() if rows is not None else None


def test_every_replica_sees_what_a_single_environment_sees(tiny: dict[str, Any]) -> None:
    rows = several(PretrainingVectorEnv(tiny, num_envs=3), seed=5)
    for n in range(3):
        assert plain(rows[n]) == plain(single(tiny, 5 + n, n))


def test_shards_change_nothing(tiny: dict[str, Any]) -> None:
    env = PretrainingVectorEnv(tiny, num_envs=3, shards=3)
    rows, counted = several(env, seed=5), env.stratified_rows()
    price = env.signal_price(["duel", "heldout_loss"])
    env.close()
    assert plain(rows) == plain(several(PretrainingVectorEnv(tiny, num_envs=3), seed=5))
    # What counting alone is counted on depends neither on shards nor on replicas.
    assert (
        counted == PretrainingVectorEnv(tiny, num_envs=2).stratified_rows() == stratified_rows(PretrainingEnv(tiny).run)
    )
    assert sum(counted.values()) == 20 * 5
    alone = PretrainingEnv(tiny)
    assert price == pytest.approx(alone.signal_price(["heldout_loss"]) + alone.signal_price(["duel"])) and price > 0


def test_make_vec_builds_it_and_it_declares_its_autoreset(tiny: dict[str, Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        env = gymnasium.make_vec(ID, num_envs=2, config=tiny)
    assert isinstance(env.unwrapped, PretrainingVectorEnv)
    assert env.metadata["autoreset_mode"] == AutoresetMode.SAME_STEP
    env.reset(seed=0)
    observation, reward, *_ = env.step(env.action_space.sample())
    assert env.observation_space.contains(observation)
    assert reward.shape == (2,)


@pytest.mark.parametrize("overrides", [{"action.kind": "mixture"}, {"observation": "dict"}])
def test_other_spaces(tiny: dict[str, Any], overrides: dict[str, Any]) -> None:
    env = PretrainingVectorEnv(tiny, num_envs=3, overrides=overrides)
    observation, _ = env.reset(seed=0)
    env.action_space.seed(0)
    for _ in range(3):
        assert env.observation_space.contains(observation)
        observation, *_ = env.step(env.action_space.sample())


def test_a_state_put_back_continues_exactly(tiny: dict[str, Any]) -> None:
    env = PretrainingVectorEnv(tiny, num_envs=2)
    env.reset(seed=1)
    env.step(np.array([0, 1]))
    state = env.get_state()
    rows = [env.step(np.array([2, a]))[1].tolist() for a in range(4)]
    other = PretrainingVectorEnv(tiny, num_envs=2)
    other.reset(seed=9)
    other.set_state(state)
    assert [other.step(np.array([2, a]))[1].tolist() for a in range(4)] == rows


@pytest.mark.parametrize(
    ("num_envs", "shards", "message"),
    [(0, 1, "num_envs: must be at least 1"), (3, 2, "shards: must be a divisor of num_envs, which is 3")],
)
def test_wrong_numbers(tiny: dict[str, Any], num_envs: int, shards: int, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        PretrainingVectorEnv(tiny, num_envs=num_envs, shards=shards)


def test_a_wrong_action_is_named_and_loses_nothing(tiny: dict[str, Any]) -> None:
    env = PretrainingVectorEnv(tiny, num_envs=2)
    env.reset(seed=0)
    with pytest.raises(ValueError, match="actions: 3 for 2 replicas"):
        env.step(np.array([0, 0, 0]))
    with pytest.raises(ValueError, match="action: task 7"):
        env.step(np.array([0, 7]))
    with pytest.raises(ValueError, match="options"):
        env.reset(options={"reset_mask": np.array([True, False])})
    env.step(np.array([0, 1]))


def test_a_worker_that_raises_shows_its_traceback(tiny: dict[str, Any]) -> None:
    env = PretrainingVectorEnv(tiny, num_envs=2, shards=2)
    env.reset(seed=0)
    with pytest.raises(ShardError, match=r"(?s)shard 1 failed:.*Traceback.*action: task 99"):
        env.step(np.array([0, 99]))
    with pytest.raises(ShardError, match="closed"):
        env.step(np.array([0, 0]))


def test_a_worker_that_dies_is_reported(tiny: dict[str, Any]) -> None:
    env = PretrainingVectorEnv(tiny, num_envs=2, shards=2)
    env.reset(seed=0)
    os.kill(env._replicas._workers[1].pid, signal.SIGKILL)  # type: ignore[union-attr]
    with pytest.raises(ShardError, match=r"shard 1 failed:\nit died without a word \(exit code -9\)"):
        env.step(np.array([0, 0]))


def test_a_mistake_of_the_users_is_one_line_from_a_worker_too(tiny: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"^budget: .* do not pay"):
        PretrainingVectorEnv(tiny, num_envs=2, shards=2, overrides={"budget": {"updates": 1}})


def test_ppo_with_sb3s_wrappers_and_callbacks(tiny: dict[str, Any]) -> None:
    class Ends(BaseCallback):
        infos: list[Any]

        def _on_training_start(self) -> None:
            self.infos = []

        def _on_step(self) -> bool:
            self.infos += [info for info in self.locals["infos"] if "final" in info]
            return True

    ends = Ends()
    env = VecNormalize(VecMonitor(make_sb3_vec_env(tiny, num_envs=4, seed=3)))
    agent = PPO("MlpPolicy", env, n_steps=8, batch_size=16, n_epochs=1, seed=0)
    weight: Any = agent.policy.action_net.weight
    before = weight.clone()
    agent.learn(96, callback=ends)
    assert not torch.equal(before, weight)
    assert len(ends.infos) == 4 * (24 // int(agent.ep_info_buffer[0]["l"]))  # type: ignore[index]
    assert all(np.isfinite(info["terminal_observation"]).all() for info in ends.infos)


@pytest.mark.parametrize("name", sorted(AGENTS))
def test_every_agent_plays_several_replicas(tiny: dict[str, Any], name: str) -> None:
    kind = AGENTS[name].action
    overrides = dict(AGENTS[name].env) | ({} if kind == "any" else {"action.kind": kind})
    if AGENTS[name].needs_signals:
        overrides["budget.updates"] = 80
    env = make_sb3_vec_env(tiny, num_envs=3, overrides=overrides, downstream=False)
    agent: Any = make(name, env, seed=0)
    agent.learn(6)
    assert np.allclose(agent.probabilities(agent._last_obs).sum(axis=1), 1)
