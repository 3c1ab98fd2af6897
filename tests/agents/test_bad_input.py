"""What must not break a bandit: absurd gains, one task, very many tasks, a file about other tasks."""

import numpy as np
import pytest
from stable_baselines3.common.vec_env import DummyVecEnv

from curriculum_rl.agents import load, make
from curriculum_rl.agents.rule import check
from curriculum_rl.errors import ConfigError


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e300])
def test_absurd_gains_poison_nothing(bandit, bad, bandit_env):
    env = DummyVecEnv([bandit_env])
    agent = make(bandit, env, seed=0)
    observation = env.reset()
    for step in range(30):
        actions, _ = agent.predict(observation)
        observation, _, dones, _ = env.step(actions)
        gain = bad if step in {0, 1, 7, 20} else 0.1 + 0.2 * (actions[0] == 3)
        agent.observe(actions, np.zeros(1), dones, [{"gain": gain}])
        chances = agent.probabilities(observation)
        assert np.isfinite(chances).all() and chances.sum() == pytest.approx(1)


@pytest.mark.parametrize("arms", [1, 500])
def test_one_task_or_five_hundred(bandit, arms, bandit_env):
    agent = make(bandit, bandit_env(arms=arms, best=0, horizon=20), seed=0).learn(6)
    env = bandit_env(arms=arms)
    chances = agent.probabilities(env.reset()[0])
    assert chances.shape == (1, arms) and chances.sum() == pytest.approx(1) and chances.min() >= 0


def test_a_file_about_another_number_of_tasks_is_refused(bandit, bandit_env, tmp_path):
    make(bandit, bandit_env(arms=5)).save(tmp_path / "agent")
    with pytest.raises(ConfigError, match="env: 7 tasks, but the agent was saved with 5"):
        load(bandit, tmp_path / "agent", bandit_env(arms=7))


@pytest.mark.parametrize(
    ("value", "bounds", "message"),
    [
        (2, {"most": 1}, "x: 2 must be a number at most 1"),
        (0, {"above": 0, "most": 1}, "x: 0 must be a number above 0 and at most 1"),
        (1.5, {"whole": True}, "x: 1.5 must be a whole number"),
        ("3", {}, "x: 3 must be a number"),
        (np.nan, {}, "x: nan must be a number"),
        (None, {"least": 0}, "x: None must be a number at least 0"),
    ],
)
def test_settings_out_of_bounds_are_named(value, bounds, message):
    with pytest.raises(ConfigError, match=f"^{message}$"):
        check("x", value, **bounds)
