"""What every agent promises: subclass the contract, give the agent's name, run pytest.

A test file of your own needs pytest and these lines::

    import pytest
    from curriculum_rl.testing.agents import AgentContract

    class TestMyAgent(AgentContract):
        @pytest.fixture
        def agent(self):
            return "my_pkg.my_mod:MyRule"

Shape letters: N replicas, K tasks.
"""

from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import numpy.typing as npt
import pytest
from stable_baselines3.common.callbacks import BaseCallback

from curriculum_rl.agents.protocol import Agent, Observation
from curriculum_rl.agents.table import load, make
from curriculum_rl.errors import ConfigError
from curriculum_rl.mixtures import shares
from curriculum_rl.testing.envs import BanditEnv, pool

ABSURD = {2: float("inf"), 7: float("nan"), 12: float("-inf"), 19: 1e300}
"""Gains that are told, by segment."""
STEPS = 40


class Recorder(BaseCallback):
    """Keeps what a recording callback reads, and checks it.

    Args:
        stop_after: steps after which it asks to stop.
        interrupt_after: steps after which somebody presses Ctrl-C.

    Attributes:
        rows: actions, probabilities and rewards of every step.
        ended: how often training ended.
    """

    def __init__(self, stop_after: int = 10**9, interrupt_after: int = 10**9) -> None:
        super().__init__()
        self.rows: list[tuple[npt.NDArray[Any], ...]] = []
        self.ended = 0
        self.stop_after, self.interrupt_after = stop_after, interrupt_after

    def _on_step(self) -> bool:
        found, replicas = self.locals, self.training_env.num_envs
        assert len(found["infos"]) == len(found["dones"]) == len(found["rewards"]) == replicas
        _check(found["probabilities"], replicas)
        self.rows.append(tuple(np.array(found[name]) for name in ("actions", "probabilities", "rewards")))
        if len(self.rows) >= self.interrupt_after:
            raise KeyboardInterrupt
        return len(self.rows) < self.stop_after

    def _on_training_end(self) -> None:
        self.ended += 1


