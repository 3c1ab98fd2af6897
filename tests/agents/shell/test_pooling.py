"""One memory for the N replicas of a VecEnv, or one for each: what is shared, what is not, and what it brings."""

from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import DummyVecEnv

from curriculum_rl.agents import load, make
from curriculum_rl.errors import ConfigError

both = pytest.mark.parametrize("pooled", [True, False])
quick = pytest.mark.parametrize("bandit", ["exp3s", "sw-ucb", "d-ts"])


class Gaussian(gym.Env):
    """Six tasks for ever, arm 2 better by one standard deviation; an episode has `horizon` decisions."""

    observation_space = spaces.Box(-1, 1, (4,), np.float32)
    action_space = spaces.Discrete(6)

    def __init__(self, horizon=1000):
        self.horizon = horizon

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.time = 0
        return np.zeros(4, np.float32), {}

    def step(self, action):
        self.time += 1
        gain = float(action == 2) + float(self.np_random.standard_normal())
        return np.zeros(4, np.float32), gain, self.time >= self.horizon, False, {}


class Rows(BaseCallback):
    """Actions and probabilities of every decision."""

    def __init__(self):
        super().__init__()
        self.actions, self.probabilities = [], []

    def _on_step(self) -> bool:
        self.actions.append(np.array(self.locals["actions"]))
        self.probabilities.append(self.locals["probabilities"].copy())
        return True


def envs(count, *horizons):
    horizons = horizons or (1000,) * count
    return DummyVecEnv([partial(Gaussian, h) for h in horizons])


def played(bandit, env, decisions, **options):
    rows = Rows()
    agent = make(bandit, env, **{"seed": 0, **options}).learn(decisions * env.num_envs, rows)
    return agent, np.array(rows.actions), np.array(rows.probabilities)


def observations(count):
    return np.zeros((count, 4), np.float32)


def test_with_one_replica_both_are_the_same_bits(bandit):
    _, actions, probabilities = played(bandit, envs(1), 120, pool=True)
    _, other_actions, other_probabilities = played(bandit, envs(1), 120, pool=False)
    assert np.array_equal(actions, other_actions) and np.array_equal(probabilities, other_probabilities)


@quick
def test_pooled_replicas_share_probabilities_and_draw_for_themselves(bandit):
    _, actions, probabilities = played(bandit, envs(4), 60)
    assert np.array_equal(probabilities, probabilities[:, :1].repeat(4, axis=1))
    assert (actions[0] != actions[0, 0]).any()
    _, _, apart = played(bandit, envs(4), 60, pool=False)
    assert not np.array_equal(apart, apart[:, :1].repeat(4, axis=1))


@quick
def test_pooling_finds_the_best_task_after_fewer_decisions(bandit):
    """Decisions until the best task has the highest mean probability for ten in a row, over 20 seeds."""

    def needed(count, seed):
        _, _, probabilities = played(bandit, envs(count), 150, seed=seed)
        leads = probabilities[:, 0].argmax(axis=1) == 2
        runs = np.convolve(leads, np.ones(10), "valid") == 10
        return int(runs.argmax()) if runs.any() else 150

    alone, together = (np.mean([needed(count, seed) for seed in range(20)]) for count in (1, 8))
    assert together < alone / 2


@both
@pytest.mark.parametrize("count", [1, 4])
def test_save_and_load_in_the_middle_go_on_alike(bandit, count, pooled, tmp_path):
    agent, _, _ = played(bandit, envs(count), 25, pool=pooled)
    agent.save(tmp_path / "agent")
    loaded: Any = load(bandit, tmp_path / "agent")
    assert loaded.pool is pooled
    for _ in range(30):
        actions, _ = agent.predict(observations(count))
        assert np.array_equal(loaded.predict(observations(count))[0], actions)
        infos = [{"gain": float(action == 2), "failed": False} for action in actions]
        for one in (agent, loaded):
            one.observe(actions, np.zeros(count), np.zeros(count, bool), infos)
        assert np.array_equal(agent.probabilities(observations(count)), loaded.probabilities(observations(count)))


