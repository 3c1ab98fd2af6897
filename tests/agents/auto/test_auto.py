"""The default agent in envs: what it is told, what it asks for, what it says, and what it refuses."""

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from stable_baselines3.common.vec_env import DummyVecEnv

from curriculum_rl.agents import load, make
from curriculum_rl.errors import ConfigError
from curriculum_rl.mixtures import shares

PRIOR = np.array([0.5, 0.3, 0.2, 0.0])
LOOK = np.zeros((1, 2), np.float32)
TOLD = {
    "divergence": [0.1, 0.3, 0.4, 0.0],
    "prior": PRIOR,
    "target_objective": [1.0, 1.0, 0.0, 1.0],
    "target_signal": [0.0, 0.0, 0.0, 1.0],
    "corpus_tokens": [1e5, 2e5, 3e5, 1e4],
}


class Budgeted(gym.Env):
    """Four tasks, 20 segments; the second task is aligned with the target; a measurement costs `price`."""

    observation_space = spaces.Box(-1, 1, (2,), np.float32)
    action_space = spaces.Box(-1, 1, (4,), np.float32)

    def __init__(self, *, price=1e-4, duel=0.0, order=None, **told):
        self.price, self.duel, self.order = price, duel, order
        self.told = {**TOLD, **told}
        self.asked: list[tuple[str, ...]] = []
        self.played: list[list[float]] = []
        self.measured = 0

    def request_signals(self, names):
        self.asked.append(tuple(names))

    def signal_price(self, names):
        assert names == ("adam_products",)
        return self.price

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.time, self.epochs = 0, np.zeros(4)
        return LOOK[0], self.ordered({n: np.array(v, float) for n, v in self.told.items() if v is not None})

    def itself(self):
        return self

    def ordered(self, info):
        return info if self.order is None else info | {"order": np.array(self.order)}

    def step(self, action):
        mixture = shares(action)
        if self.order is not None:
            mixture = mixture[np.argsort(self.order)]
        self.played.append(mixture.round(6).tolist())
        self.time += 1
        self.epochs += 1000 * mixture / np.array(TOLD["corpus_tokens"])
        products = np.ones((5, 5))
        products[:4, 4] = np.array([1.0, 1.6, 0.5, 1.0]) + 0.02 * self.np_random.standard_normal(4)
        signals = {"adam_products": products, "duel": None, "prior_duel": np.asarray(self.duel - 0.01 * self.time)}
        said = {name: signals[name] for name in (self.asked or [()])[-1]}
        self.measured += "adam_products" in said
        info = {"gain": 0.1, "budget_left": 1 - self.time / 20, "epochs": self.epochs.copy(), "signals": said}
        return LOOK[0], 0.1, self.time == 20, False, self.ordered(info)


def played(env, steps=20, **options):
    agent: Any = make("auto", env, **options).learn(steps)
    return agent, np.array(env.played)


def test_it_is_the_prior_then_the_signal_split_and_measures_nothing():
    env = Budgeted()
    agent, mixtures = played(env, steps=40)
    assert np.allclose(mixtures, ([PRIOR.tolist()] * 16 + [[0, 0, 0, 1]] * 4) * 2, atol=1e-6)
    assert set(env.asked) == {()} and agent.pruned == []
    assert agent.remarks == ["the last 20.0% of the budget on the target's signal split"]
    agent, mixtures = played(Budgeted(target_signal=np.zeros(4)))
    assert np.allclose(mixtures, [PRIOR] * 20, atol=1e-6) and agent.remarks == []


def test_tasks_in_the_order_that_the_agent_sees():
    _, mixtures = played(Budgeted(order=[3, 1, 0, 2]), prior=2.0, finish=0.1)
    squares = PRIOR**2 / (PRIOR**2).sum()
    assert np.allclose(mixtures, [squares] * 18 + [[0, 0, 0, 1]] * 2, atol=1e-6)


@pytest.mark.parametrize(
    ("told", "even", "tasks"),
    [
        ({"prior": None}, [0.5, 0.5, 0, 0], 2),
        ({"prior": None, "target_objective": None}, [1 / 3, 1 / 3, 1 / 3, 0], 3),
        ({"prior": None, "target_objective": np.zeros(4), "target_signal": None}, [0.25] * 4, 4),
        (dict.fromkeys(TOLD), [0.25] * 4, 4),
    ],
)
def test_without_a_prior_it_is_even_and_says_so(told, even, tasks):
    agent, mixtures = played(Budgeted(**told), steps=5)
    assert np.allclose(mixtures, [even] * 5, atol=1e-6)
    assert agent.remarks == [f"no prior is said (target.prior): {tasks} tasks alike"]


def test_pruned_tasks_and_least_shares():
    agent, mixtures = played(Budgeted(), steps=20, prune=0.4, minimum_share=0.1)
    assert agent.pruned == [2]  # the furthest of four
    left = np.array([0.625, 0.375, 0, 0])
    assert np.allclose(mixtures[:16], 0.1 * np.array([1, 1, 0, 1]) + 0.7 * left, atol=1e-6)
    assert np.allclose(mixtures[16:], [0.1, 0.1, 0, 0.8], atol=1e-6)


def test_a_user_s_own_limit_of_passes_holds_in_the_finish():
    """A segment of the signal split alone is a tenth of a pass: two of them, the last ones."""
    agent, mixtures = played(Budgeted(), maximum_epochs=0.2)
    assert np.allclose(mixtures[-2:], [0, 0, 0, 1], atol=1e-6) and mixtures[:-2, 3].max() == 0
    assert "and no more: 0.2 passes over it" in agent.remarks[-1]


