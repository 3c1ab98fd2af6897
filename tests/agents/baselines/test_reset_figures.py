"""Mixtures that follow from what an env says of its tasks: sizes, objectives, and which task is the target's text."""

from typing import Any

import numpy as np
import pytest
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import DummyVecEnv

from curriculum_rl.agents import load, make
from curriculum_rl.agents.baselines.proportional import ByRoot, BySize
from curriculum_rl.errors import ConfigError
from curriculum_rl.mixtures import shares
from curriculum_rl.testing.envs import BanditEnv


class Played(BaseCallback):
    def _on_training_start(self):
        self.mixtures = []

    def _on_step(self):
        self.mixtures.append(shares(self.locals["actions"])[0])
        return True


@pytest.fixture
def telling():
    """Three tasks; says the same at every reset, and what is left after each of its five segments."""

    class Telling(BanditEnv):
        def __init__(self, left=(0.8, 0.6, 0.4, 0.2, 0.0), **said):
            super().__init__(arms=3, horizon=len(left), best=1, mixture=True)
            self.left, self.said = left, said

        def reset(self, **options):
            observed, _ = super().reset(**options)
            return observed, {name: np.array(values) for name, values in self.said.items()}

        def step(self, action):
            observed, reward, ended, cut, info = super().step(action)
            return observed, reward, ended, cut, {**info, "budget_left": self.left[self.time - 1]}

    return Telling


def played(name, env, steps=1, **options):
    seen = Played()
    agent = make(name, DummyVecEnv([lambda: env]), **options).learn(steps, seen)
    return agent, seen.mixtures


def test_shares_by_size_by_hand():
    """Tokens 1, 4 and 16; their square roots 1, 2 and 4."""
    state = {"corpus_tokens": np.array([[100.0, 400.0, 1600.0]])}
    assert BySize().probabilities(state)[0] == pytest.approx(np.array([1, 4, 16]) / 21)
    assert ByRoot(temperature=2).probabilities(state)[0] == pytest.approx(np.array([1, 2, 4]) / 7)
    assert ByRoot(temperature=1).probabilities(state)[0] == pytest.approx(np.array([1, 4, 16]) / 21)
    assert ByRoot(temperature=1e9).probabilities(state)[0] == pytest.approx([1 / 3] * 3)


def test_what_is_told_is_played_run_after_run(telling):
    env = telling(corpus_tokens=[1, 1, 2])
    _, mixtures = played("size-proportional", env, steps=7)
    assert np.allclose(mixtures, [[0.25, 0.25, 0.5]] * 7)
    _, mixtures = played("temperature", telling(corpus_tokens=[1, 1, 32]))
    assert np.allclose(mixtures, [[0.25, 0.25, 0.5]])  # the fifth root of 32 is 2
    _, mixtures = played("target-objective", telling(target_objective=[1, 0, 1]))
    assert np.allclose(mixtures, [[0.5, 0, 0.5]])


def test_the_order_that_the_agent_sees(telling):
    _, mixtures = played("size-proportional", telling(corpus_tokens=[1, 2, 5], order=[2, 0, 1]))
    assert np.allclose(mixtures, [[0.625, 0.125, 0.25]])


def test_stratified_then_the_signal_split(telling):
    """Five segments end at 20, 40, 60, 80 and 100 %: with last=.3 those that end after 70 % are the signal split's."""
    env = telling(target_signal=[0, 1, 0])
    made: Any = make("stratified-finetune", None)
    assert made.rule.last == 0.2
    for last, ending in ((0.3, 2), (0.4, 2), (0.0, 0), (1.0, 5), (0.1, 1)):
        _, mixtures = played("stratified-finetune", env, steps=10, last=last)
        run = [[0.5, 0, 0.5]] * (5 - ending) + [[0, 1, 0]] * ending
        assert np.allclose(mixtures, run * 2)


def test_a_run_goes_on_where_it_was_saved(telling, tmp_path):
    agent, _ = played("stratified-finetune", telling(target_signal=[0, 1, 0]), steps=4, last=0.3)
    agent.save(tmp_path / "agent")
    loaded = load("stratified-finetune", tmp_path / "agent")
    assert np.allclose(loaded.probabilities(np.zeros((1, 4))), [[0, 1, 0]])


@pytest.mark.parametrize(
    ("name", "said", "message"),
    [
        ("size-proportional", {"tasks": ["a", "b", "c"]}, "env: SizeProportional needs corpus_tokens of every task"),
        ("stratified-finetune", {"target_signal": [0, 0, 0]}, r"target\.train: false; stratified-finetune needs"),
        ("target-objective", {"target_objective": [0, 0, 0]}, "tasks: none has the target's own objective"),
    ],
)
def test_an_env_that_has_not_what_is_needed(telling, name, said, message):
    with pytest.raises(ConfigError, match=message) as caught:
        played(name, telling(**said))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "option", "value"), [("temperature", "temperature", 0), ("stratified-finetune", "last", 2)]
)
def test_settings_out_of_range(name, option, value):
    with pytest.raises(ConfigError, match=f"{option}: {value} must be"):
        make(name, None, **{option: value})