class AgentContract:
    """What an agent (`curriculum_rl.agents.protocol.Agent`), or the shell around a rule, promises to who plays it.

    It is made by `curriculum_rl.agents.make`. What it cannot play it must refuse in one line. A promise that is not
    made is struck by name and with the reason: `test_... = None`.
    """

    @pytest.fixture
    def agent(self) -> str:
        """The name of the agent that is tested, or `module:Class`."""
        raise NotImplementedError("a fixture `agent` that returns the name of your agent")

    def options(self, agent: str) -> dict[str, Any]:
        """Settings under which it learns within 40 steps, where its defaults wait for more."""
        return {}

    def test_same_seed_same_rows(self, agent: str) -> None:
        """Actions, probabilities and rewards, bit for bit."""
        first, second = (self._played(agent, seed=7)[1].rows for _ in range(2))
        for number, rows in enumerate(zip(first, second, strict=True)):
            for name, one, other in zip(("actions", "probabilities", "rewards"), *rows, strict=True):
                assert np.array_equal(one, other), f"step {number}: {name} differ under one seed"

    def test_other_seed_other_draws(self, agent: str) -> None:
        """Where anything is drawn at all."""
        first, second = (self._played(agent, seed=seed, noise=0.0)[1].rows for seed in (1, 2))
        if all(np.allclose(_shares(actions, chances), chances, atol=1e-6) for actions, chances, _ in first):
            pytest.skip("draws nothing: what it plays is what it says")
        same = all(np.array_equal(one[0], other[0]) for one, other in zip(first, second, strict=True))
        assert not same, "two seeds must give two sequences of actions"

    def test_a_seed_begins_new_draws(self, agent: str, tmp_path: Path) -> None:
        """`set_random_seed` of a loaded agent: one seed the same draws, another seed others."""
        env = pool(1, **self._space(agent))
        self._made(agent, env).save(tmp_path / "agent")
        made, looked, drawn = load(agent, tmp_path / "agent", env), _looked(env), []
        for seed in (8, 8, 9):
            made.set_random_seed(seed)
            drawn.append(np.concatenate([made.predict(looked)[0] for _ in range(25)]))
        assert np.array_equal(drawn[0], drawn[1]), "one seed must give the same draws"
        if len(np.unique(drawn[0], axis=0)) > 1 and made.probabilities(looked).max() < 1:
            assert not np.array_equal(drawn[0], drawn[2]), "two seeds must give two sequences of draws"

    def test_probabilities_stay_probabilities(self, agent: str) -> None:
        """(N, K), at least 0, each row summing to 1, over one task and over five hundred."""
        for arms, steps in ((1, STEPS), (500, 6)):
            env = pool(2, arms=arms, **self._space(agent))
            made = self._made(agent, env).learn(steps)
            _check(made.probabilities(_looked(env)), 2, arms)

    def test_replicas_and_observations_of_parts(self, agent: str) -> None:
        """Three replicas whose observations are dicts: actions and probabilities for each."""
        env = pool(3, **{**self._space(agent), "dict_observation": True})
        recorder = Recorder()
        made = self._made(agent, env).learn(48, [recorder])
        assert made.num_timesteps >= 48, "num_timesteps counts the steps of all replicas"
        actions, probabilities, _ = recorder.rows[-1]
        assert len(actions) == 3
        assert probabilities.shape == (3, 5)

    def test_one_observation_gives_one_action(self, agent: str) -> None:
        """Without the axis of replicas."""
        env = pool(1, **self._space(agent))
        made = self._made(agent, env)
        looked = _looked(env)
        one: Any = {part: v[0] for part, v in looked.items()} if isinstance(looked, dict) else looked[0]
        action, state = made.predict(one)
        assert state is None, "an agent keeps its memory itself"
        assert env.action_space.contains(np.asarray(action)) or np.shape(action) == env.action_space.shape
        _check(made.probabilities(one), 1)

    def test_predicting_learns_nothing(self, agent: str) -> None:
        """Without `observe` the same probabilities come out however often it is asked."""
        env = pool(1, **self._space(agent))
        made, looked = self._made(agent, env).learn(20), _looked(env)
        before = made.probabilities(looked)
        for _ in range(5):
            made.predict(looked)
        assert np.array_equal(made.probabilities(looked), before), "an agent that is only asked must learn nothing"

    def test_an_episode_outside_learn(self, agent: str) -> None:
        """The evaluation loop of `Agent`, through the end of an episode."""
        env = pool(1, **self._space(agent))
        made = self._made(agent, pool(1, **self._space(agent)))
        made.reset_memory()
        observations: Any = env.reset()
        for _ in range(65):
            actions, _ = made.predict(observations)
            observations, rewards, dones, infos = env.step(actions)
            made.observe(actions, rewards, dones, infos)
            _check(made.probabilities(observations), 1)

    def test_saved_and_loaded_it_goes_on(self, agent: str, tmp_path: Path) -> None:
        """With and without an environment: the same count of steps, probabilities and greedy actions."""
        made, _ = self._played(agent, seed=3)
        made.save(tmp_path / "agent")
        env = pool(1, **self._space(agent))
        looked = _looked(env)
        for given in (None, env):
            loaded = load(agent, tmp_path / "agent.zip", given)
            assert loaded.num_timesteps == made.num_timesteps, "num_timesteps must be saved"
            found, wanted = (each.probabilities(looked) for each in (loaded, made))
            assert np.array_equal(found, wanted), "what was learned must be saved"
            found, wanted = (each.predict(looked, deterministic=True)[0] for each in (loaded, made))
            assert np.array_equal(found, wanted), "a loaded agent must play as the saved one"
        loaded.learn(16)

    def test_a_file_about_other_tasks_is_refused(self, agent: str, tmp_path: Path) -> None:
        """In one line, when it is loaded into an environment of another number of tasks."""
        self._made(agent, pool(1, **self._space(agent))).save(tmp_path / "agent")
        with pytest.raises(ConfigError) as caught:
            load(agent, tmp_path / "agent", pool(1, arms=7, **self._space(agent)))
        _check_line(caught.value)
        assert {"5", "7"} <= set(str(caught.value)), f"it was saved with 5 tasks and is given 7: {caught.value}"

    def test_a_callback_stops_it_and_learning_goes_on(self, agent: str) -> None:
        """At once; and `reset_num_timesteps=False` counts on."""
        made = self._made(agent, pool(1, **self._space(agent)))
        recorder = Recorder(stop_after=10)
        made.learn(1000, recorder)
        assert made.num_timesteps == 10, "a callback that returns False ends the call"
        assert recorder.ended == 1, "callbacks are told when training ends"
        made.learn(16, reset_num_timesteps=False)
        assert made.num_timesteps == 26, "reset_num_timesteps=False goes on counting"

    def test_ctrl_c_leaves_a_whole_agent(self, agent: str, tmp_path: Path) -> None:
        """Callbacks are closed, and what is there can be saved and loaded."""
        made = self._made(agent, pool(1, **self._space(agent)))
        recorder = Recorder(interrupt_after=10)
        with pytest.raises(KeyboardInterrupt):
            made.learn(1000, recorder)
        assert recorder.ended == 1, "callbacks are told when training ends"
        made.save(tmp_path / "agent.zip")
        _check(load(agent, tmp_path / "agent.zip").probabilities(_looked(pool(1, **self._space(agent)))), 1)

    def test_absurd_gains_poison_nothing(self, agent: str) -> None:
        """Segments that fail, and gains that are infinite or no numbers."""
        env = pool(1, fail=(0, 1, 5, 20), told=ABSURD, **self._space(agent))
        _check(self._made(agent, env).learn(STEPS).probabilities(_looked(env)), 1)

    def test_cart_pole_is_played_or_refused(self, agent: str) -> None:
        """An environment that nobody made for it."""
        env = gym.make("CartPole-v1")
        try:
            made = self._made(agent, env)
        except ConfigError as error:
            _check_line(error)
            return
        made.learn(20)
        assert made.predict(np.zeros(4, np.float32))[0] in (0, 1)

    def _made(self, agent: str, env: Any, seed: int = 0) -> Agent:
        return make(agent, env, seed=seed, **self.options(agent))

    def _played(self, agent: str, *, seed: int, noise: float = 0.3) -> tuple[Agent, Recorder]:
        """After `STEPS` steps."""
        recorder = Recorder()
        made = self._made(agent, BanditEnv(noise=noise, **self._space(agent)), seed).learn(STEPS, recorder)
        assert len(recorder.rows) >= STEPS, "callbacks are called after every step"
        assert made.num_timesteps == len(recorder.rows), "num_timesteps counts the steps"
        return made, recorder

    def _space(self, agent: str) -> dict[str, Any]:
        """The first of these that it plays: tasks, or mixtures, without or with features of the tasks."""
        refused = []
        for features in (False, True):
            for mixture in (False, True):
                options: dict[str, Any] = {"mixture": mixture, "features": features}
                try:
                    self._made(agent, BanditEnv(**options))
                except ConfigError as error:
                    _check_line(error)
                    refused.append(str(error))
                else:
                    return options
        raise AssertionError(f"{agent} plays neither tasks nor mixtures: {'; '.join(refused)}")


def _check(probabilities: npt.NDArray[np.float64], replicas: int, arms: int | None = None) -> None:
    shape = (replicas, probabilities.shape[-1] if arms is None else arms)
    assert probabilities.shape == shape, f"probabilities must be (N, K) = {shape}, not {probabilities.shape}"
    assert np.isfinite(probabilities).all() and probabilities.min() >= 0, f"finite and at least 0: {probabilities}"
    assert np.allclose(probabilities.sum(axis=1), 1), f"rows must sum to 1: {probabilities.sum(axis=1)}"


def _check_line(error: Exception) -> None:
    assert "\n" not in str(error), f"a refusal must be one line: {error}"


def _shares(actions: npt.NDArray[Any], probabilities: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """(N, K) what was played."""
    return shares(actions) if actions.ndim == 2 else np.eye(probabilities.shape[1])[actions]


def _looked(env: Any) -> Observation:
    """What is seen at the start, of all replicas."""
    observations: Observation = env.reset()
    return observations