def test_it_measures_while_that_pays_and_follows_what_it_found():
    env = Budgeted(target_signal=np.zeros(4))
    agent, mixtures = played(env, measure=True)
    assert 2 <= env.measured < 20 and env.asked[0] == () == env.asked[-1]
    assert agent.remarks == [f"measured {env.measured} times"]
    assert mixtures[-1][1] > 0.4 and mixtures[-1][2] < 0.15 and np.allclose(mixtures[0], PRIOR, atol=1e-6)


def test_it_may_measure_never():
    env = Budgeted(price=0.02, target_signal=np.zeros(4))
    agent, mixtures = played(env, measure=True)
    assert env.measured == 0 and np.allclose(mixtures, [PRIOR] * 20, atol=1e-6)
    assert agent.remarks == ["measured 0 times"]


def test_the_guard_goes_back_to_the_prior_and_the_finish_stays():
    env = Budgeted(duel=-0.05)
    agent, mixtures = played(env, measure=True, guard=0.2)
    first = next(place for place, names in enumerate(env.asked) if "prior_duel" in names)
    assert first > 0 and all("duel" not in names for names in env.asked)
    assert agent._memory.wrappers["alarmed"].all()
    assert agent.remarks[1] == "the guard raised an alarm: the prior from then on"
    moved = np.abs(mixtures[:16] - PRIOR).max(axis=1) > 1e-3
    assert moved.any() and not moved[-1] and not moved[0]
    assert np.allclose(mixtures[16:], [0, 0, 0, 1], atol=1e-6) and env.asked[-1] == ()
    _, mixtures = played(Budgeted(duel=0.5), measure=True, guard=0.2)
    assert np.abs(mixtures[15] - PRIOR).max() > 1e-2  # won: it goes on


@pytest.mark.parametrize("stop", [3, 12, 17])
def test_a_run_goes_on_where_it_was_saved(stop, tmp_path):
    options: dict[str, Any] = {"measure": True, "prior_last": 2.0, "guard": 0.1}
    env, whole = Budgeted(), Budgeted()
    agent: Any = make("auto", env, **options).learn(stop)
    make("auto", whole, **options).learn(20)
    agent.save(tmp_path / "agent")
    loaded: Any = load("auto", tmp_path / "agent", agent.env)
    loaded._last_obs, loaded._last_episode_starts = agent._last_obs, agent._last_episode_starts
    loaded.learn(20 - stop, reset_num_timesteps=False)
    assert env.played == whole.played and env.asked[-1] == whole.asked[-1]
    assert loaded.rule == agent.rule and loaded.rule.prior_last == 2.0
    alone = load("auto", tmp_path / "agent")
    assert np.array_equal(alone.probabilities(LOOK), agent.probabilities(LOOK))


class Deaf(Budgeted):
    request_signals: Any = property()
    signal_price: Any = property()


@pytest.mark.parametrize(
    ("env", "options", "message"),
    [
        (Budgeted(), {"guard": 0.05}, r"guard: 0\.05; auto plays the prior, and its guard bets against that: use"),
        (Deaf(), {"measure": True}, "measure: true needs an env that measures signals and says their price"),
        (Deaf(), {"prior": 2.0, "guard": 0.05}, r"guard: 0\.05 needs the signals prior_duel, and the env has no"),
        (Budgeted(prior=None), {"prior": 2.0}, r"prior: 2\.0 needs a prior, which the reset of this env does not say"),
        (Budgeted(prior=None), {"prior_last": 2.0}, r"prior_last: 2\.0 needs a prior"),
        (Budgeted(prior=None), {"measure": True, "guard": 0.1}, r"guard: 0\.1 needs a prior"),
        (Budgeted(target_signal=np.zeros(4)), {"finish": 0.1}, r"finish: 0\.1 needs target\.train: true, which"),
        (Budgeted(), {"temperature": 2.0}, "agent auto: unknown option 'temperature'; it has: prior, prior_last, mea"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(env, options, message):
    with pytest.raises(ConfigError, match=message) as caught:
        make("auto", env, **options).learn(1)
    assert "\n" not in str(caught.value)
    make("auto", Budgeted(target_signal=np.zeros(4)), finish=0).learn(1)


def test_options_that_follow_the_budget_need_to_hear_of_it():
    class Silent(Budgeted):
        def step(self, action):
            *others, info = super().step(action)
            return *others, {name: value for name, value in info.items() if name != "budget_left"}

    asked: list[tuple[str, Any]] = [("measure", True), ("prior_last", 2.0)]
    for option, value in asked:
        with pytest.raises(ConfigError, match=f"{option}: {value} needs an env that says budget_left"):
            make("auto", Silent(), **{option: value}).learn(1)
    make("auto", Silent()).learn(3)


def test_replicas_have_runs_of_their_own():
    made = [Budgeted(), Budgeted(prior=[0.1, 0.1, 0.8, 0.0], target_signal=np.zeros(4))]
    agent = make("auto", DummyVecEnv([made[0].itself, made[1].itself]), prior_last=3.0).learn(40)
    assert np.allclose(made[0].played[-1], [0, 0, 0, 1], atol=1e-6) and made[1].played[-1][2] > 0.95
    assert agent.num_timesteps == 40
