"""What every agent promises, swept over the whole table."""

import copy

import gymnasium as gym
import numpy as np
import pytest
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import DummyVecEnv

from curriculum_rl.agents import AGENTS, load, make
from curriculum_rl.errors import ConfigError

QUICK = pytest.mark.parametrize("bandit", ["exp3s", "sw-ucb", "d-ts"])


class Recorder(BaseCallback):
    """Keeps what a recording callback of the scripts would read."""

    def __init__(self, stop_after=10**9, interrupt_after=10**9):
        super().__init__()
        self.rows, self.ended = [], 0
        self.stop_after, self.interrupt_after = stop_after, interrupt_after

    def _on_step(self) -> bool:
        found = self.locals
        self.rows.append((np.array(found["actions"]), found["probabilities"].copy(), found["rewards"].copy()))
        assert len(found["infos"]) == len(found["dones"]) == self.training_env.num_envs
        if len(self.rows) >= self.interrupt_after:
            raise KeyboardInterrupt
        return len(self.rows) < self.stop_after

    def _on_training_end(self) -> None:
        self.ended += 1


@pytest.fixture
def env_for(env_options, bandit_env):
    return lambda name, **options: bandit_env(**env_options(name), **options)


def observations(count):
    return np.zeros((count, 4), np.float32)


@pytest.fixture
def played(env_for, small):
    def play(name, *, seed, steps=96):
        recorder = Recorder()
        agent = make(name, env_for(name), seed=seed, **small(name)).learn(steps, recorder)
        return agent, recorder

    return play


def test_same_seed_same_rows_and_probabilities_sum_to_one(name, played):
    agent, first = played(name, seed=7)
    _, second = played(name, seed=7)
    assert agent.num_timesteps == len(first.rows) == 96
    for (actions, probabilities, rewards), other in zip(first.rows, second.rows, strict=True):
        assert np.array_equal(actions, other[0]) and np.array_equal(probabilities, other[1])
        assert np.array_equal(rewards, other[2])
        assert probabilities.shape == (1, 5) and probabilities.min() >= 0
        assert probabilities.sum() == pytest.approx(1, abs=1e-9)
    assert first.ended == 1


def test_other_seed_other_actions(name, played):
    entry = AGENTS[name]
    first, second = (played(name, seed=seed)[1] for seed in (1, 2))
    learns = entry.needs_reward or entry.needs_signals
    if name == "regmix":
        pytest.skip("draws its mixtures by a setting, draw_seed")
    if not learns and (entry.action == "mixture" or all(row[1].max() == 1 for row in first.rows)):
        pytest.skip("deterministic by design")
    assert any(not np.array_equal(a[0], b[0]) for a, b in zip(first.rows, second.rows, strict=True))


def test_save_and_load_predict_alike(name, played, env_for, looked, tmp_path):
    agent, _ = played(name, seed=3, steps=48)
    agent.save(tmp_path / "agent")
    for env in (None, env_for(name)):
        loaded = load(name, tmp_path / "agent.zip", env)
        assert loaded.num_timesteps == 48
        assert np.array_equal(loaded.probabilities(looked(name, 1)), agent.probabilities(looked(name, 1)))
        expected, _ = agent.predict(looked(name, 1), deterministic=True)
        assert np.array_equal(loaded.predict(looked(name, 1), deterministic=True)[0], expected)
    loaded.learn(16)
    assert loaded.num_timesteps >= 16


def test_one_observation_gives_one_action(name, played, looked):
    agent, _ = played(name, seed=3, steps=16)
    whole = looked(name, 1)
    one = {part: value[0] for part, value in whole.items()} if isinstance(whole, dict) else whole[0]
    action, state = agent.predict(one)
    assert state is None
    assert np.shape(action) == ((5,) if AGENTS[name].action == "mixture" else ())
    assert agent.probabilities(one).shape == (1, 5)


def test_plays_pools_and_dict_observations(name, env_options, pool, small):
    mixture = AGENTS[name].action != "task"
    env = pool(3, **{**env_options(name), "mixture": mixture, "dict_observation": True})
    recorder = Recorder()
    agent = make(name, env, seed=0, **small(name)).learn(96, [recorder])
    assert agent.num_timesteps >= 96
    actions, probabilities, _ = recorder.rows[-1]
    assert actions.shape == ((3, 5) if mixture else (3,)) and probabilities.shape == (3, 5)
    assert np.allclose(probabilities.sum(axis=1), 1)


