"""The equivariant policies: permute the tasks and what they say follows; they learn; they play another number."""

import pickle
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces
from stable_baselines3.common.vec_env import DummyVecEnv

from curriculum_rl.agents.rl.equivariant import EquivariantPolicy
from curriculum_rl.agents.rl.ppo import PPO
from curriculum_rl.agents.table import load, make
from curriculum_rl.errors import ConfigError
from curriculum_rl.mixtures import shares

K, F, G = 5, 3, 2
CASES = [("ppo", False), ("ppo", True), ("a2c", False), ("a2c", True), ("dqn", False), ("sac", True), ("td3", True)]


class Marked(gymnasium.Env[Any, Any]):
    """The good task is the one whose first feature is largest; its place changes every step."""

    def __init__(self, arms: int = K, mixture: bool = False, features: int = F) -> None:
        self.arms, self.features = arms, features
        self.observation_space = spaces.Dict(
            {"tasks": spaces.Box(-5, 5, (arms * features,), np.float32), "run": spaces.Box(-5, 5, (G,), np.float32)}
        )
        self.action_space = spaces.Box(-1, 1, (arms,), np.float32) if mixture else spaces.Discrete(arms)
        self.steps = 0

    def _look(self) -> dict[str, Any]:
        self.tasks = self.np_random.uniform(-1, 1, (self.arms, self.features)).astype(np.float32)
        return {"tasks": self.tasks.ravel(), "run": np.zeros(G, np.float32)}

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.steps = 0
        return self._look(), {}

    def step(self, action: Any) -> Any:
        best = self.tasks[:, 0].argmax()
        reward = float(best == action) if np.ndim(action) == 0 else float(shares(action)[best])
        self.steps += 1
        return self._look(), reward, self.steps == 8, False, {}


def several(count: int = 8, **options: Any) -> DummyVecEnv:
    return DummyVecEnv([lambda: Marked(**options)] * count)


def shaken(name: str, env: DummyVecEnv) -> Any:
    """An agent whose weights are far from where they start."""
    agent: Any = make(name, env, seed=0)
    with torch.no_grad():
        for parameter in agent.policy.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.3)
    return agent


def drawn(arms: int = K, rows: int = 4) -> tuple[Any, Any, Any, Any]:
    """Features of tasks and run, actions, and a new order of the tasks."""
    draw = np.random.default_rng(0)
    tasks = draw.normal(size=(rows, arms, F)).astype(np.float32)
    actions = draw.uniform(-1, 1, (rows, arms)).astype(np.float32)
    return tasks, draw.normal(size=(rows, G)).astype(np.float32), actions, draw.permutation(arms)


def values(agent: Any, observed: Any, actions: Any) -> Any:
    """What the agent's critic says: of the state, of each task, or of a mixture."""
    seen = agent.policy.obs_to_tensor(observed)[0]
    with torch.no_grad():
        if hasattr(agent, "q_net"):
            return agent.q_net(seen).numpy()
        if hasattr(agent, "critic"):
            return torch.cat(agent.critic(seen, torch.as_tensor(actions)), dim=1).numpy()
        return agent.policy.predict_values(seen).numpy()


@pytest.mark.parametrize(("name", "mixture"), CASES)
def test_probabilities_follow_a_permutation_and_values_stay(name: str, mixture: bool) -> None:
    agent = shaken(name, several(mixture=mixture))
    assert type(agent.policy).any_number_of_tasks
    tasks, run, actions, order = drawn()

    def look(features: Any, played: Any) -> Any:
        observed = {"tasks": features.reshape(4, -1), "run": run}
        mean, _ = agent.predict(observed, deterministic=True)
        return agent.probabilities(observed), values(agent, observed, played), mean

    (plain, value, action), (permuted, same, moved) = look(tasks, actions), look(tasks[:, order], actions[:, order])
    assert permuted == pytest.approx(plain[:, order], abs=1e-5)
    assert same == pytest.approx(value[:, order] if name == "dqn" else value, abs=1e-5)
    assert moved == pytest.approx(action[:, order], abs=1e-5) if mixture else (order[moved] == action).all()
    assert value.std() > 0.01
    if name != "dqn":
        assert plain.std() > 0.01


def test_sac_draws_every_task_with_a_spread_of_its_own() -> None:
    agent = shaken("sac", several(mixture=True))
    tasks, run, _, order = drawn()
    spreads = []
    for features in (tasks, tasks[:, order]):
        seen = agent.policy.obs_to_tensor({"tasks": features.reshape(4, -1), "run": run})[0]
        with torch.no_grad():
            spreads.append(agent.actor.get_action_dist_params(seen)[1].numpy())
    assert spreads[1] == pytest.approx(spreads[0][:, order], abs=1e-6)
    assert spreads[0].std() > 0.01


def test_a_critic_sees_shares_and_not_their_scale() -> None:
    agent = shaken("td3", several(mixture=True))
    tasks, run, actions, _ = drawn()
    observed = {"tasks": tasks.reshape(4, -1), "run": run}
    value = values(agent, observed, actions)
    assert values(agent, observed, (actions + 1) / 2 - 1) == pytest.approx(value, abs=1e-5)
    assert np.abs(values(agent, observed, -actions) - value).max() > 0.01


