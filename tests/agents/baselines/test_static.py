"""Static mixtures and replayed schedules: what is played, and what is refused."""

import json

import numpy as np
import pytest
from gymnasium import spaces
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import DummyVecEnv

from curriculum_rl.agents import load, make
from curriculum_rl.errors import ConfigError
from curriculum_rl.mixtures import shares
from curriculum_rl.testing.envs import BanditEnv

THREE = [[0.5, 0.5, 0.0], [0.0, 1.0, 0.0], [0.2, 0.2, 0.6]]


class Played(BaseCallback):
    def _on_training_start(self):
        self.mixtures = []

    def _on_step(self):
        self.mixtures.append(shares(self.locals["actions"])[0])
        assert np.allclose(self.mixtures[-1], self.locals["probabilities"][0], atol=1e-6)
        return True


@pytest.fixture
def budgeted():
    """Three tasks, and an env that tells how much of the budget each segment leaves."""

    class Budgeted(BanditEnv):
        def __init__(self, left):
            super().__init__(arms=3, horizon=len(left), best=1, mixture=True)
            self.left = left

        def step(self, action):
            observed, reward, ended, cut, info = super().step(action)
            return observed, reward, ended, cut, {**info, "budget_left": self.left[self.time - 1]}

    return Budgeted


@pytest.fixture
def schedule(tmp_path):
    """A finished run's segments: an earlier episode, then three of 10, 10 and 20 tokens."""
    path = tmp_path / "segments.jsonl"
    rows = [{"replica": 0, "episode": 0, "tokens": 100, "mixture": [1.0, 0.0, 0.0]}]
    rows += [
        {"replica": 0, "episode": 1, "tokens": tokens, "mixture": mixture}
        for tokens, mixture in zip((110, 120, 140), THREE, strict=True)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_a_mixture_is_played_exactly(bandit_env):
    played = Played()
    make("mixture", bandit_env(arms=3, best=1, mixture=True), shares=[1, 3, 0]).learn(4, played)
    assert np.allclose(played.mixtures, [[0.25, 0.75, 0]] * 4)
    played = Played()
    make("mixture", bandit_env(arms=3, best=1, mixture=True)).learn(2, played)
    assert np.allclose(played.mixtures, 1 / 3)


@pytest.mark.parametrize("wrong", [[0, 0, 0], [1, -1, 1], [1, float("nan"), 1], "even", 3, [True, 1, 1], []])
def test_shares_that_are_none(wrong):
    with pytest.raises(ConfigError, match="shares: "):
        make("mixture", None, shares=wrong)


def test_other_numbers_of_tasks_and_single_picks_are_refused(bandit_env, schedule):
    with pytest.raises(ConfigError, match="shares: 2 numbers for 5 tasks"):
        make("mixture", bandit_env(mixture=True), shares=[1, 1])
    with pytest.raises(ConfigError, match="schedule of 3 tasks, not of 5"):
        make("schedule", bandit_env(mixture=True), path=str(schedule))
    for name in ("mixture", "schedule"):
        with pytest.raises(ConfigError, match=f"action_space: {name.capitalize()} plays mixtures"):
            make(name, bandit_env())
    assert isinstance(bandit_env().action_space, spaces.Discrete)


def test_a_schedule_follows_the_budget_not_the_segments(budgeted, schedule):
    """Its pieces end at 25, 50 and 100 %; five segments begin at 0, 20, 40, 60 and 80 %, twice over."""
    played = Played()
    env = DummyVecEnv([lambda: budgeted([0.8, 0.6, 0.4, 0.2, 0.0])])
    make("schedule", env, path=str(schedule)).learn(10, played)
    expected = [THREE[0], THREE[0], THREE[1], THREE[2], THREE[2]]
    assert np.allclose(played.mixtures, expected * 2)


def test_without_a_budget_a_piece_is_a_segment(bandit_env, schedule):
    played = Played()
    make("schedule", bandit_env(arms=3, best=1, mixture=True, horizon=50), path=str(schedule)).learn(5, played)
    # Thirds of the run begin at 0, 33 and 67 % of the schedule, whose pieces end at 25, 50 and 100 %.
    assert np.allclose(played.mixtures, [THREE[0], THREE[1], THREE[2], THREE[2], THREE[2]])


def test_shuffled_pieces_are_the_same_pieces(budgeted, schedule):
    orders = set()
    for key in range(8):
        played = Played()
        env = DummyVecEnv([lambda: budgeted([0.75, 0.5, 0.25, 0.0])])
        make("schedule", env, path=str(schedule), shuffle=key).learn(4, played)
        assert np.allclose(np.mean(played.mixtures, axis=0), np.average(THREE, axis=0, weights=[1, 1, 2]))
        orders.add(tuple(np.argmax(played.mixtures, axis=1)))
    assert len(orders) > 1
    with pytest.raises(ConfigError, match="shuffle: -1"):
        make("schedule", env, path=str(schedule), shuffle=-1)


def test_a_schedule_goes_on_where_it_was_saved(budgeted, schedule, tmp_path):
    left = [0.8, 0.6, 0.4, 0.2, 0.0]
    agent = make("schedule", DummyVecEnv([lambda: budgeted(left)]), path=str(schedule)).learn(3)
    agent.save(tmp_path / "agent")
    loaded = load("schedule", tmp_path / "agent")
    assert np.allclose(loaded.probabilities(np.zeros((1, 4))), [THREE[2]])


def test_a_schedule_file_by_hand(bandit_env, tmp_path):
    path = tmp_path / "schedule.json"
    pieces = [(0.0, 0.5, {"a": 1.0, "b": 0.0, "c": 0.0}), (0.5, 1.0, {"a": 0.0, "b": 0.0, "c": 1.0})]
    path.write_text(json.dumps([{"start_fraction": a, "end_fraction": b, "mixture": m} for a, b, m in pieces]))
    played = Played()
    make("schedule", bandit_env(arms=3, best=1, mixture=True), path=str(path)).learn(2, played)
    assert np.allclose(played.mixtures, [[1, 0, 0], [0, 0, 1]])
    with pytest.raises(ConfigError, match=r"nowhere\.json"):
        make("schedule", bandit_env(arms=3, best=1, mixture=True), path="nowhere.json")