def test_an_episode_loop_outside_learn(name, env_for, env_options, pool, small):
    agent = make(name, env_for(name), seed=0, **small(name))
    env = pool(1, **env_options(name))
    agent.reset_memory()
    obs = env.reset()
    for _ in range(60):
        actions, _ = agent.predict(obs)
        obs, rewards, dones, infos = env.step(actions)
        agent.observe(actions, rewards, dones, infos)
    assert dones[0]


def test_runs_on_cart_pole(name, env_options, small):
    env = gym.make("CartPole-v1")
    if AGENTS[name].action == "mixture":
        with pytest.raises(ConfigError, match=r"action_space: .* plays mixtures"):
            make(name, env)
        return
    if env_options(name)["features"]:
        with pytest.raises(ConfigError, match=r"observation: .* needs per-task features"):
            make(name, env)
        return
    agent = make(name, env, seed=0, **small(name)).learn(64)
    assert agent.predict(np.zeros(4, np.float32))[0] in (0, 1)


def test_a_callback_stops_early_and_learning_goes_on(name, env_for, small):
    agent = make(name, env_for(name), seed=0, **small(name))
    recorder = Recorder(stop_after=10)
    agent.learn(1000, recorder)
    assert agent.num_timesteps == 10 and recorder.ended == 1
    agent.learn(16, reset_num_timesteps=False)
    assert agent.num_timesteps == 26


def test_ctrl_c_closes_callbacks_and_leaves_a_whole_agent(name, env_for, looked, small, tmp_path):
    agent = make(name, env_for(name), seed=0, **small(name))
    recorder = Recorder(interrupt_after=10)
    with pytest.raises(KeyboardInterrupt):
        agent.learn(1000, recorder)
    assert recorder.ended == 1
    agent.save(tmp_path / "agent.zip")
    assert load(name, tmp_path / "agent.zip").probabilities(looked(name, 1)).shape == (1, 5)


def test_failed_segments_poison_nothing(name, env_for, looked, small):
    agent = make(name, env_for(name, fail=(0, 1, 5, 20)), seed=0, **small(name)).learn(59)
    assert np.isfinite(agent.probabilities(looked(name, 1))).all()


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
    assert agent.probabilities(observations(1))[0].argmax() == 3
    agent.reset_memory()
    assert np.allclose(agent.probabilities(observations(1)), 0.2)


def test_resume_in_the_middle_of_an_episode_is_exact(bandit, bandit_env, tmp_path):
    whole, part = Recorder(), Recorder()
    make(bandit, bandit_env(), seed=1).learn(50, whole)
    env = DummyVecEnv([bandit_env])
    agent = make(bandit, env, seed=1).learn(20, part)
    agent.save(tmp_path / "agent")
    rest = Recorder()
    loaded = load(bandit, tmp_path / "agent", copy.deepcopy(env))
    loaded._last_obs, loaded._last_episode_starts = agent._last_obs, agent._last_episode_starts
    loaded.learn(30, rest, reset_num_timesteps=False)
    assert [r[0].tolist() for r in part.rows + rest.rows] == [r[0].tolist() for r in whole.rows]


def test_bandits_learn_from_one_hot_mixtures_only(pool):
    env = pool(1, mixture=True)
    agent = make("exp3s", env, seed=0)
    agent.predict(env.reset())
    with pytest.raises(ConfigError, match="one-hot"):
        agent.observe(np.zeros((1, 5), np.float32), np.zeros(1), np.zeros(1, bool), [{"gain": 0.1}])


def test_a_new_seed_gives_a_loaded_agent_new_draws(bandit, bandit_env, tmp_path):
    make(bandit, bandit_env(), seed=1).save(tmp_path / "agent")
    runs = []
    for seed in (8, 8, 9):
        recorder = Recorder()
        agent = load(bandit, tmp_path / "agent", bandit_env())
        agent.set_random_seed(seed)
        agent.learn(40, recorder)
        runs.append([int(row[0][0]) for row in recorder.rows])
    assert runs[0] == runs[1] != runs[2]


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
