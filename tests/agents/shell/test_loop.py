"""The shell around a bandit's rule: it finds the good task, forgets with the episode, goes on exactly, and is cheap."""

import copy
from typing import Any

import numpy as np
import pytest
from stable_baselines3.common.vec_env import DummyVecEnv

from curriculum_rl.agents import load, make
from curriculum_rl.errors import ConfigError
from curriculum_rl.testing.agents import Recorder

QUICK = pytest.mark.parametrize("bandit", ["exp3s", "sw-ucb", "d-ts"])
OBSERVATION = np.zeros((1, 4), np.float32)


@pytest.mark.parametrize(("mixture", "pooled"), [(False, False), (True, False), (True, True)])
@QUICK
def test_bandits_find_the_good_task(bandit, mixture, pooled, pool):
    count = 8
    recorder = Recorder()
    env = pool(count, horizon=200, mixture=mixture)
    make(bandit, env, seed=0, pool=pooled).learn(count * 200, recorder)
    late = np.mean([row[1][:, 3] for row in recorder.rows[-60:]])
    assert late > 0.6  # uniform: .2


def test_row_of_an_unpooled_agent_is_the_agent_alone(bandit, bandit_env):
    """Its memory and its random stream do not depend on N (here the gains are made equal by having no noise)."""
    runs = []
    for count in (1, 4):
        recorder = Recorder()
        env = DummyVecEnv([lambda: bandit_env(noise=0.0) for _ in range(count)])
        make(bandit, env, seed=5, pool=False).learn(40 * count, recorder)
        runs.append([int(row[0][0]) for row in recorder.rows])
    assert runs[0] == runs[1]


@QUICK
def test_memory_ends_with_the_episode_unless_kept(bandit, bandit_env):
    for memory, forgets in (("episode", True), ("keep", False)):
        recorder = Recorder()
        agent = make(bandit, bandit_env(), seed=0, memory=memory).learn(61, recorder)
        second_run = recorder.rows[60][1][0]
        assert np.allclose(second_run, 0.2) == forgets
        assert agent.num_timesteps == 61


@QUICK
def test_after_learning_predict_plays_what_was_learned(bandit, bandit_env):
    agent = make(bandit, bandit_env(horizon=200), seed=0).learn(200)
    assert agent.probabilities(OBSERVATION)[0].argmax() == 3
    agent.reset_memory()
    assert np.allclose(agent.probabilities(OBSERVATION), 0.2)


def test_resume_in_the_middle_of_an_episode_is_exact(bandit, bandit_env, tmp_path):
    whole, part = Recorder(), Recorder()
    make(bandit, bandit_env(), seed=1).learn(50, whole)
    env = DummyVecEnv([bandit_env])
    agent: Any = make(bandit, env, seed=1).learn(20, part)
    agent.save(tmp_path / "agent")
    rest = Recorder()
    loaded: Any = load(bandit, tmp_path / "agent", copy.deepcopy(env))
    loaded._last_obs, loaded._last_episode_starts = agent._last_obs, agent._last_episode_starts
    loaded.learn(30, rest, reset_num_timesteps=False)
    assert [r[0].tolist() for r in part.rows + rest.rows] == [r[0].tolist() for r in whole.rows]


def test_bandits_learn_from_one_hot_mixtures_only(pool):
    env = pool(1, mixture=True)
    agent = make("exp3s", env, seed=0)
    agent.predict(env.reset())
    with pytest.raises(ConfigError, match="one-hot"):
        agent.observe(np.zeros((1, 5), np.float32), np.zeros(1), np.zeros(1, bool), [{"gain": 0.1}])


def test_fixed_agents_play_what_they_say(bandit_env):
    rows = {}
    for name, options in (("round-robin", {}), ("fixed", {"task": 2})):
        recorder = Recorder()
        make(name, bandit_env(), seed=0, **options).learn(12, recorder)
        rows[name] = [int(row[0][0]) for row in recorder.rows]
    assert rows["round-robin"] == [0, 1, 2, 3, 4] * 2 + [0, 1]
    assert rows["fixed"] == [2] * 12
    recorder = Recorder()
    make("stratified", bandit_env(mixture=True), seed=0).learn(3, recorder)
    assert all((row[0] == 0).all() and np.allclose(row[1], 0.2) for row in recorder.rows)


@QUICK
def test_deciding_and_learning_is_cheap(bandit, bandit_env):
    """A hundred times the goal, so that a slow machine passes: what matters is that nothing costs milliseconds."""
    agent = make(bandit, bandit_env(arms=12, horizon=500), seed=0).learn(500)
    assert agent.seconds / 500 < 2e-3
