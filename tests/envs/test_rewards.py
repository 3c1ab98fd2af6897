"""Rewards: gains in percent, the stratified reference as a baseline, the penalty of a segment that was undone."""

from typing import Any

import numpy as np
import pytest

from curriculum_rl.envs.pretraining import PretrainingEnv
from curriculum_rl.errors import ConfigError
from curriculum_rl.pretraining import reference
from curriculum_rl.text.cache import Cache


def play(env: PretrainingEnv, seed: int) -> tuple[list[float], list[float]]:
    """Rewards, and scores with the one before the first segment, of a run of task 0."""
    env.reset(seed=seed)
    rewards: list[float] = []
    scores: list[float] = []
    terminated = False
    while not terminated:
        _, reward, terminated, _, info = env.step(0)
        scores = scores or [float(env.run.progress.initial[0])]
        rewards.append(reward)
        scores.append(info["score"])
    return rewards, scores


def test_rewards_are_gains_in_percent_of_the_initial_score(tiny: dict[str, Any]) -> None:
    rewards, scores = play(PretrainingEnv(tiny), 3)
    assert rewards == pytest.approx((100 * np.diff(scores) / abs(scores[0])).tolist(), abs=1e-9)


def test_with_the_stratified_baseline_rewards_sum_to_what_stratified_would_not_have(tiny: dict[str, Any]) -> None:
    env = PretrainingEnv(tiny, overrides={"reward.baseline": "stratified"})
    rewards, scores = play(env, 3)
    stratified = reference.stratified_reference(env.experiment).scores
    assert len(stratified) == len(scores)
    own = (scores[-1] - scores[0]) / abs(scores[0])
    theirs = (stratified[-1] - stratified[0]) / abs(stratified[0])
    assert sum(rewards) == pytest.approx(100 * (own - theirs), abs=1e-6)
    assert theirs > 0.05


def test_the_reference_is_the_mean_of_stratified_runs_and_is_recorded_once(
    tiny: dict[str, Any], tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = PretrainingEnv(tiny).experiment
    first = reference.stratified_reference(experiment, Cache(tmp_path))
    assert first.tokens > 0
    assert first.flops > 0
    monkeypatch.setattr(reference, "_play", None)
    again = reference.stratified_reference(experiment, Cache(tmp_path))
    assert again.scores.tolist() == first.scores.tolist()
    other = PretrainingEnv(tiny, overrides={"action.kind": "mixture", "reward.scale": 7}).experiment
    assert reference.stratified_reference(other, Cache(tmp_path)).scores.tolist() == first.scores.tolist()
    changed = PretrainingEnv(tiny, overrides={"optimizer.learning_rate": 1e-3}).experiment
    with pytest.raises(TypeError):
        reference.stratified_reference(changed, Cache(tmp_path))


def test_an_agent_with_a_free_proxy_is_paid_the_plain_gain(tiny: dict[str, Any]) -> None:
    env = PretrainingEnv(tiny, overrides={"reward.baseline": "stratified"}, charge_proxy=False)
    rewards, scores = play(env, 3)
    assert rewards == pytest.approx((100 * np.diff(scores) / abs(scores[0])).tolist(), abs=1e-9)


def test_permuted_tasks_are_the_same_tasks_under_other_numbers(tiny: dict[str, Any]) -> None:
    plain = PretrainingEnv(tiny, overrides={"observation": "dict"})
    permuted = PretrainingEnv(tiny, overrides={"observation": "dict", "action.permute": True})
    observations: Any
    shuffled: Any
    observations, _ = plain.reset(seed=4)
    shuffled, info = permuted.reset(seed=4)
    order, count = info["order"], len(plain.tasks)
    assert sorted(order) == list(range(count))
    assert order.tolist() != list(range(count))
    for position in (0, 2, 1):
        rows, other = observations["tasks"].reshape(count, -1), shuffled["tasks"].reshape(count, -1)
        assert np.array_equal(other, rows[order])
        observations, reward, *_, first = plain.step(int(order[position]))
        shuffled, same, *_, second = permuted.step(position)
        assert reward == same
        assert first["mixture"].tolist() == second["mixture"].tolist()
        assert first["mixture"].argmax() == order[position]
    _, later = permuted.reset()
    assert later["order"].tolist() != order.tolist()


def test_a_declared_price_is_paid_by_share(tiny: dict[str, Any]) -> None:
    plain, priced = PretrainingEnv(tiny), PretrainingEnv(tiny, overrides={"reward.cost": {"noise.causal_lm": 2.0}})
    noise = plain.tasks.index("noise.causal_lm")
    for env in (plain, priced):
        env.reset(seed=3)
    for task in (noise, 0):
        _, reward, *_, info = plain.step(task)
        _, less, *_, _ = priced.step(task)
        assert reward - less == pytest.approx(2 * info["mixture"][noise])
    assert info["mixture"][noise] > 0


def test_a_price_of_a_task_that_is_not_there(tiny: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"reward.cost: no task 'nose'; there are .*noise\.causal_lm"):
        PretrainingEnv(tiny, overrides={"reward.cost": {"nose": 1.0}})
    with pytest.raises(ConfigError, match="cost"):
        PretrainingEnv(tiny, overrides={"reward.cost": {"noise.causal_lm": -1.0}})


def test_the_stratified_baseline_takes_away_gains_where_they_are_no_differences_of_scores(tiny: dict[str, Any]) -> None:
    agnostic = {"proxy": {"kind": "heldout_tasks", "sequences": 3}, "action.kind": "mixture"}
    plain = PretrainingEnv(tiny, overrides=agnostic)
    less = PretrainingEnv(tiny, overrides={**agnostic, "reward.baseline": "stratified"})
    scores = reference.stratified_reference(plain.experiment).scores
    paid: list[list[float]] = []
    for env in (plain, less):
        env.reset(seed=3)
        paid.append([])
        terminated = False
        while not terminated:
            _, reward, terminated, *_ = env.step(np.zeros(5, np.float32))
            paid[-1].append(float(reward))
    expected = 100 * np.diff(scores) / abs(scores[0])
    assert (np.array(paid[0]) - np.array(paid[1])).tolist() == pytest.approx(expected.tolist(), abs=1e-9)
    assert sum(paid[1]) != pytest.approx(0, abs=1e-6)