@pytest.mark.parametrize(("name", "mixture"), CASES)
def test_trained_with_five_tasks_it_plays_nine(name: str, mixture: bool, tmp_path: Path) -> None:
    agent = shaken(name, several(mixture=mixture))
    agent.save(tmp_path / "agent")
    more = several(3, arms=9, mixture=mixture)
    loaded: Any = load(name, tmp_path / "agent", env=more)
    tasks, run, _, _ = drawn(arms=9, rows=3)
    probabilities = loaded.probabilities({"tasks": tasks.reshape(3, -1), "run": run})
    assert probabilities.shape == (3, 9)
    assert probabilities.sum(axis=1) == pytest.approx(np.ones(3), abs=1e-6)
    state = agent.policy.state_dict()
    assert all(torch.equal(state[key], value) for key, value in loaded.policy.state_dict().items())
    loaded.learning_starts = 0
    loaded.learn(9)
    assert loaded.num_timesteps >= 9
    if name == "sac":
        assert loaded.target_entropy == -9


@pytest.mark.parametrize(("name", "mixture"), CASES)
def test_other_features_or_a_policy_per_task_cannot_play_another_number(
    name: str, mixture: bool, tmp_path: Path
) -> None:
    make(name, several(mixture=mixture), seed=0).save(tmp_path / "agent")
    with pytest.raises(ConfigError, match=r"env: 4 features of a task and 2 of the run, .*trained with 3 and 2"):
        load(name, tmp_path / "agent", env=several(arms=9, mixture=mixture, features=4))
    make(name, several(mixture=mixture), seed=0, policy="MultiInputPolicy").save(tmp_path / "other")
    with pytest.raises(ConfigError, match="env: 9 tasks, but the agent was trained with 5"):
        load(name, tmp_path / "other", env=several(arms=9, mixture=mixture))


def test_columns_hide_features() -> None:
    env = several(mixture=True)
    agent: Any = make("td3", env, seed=0, policy_kwargs={"task_columns": (0, 2), "run_columns": (1,)})
    tasks, run, _, _ = drawn()
    plain = agent.probabilities({"tasks": tasks.reshape(4, -1), "run": run})
    for changes, part in ((False, 1), (True, 2)):
        other = tasks.copy()
        other[:, :, part] += np.arange(K)
        assert (agent.probabilities({"tasks": other.reshape(4, -1), "run": run}) != plain).any() == changes
    assert np.array_equal(agent.probabilities({"tasks": tasks.reshape(4, -1), "run": run + np.array([[1, 0]])}), plain)
    with pytest.raises(ConfigError, match=r"task_columns: \[3\] must be numbers from 0 to 2"):
        make("td3", env, policy_kwargs={"task_columns": (3,)})


@pytest.mark.parametrize(("name", "mixture"), CASES)
def test_a_policy_that_travels_alone_keeps_its_width_and_its_columns(name: str, mixture: bool, tmp_path: Path) -> None:
    settings = {"width": 12, "task_columns": (2, 0), "run_columns": (1,)}
    agent: Any = make(name, several(mixture=mixture), seed=0, policy_kwargs=settings)
    tasks, run, _, _ = drawn()
    observed = {"tasks": tasks.reshape(4, -1), "run": run}
    expected, _ = agent.policy.predict(observed, deterministic=True)
    agent.policy.save(tmp_path / "policy")
    others = type(agent.policy).load(tmp_path / "policy", device="cpu"), pickle.loads(pickle.dumps(agent.policy))
    for other in others:
        assert np.array_equal(other.predict(observed, deterministic=True)[0], expected)
        assert {key: other._get_constructor_parameters()[key] for key in settings} == settings


@pytest.mark.parametrize(("name", "mixture"), [case for case in CASES if case[0] != "dqn"])
def test_it_starts_almost_uniform(name: str, mixture: bool) -> None:
    agent = make(name, several(mixture=mixture), seed=0)
    observation = {"tasks": np.random.default_rng(0).normal(size=(8, K * F)), "run": np.ones((8, G))}
    assert agent.probabilities(observation) == pytest.approx(1 / K, abs=0.02)


def test_it_learns_what_a_position_cannot_tell_and_survives_saving(tmp_path: Path) -> None:
    env = several()
    agent = make("ppo", env, seed=0, n_steps=64).learn(16_000)
    env.seed(1)
    observation: Any = env.reset()
    hits = []
    for _ in range(50):
        action, _ = agent.predict(observation)
        observation, reward, _, _ = env.step(action)
        hits.append(reward.mean())
    assert np.mean(hits) > 0.7
    agent.save(tmp_path / "agent")
    again = load("ppo", tmp_path / "agent", env=several())
    assert np.array_equal(again.probabilities(observation), agent.probabilities(observation))


def test_other_observations_are_refused() -> None:
    env = DummyVecEnv([lambda: gymnasium.make("CartPole-v1")])
    with pytest.raises(ConfigError, match="observation: EquivariantPolicy reads 'dict' observations"):
        PPO(EquivariantPolicy, env)
