"""The environment's contract: both checkers, both spaces, determinism, info, ends."""

import json
import subprocess
import sys
import warnings
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from stable_baselines3.common.env_checker import check_env as check_sb3

from curriculum_rl.envs.pretraining import PretrainingEnv

ID = "curriculum_rl.envs:CurriculumRL/Pretraining-v0"
VARIANTS = [
    pytest.param({"action.kind": action, "observation": observation}, id=f"{action}-{observation}")
    for action in ("task", "mixture")
    for observation in ("flat", "dict")
]


def play(env: gymnasium.Env[Any, Any], seed: int, actions: Any) -> list[Any]:
    rows: list[Any] = [env.reset(seed=seed)[0]]
    for action in actions:
        observation, reward, terminated, _, info = env.step(action)
        rows.append((observation, reward, terminated, info["score"], info["task_losses"].tolist(), info["ledger"]))
        if terminated:
            rows.append(info["final"])
            break
    return rows


@pytest.mark.parametrize("overrides", VARIANTS)
def test_both_checkers(tiny: dict[str, Any], overrides: dict[str, Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message=".*not within the recommended.*")
        check_env(gymnasium.make(ID, config=tiny, overrides=overrides).unwrapped, skip_render_check=True)
        check_sb3(PretrainingEnv(tiny, overrides=overrides))


@pytest.mark.parametrize("overrides", VARIANTS)
def test_observations_stay_inside_their_space(tiny: dict[str, Any], overrides: dict[str, Any]) -> None:
    env = PretrainingEnv(tiny, overrides=overrides)
    env.action_space.seed(0)
    observation, _ = env.reset(seed=0)
    terminated = False
    while not terminated:
        assert env.observation_space.contains(observation)
        observation, reward, terminated, truncated, _ = env.step(env.action_space.sample())
        assert np.isfinite(reward)
        assert not truncated
    assert env.observation_space.contains(observation)


def test_an_episode_ends_with_the_budget_and_reports(tiny: dict[str, Any]) -> None:
    env = PretrainingEnv(tiny)
    rows = play(env, 0, [0] * 100)
    final = rows[-1]
    assert len(rows) < 14
    assert set(final) >= {"target_loss", "downstream_accuracy", "downstream_log_loss", "corpus_losses"}
    assert set(final["corpus_losses"]) == {"sea", "land", "star"}
    assert 0 <= final["downstream_accuracy"] <= 1


def test_same_seed_same_rows_and_other_seed_other_rows(tiny: dict[str, Any]) -> None:
    env = PretrainingEnv(tiny)
    actions = [0, 4, 2, 2, 1] * 3
    first, again, other = (repr(play(env, seed, actions)) for seed in (1, 1, 2))
    assert first == again
    assert first != other
    assert repr(play(PretrainingEnv(tiny), 1, actions)) == first


def test_same_rows_in_another_process(tiny: dict[str, Any]) -> None:
    code = (
        "import sys, json, torch; torch.set_num_threads(1)\n"
        "from curriculum_rl.envs.pretraining import PretrainingEnv\n"
        "env = PretrainingEnv(json.loads(sys.argv[1])); env.reset(seed=3)\n"
        "print([env.step(a)[4]['score'] for a in (0, 1, 2, 3, 4)])"
    )
    here = [row[3] for row in play(PretrainingEnv(tiny), 3, [0, 1, 2, 3, 4])[1:6]]
    out = subprocess.run([sys.executable, "-c", code, json.dumps(tiny)], capture_output=True, text=True, check=True)
    assert json.loads(out.stdout) == here


def test_emphasis_leaves_the_rest_stratified(tiny: dict[str, Any]) -> None:
    env = PretrainingEnv(tiny, overrides={"segment.updates": 10, "action.emphasis": 0.5, "batch": 10})
    env.reset(seed=0)
    _, _, _, _, info = env.step(2)
    assert info["mixture"].tolist() == pytest.approx([0.1, 0.1, 0.6, 0.1, 0.1])


def test_a_mixture_is_proportional_to_the_action_plus_one(tiny: dict[str, Any]) -> None:
    env = PretrainingEnv(tiny, overrides={"action.kind": "mixture", "segment.updates": 10, "batch": 10})
    env.reset(seed=0)
    _, _, _, _, info = env.step(np.array([1, 0, 0, -1, -1], np.float32))
    assert info["mixture"].tolist() == pytest.approx([0.5, 0.25, 0.25, 0, 0])


def test_reward_is_the_gain_in_percent_of_the_initial_score(tiny: dict[str, Any]) -> None:
    env = PretrainingEnv(tiny)
    env.reset(seed=0)
    _, reward, _, _, info = env.step(0)
    assert reward == pytest.approx(100 * info["gain"] / abs(info["score"] - info["gain"]))


def test_a_failed_segment_pays_the_penalty_and_the_run_goes_on(tiny: dict[str, Any]) -> None:
    env = PretrainingEnv(tiny, overrides={"optimizer.learning_rate": 1e6, "reward.failure": -3.0})
    env.reset(seed=0)
    terminated, rewards = False, []
    while not terminated:
        observation, reward, terminated, _, info = env.step(0)
        assert env.observation_space.contains(observation)
        rewards.append(reward)
        assert (reward == -3.0) == info["failed"]
    assert -3.0 in rewards


@pytest.mark.parametrize("action", [-1, 5, np.array([0.5, 2, 0, 0, 0]), np.array([0.0, 0.0]), np.full(5, np.nan)])
def test_bad_actions_are_refused_and_lose_nothing(tiny: dict[str, Any], action: Any) -> None:
    kind = "task" if isinstance(action, int) else "mixture"
    env = PretrainingEnv(tiny, overrides={"action.kind": kind})
    env.reset(seed=0)
    good = 0 if kind == "task" else np.zeros(5, np.float32)
    env.step(good)
    with pytest.raises(ValueError, match="action"):
        env.step(action)
    assert env.run.progress.segments == 1


def test_state_continues_exactly(tiny: dict[str, Any]) -> None:
    env = PretrainingEnv(tiny)
    env.reset(seed=4)
    env.step(1)
    state = env.get_state()
    expected = [env.step(a)[:2] for a in (0, 2, 4)]
    other = PretrainingEnv(tiny)
    other.reset(seed=99)
    other.set_state(state)
    for (observation, reward), action in zip(expected, (0, 2, 4), strict=True):
        again, paid, *_ = other.step(action)
        assert paid == reward
        np.testing.assert_array_equal(again, observation)
    assert other.reset()[1]["seed"] == env.reset()[1]["seed"]