@both
@quick
@pytest.mark.parametrize("count", [1, 4])
def test_forgetting_and_new_draws(bandit, count, pooled):
    agent, first, probabilities = played(bandit, envs(count), 25, pool=pooled)
    assert not np.allclose(probabilities[-1], 1 / 6)
    agent.reset_memory()
    assert np.allclose(agent.probabilities(observations(count)), 1 / 6)
    agent.set_random_seed(1)
    again = np.array([agent.predict(observations(count))[0] for _ in range(25)])
    assert not np.array_equal(first, again)
    agent.set_random_seed(1)
    assert np.array_equal(np.array([agent.predict(observations(count))[0] for _ in range(25)]), again)


@both
@quick
def test_lock_step_runs_end_together_and_are_forgotten(bandit, pooled):
    _, _, probabilities = played(bandit, envs(4, 20, 20, 20, 20), 25, pool=pooled)
    assert not np.allclose(probabilities[19], 1 / 6) and np.allclose(probabilities[20], 1 / 6)
    _, _, kept = played(bandit, envs(4, 20, 20, 20, 20), 25, pool=pooled, memory="keep")
    assert not np.allclose(kept[20], 1 / 6)


@quick
def test_staggered_runs_are_forgotten_once_all_have_ended(bandit):
    """Episodes of 10, 14 and 22 decisions: the last to end for the first time does so at 22, then at 44."""
    _, _, probabilities = played(bandit, envs(3, 10, 14, 22), 50)
    fresh = [step for step in range(50) if np.allclose(probabilities[step], 1 / 6)]
    assert 0 in fresh and {22, 44} <= set(fresh) and not {10, 14, 20, 28, 30} & set(fresh)


def test_replicas_named_one_after_the_other_are_forgotten_with_the_last():
    agent, _, _ = played("d-ts", envs(3), 20)
    for named in ([True, False, False], [True, True, False]):
        agent.reset_memory(np.array(named))
        assert not np.allclose(agent.probabilities(observations(3)), 1 / 6)
    agent.reset_memory(np.array([False, False, True]))
    assert np.allclose(agent.probabilities(observations(3)), 1 / 6)
    apart, _, _ = played("d-ts", envs(3), 20, pool=False)
    apart.reset_memory(np.array([True, False, False]))
    fresh = np.isclose(apart.probabilities(observations(3)), 1 / 6).all(axis=1)
    assert fresh.tolist() == [True, False, False]


def test_who_has_ended_is_saved(tmp_path):
    agent, _, _ = played("d-ts", envs(2), 20)
    agent.reset_memory(np.array([True, False]))
    agent.save(tmp_path / "agent")
    loaded: Any = load("d-ts", tmp_path / "agent")
    loaded.reset_memory(np.array([False, True]))
    assert np.allclose(loaded.probabilities(observations(2)), 1 / 6)


@quick
def test_what_many_learned_serves_any_number(bandit, tmp_path):
    """A pooled memory of 8 is played, and learned on, by 3 or by 1."""
    agent, _, probabilities = played(bandit, envs(8), 60, memory="keep")
    agent.save(tmp_path / "agent")
    loaded = load(bandit, tmp_path / "agent", envs(3))
    expected = loaded.probabilities(observations(1))[0]
    rows = Rows()
    loaded.learn(3 * 20, rows)
    assert np.array_equal(rows.probabilities[0], expected[None].repeat(3, axis=0)) and expected.argmax() == 2
    actions, _ = loaded.predict(observations(1))
    loaded.observe(actions, np.ones(1), np.ones(1, bool), [{}])
    assert len(probabilities) == 60


@both
def test_plays_of_another_number_of_replicas_are_refused(pooled):
    agent = make("d-ts", envs(3), seed=0, pool=pooled)
    actions, _ = agent.predict(observations(3))
    with pytest.raises(ConfigError, match="infos: 2 replicas, but the agent remembers 3"):
        agent.observe(actions[:2], np.zeros(2), np.zeros(2, bool), [{}, {}])


def test_agents_that_do_not_learn_have_nothing_to_pool():
    agent, actions, _ = played("round-robin", envs(2, 4, 100), 8)
    assert agent.pool is False
    assert actions[:, 0].tolist() == [0, 1, 2, 3, 0, 1, 2, 3] and actions[:, 1].tolist() == [0, 1, 2, 3, 4, 5, 0, 1]
