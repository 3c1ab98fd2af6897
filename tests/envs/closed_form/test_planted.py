"""Planted learners: the law by hand, the answers against search and another solver, the environment."""

import warnings
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from stable_baselines3.common.env_checker import check_env as check_sb3

from curriculum_rl.envs.closed_form.planted import PlantedEnv
from curriculum_rl.envs.closed_form.planted_known import PROBLEMS
from curriculum_rl.envs.closed_form.planted_problems import Planted
from curriculum_rl.envs.closed_form.planted_run import MEASURED, PlantedRun
from curriculum_rl.envs.closed_form.simplex import blocks, least
from curriculum_rl.errors import ConfigError
from curriculum_rl.mixtures import action_of

ID = "curriculum_rl.envs:CurriculumRL/Planted-v0"
SEEDS = range(8)
T = 120


def problem_of(name: str, seed: int = 0, segments: int = T) -> Planted:
    return PROBLEMS[name](segments, np.random.default_rng(seed))


def two(**changes: Any) -> Planted:
    """Two tasks, two skills, four segments."""
    planted = {
        "teaches": np.array([[0.5, 0.1], [0.0, 0.4]]),
        "floor": np.array([1.0, 2.0]),
        "height": np.array([3.0, 2.0]),
        "weight": np.array([0.25, 0.75]),
        "own": np.arange(2),
        "needs": np.full(2, -1),
        "delay": np.zeros(2, np.int64),
        "begins": np.zeros(2),
        "order": np.arange(2),
        "special": (),
        "segments": 4,
    }
    return Planted(**{**planted, **changes})


def trained(problem: Planted, schedule: Any, **options: Any) -> PlantedRun:
    run = PlantedRun(problem, **options)
    for mixture in schedule:
        run.add(np.asarray(mixture, np.float64))
    return run


def play(env: PlantedEnv, actions: Any, seed: int = 0) -> list[Any]:
    env.reset(seed=seed)
    return [env.step(action) for action in actions]


def test_the_law_by_hand() -> None:
    run = trained(two(), [[1, 0], [0.5, 0.5], [0, 1]])
    first, second = 1 + 3 * np.exp(-0.75), 2 + 2 * np.exp(-(0.15 + 0.6))
    assert run.task_losses == pytest.approx([first, second])
    assert run.target_loss == pytest.approx(0.25 * first + 0.75 * second)
    assert run.left == 0.25 and not run.ended


def test_prerequisites_delay_and_a_late_task_by_hand() -> None:
    plan = [[1, 0], [0, 1]]
    gated = trained(two(needs=np.array([-1, 0])), plan)
    assert gated.skills == pytest.approx([0.5, 0.4 * (1 - np.exp(-0.5))])
    late = two(delay=np.array([2, 0]))
    assert trained(late, plan).skills == pytest.approx([0, 0.4])
    assert trained(late, [*plan, [0, 1]]).skills == pytest.approx([0.5, 0.9])
    added = two(begins=np.array([0.5, 0]))
    assert trained(added, [[1, 0]] * 2).skills == pytest.approx([0, 0])
    assert trained(added, [[1, 0]] * 3).skills == pytest.approx([0.5, 0.1])


@pytest.mark.parametrize("name", PROBLEMS)
def test_a_run_ends_where_the_closed_form_says(name: str) -> None:
    problem = problem_of(name, 3)
    schedule = np.random.default_rng(0).dirichlet(np.ones(problem.tasks), T)
    assert trained(problem, schedule).target_loss == pytest.approx(problem.end(schedule[None])[0], abs=1e-12)


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10**6), name=st.sampled_from(sorted(set(PROBLEMS) - {"chain"})))
def test_no_mixture_is_better_than_the_best_one_and_no_schedule_than_the_best_schedule(seed: int, name: str) -> None:
    problem, draw = problem_of(name, seed), np.random.default_rng(seed)
    assert problem.best_mixture.sum() == pytest.approx(1) and (problem.best_mixture >= 0).all()
    near = 0.9 * problem.best_mixture + 0.1 * draw.dirichlet(np.ones(problem.tasks), 300)
    mixtures = np.concatenate([draw.dirichlet(np.full(problem.tasks, a), 300) for a in (0.3, 1)] + [near])
    assert problem.static(mixtures).min() > problem.best_static_loss - 1e-6
    schedules = draw.dirichlet(np.full(problem.tasks, 0.3), (50, T))
    assert min(problem.end(schedules).min(), problem.best_static_loss) > problem.best_loss - 1e-6


def test_the_best_mixture_has_even_gradients_where_it_is_positive() -> None:
    """The condition of Karush, Kuhn and Tucker, an answer that the search does not use."""
    for seed in SEEDS:
        problem = problem_of("transfer", seed)
        best = problem.best_mixture
        slopes = T * problem.teaches @ problem.gradient(T * best @ problem.teaches)
        used = best > 1e-3
        assert slopes[used] == pytest.approx(slopes[used].mean(), abs=2e-3)
        assert (slopes > slopes[used].mean() - 2e-3).all()


@pytest.mark.parametrize("name", ["delayed", "added"])
def test_the_best_schedule_is_what_another_solver_finds(name: str) -> None:
    """Only sums of what counts matter: at most three quarters of a run are in time, at most half of it teaches."""
    for seed in SEEDS[:4]:
        problem = problem_of(name, seed)
        bounds = [(0.0, 1.0)] * 6
        bounds[problem.special[0]] = (0.0, 0.75 if name == "delayed" else 0.5)
        found = minimize(
            lambda p, known=problem: known.target_loss(T * p @ known.teaches),
            np.full(6, 1 / 6),
            bounds=bounds,
            constraints={"type": "eq", "fun": lambda p: p.sum() - 1},
            method="SLSQP",
            options={"ftol": 1e-12, "maxiter": 500},
        )
        assert problem.best_loss == pytest.approx(found.fun, abs=1e-5)


def test_search_and_blocks_by_hand() -> None:
    assert least(lambda p: ((p - [0.7, 0.3, 0]) ** 2).sum(axis=1), 3) == pytest.approx([0.7, 0.3, 0], abs=1e-4)
    assert least(lambda p: p[:, 0] - p[:, 1], 2) == pytest.approx([0, 1])
    assert blocks(np.array([[0.375, 0.625]]), np.array([1, 0]), 4)[0].tolist() == [[0, 1], [0, 1], [0.5, 0.5], [1, 0]]


def test_on_a_chain_order_beats_any_static_mixture() -> None:
    for seed in SEEDS[:3]:
        problem = problem_of("chain", seed)
        mixtures = np.random.default_rng(seed).dirichlet(np.ones(problem.tasks), 300)
        assert problem.static(mixtures).min() > problem.best_static_loss - 1e-6
        assert trained(problem, problem.best_schedule).target_loss == pytest.approx(problem.best_loss)
        learned = problem.start_loss - problem.best_static_loss
        assert problem.best_static_loss - problem.best_loss > 0.3 * learned
        assert problem.end(problem.best_schedule[None, ::-1])[0] > problem.best_static_loss


def test_signals_are_the_laws_own() -> None:
    problem = problem_of("transfer", 1)
    run = PlantedRun(problem)
    run.signals = MEASURED
    draw = np.random.default_rng(1)
    for _ in range(5):
        mixture = draw.dirichlet(np.ones(problem.tasks))
        found = run.add(mixture)
    assert found["heldout_loss"] == pytest.approx(run.task_losses)
    small = 1e-6
    for task in range(problem.tasks):
        moved = run.skills + problem.teaches[task]
        assert found["look_ahead"][task] == pytest.approx(run.target_loss - problem.target_loss(moved))
        assert found["transfer"][task] == pytest.approx(run.task_losses - problem.losses(moved)[problem.own])
        nudged = problem.target_loss(run.skills + small * problem.teaches[task])
        assert found["products"][task, -1] == pytest.approx((run.target_loss - nudged) / small, rel=1e-3, abs=1e-8)
    assert np.linalg.eigvalsh(found["products"]).min() > -1e-12
    ends = [problem.target_loss(run.skills + p @ problem.teaches) for p in (np.full(6, 1 / 6), mixture)]
    assert found["duel"] == pytest.approx(ends[0] - ends[1])


def test_what_is_delayed_shows_in_no_signal() -> None:
    problem = problem_of("delayed")
    run = PlantedRun(problem)
    run.signals = MEASURED
    task = problem.special[0]
    found = run.add(np.full(6, 1 / 6))
    assert found["look_ahead"][task] == pytest.approx(0, abs=1e-12)
    assert found["transfer"][task] == pytest.approx(np.zeros(6), abs=1e-12)
    assert found["products"][task].tolist() == [0] * 7
    assert problem.best_schedule[0, task] == 1


@pytest.mark.parametrize("action", ["task", "mixture"])
@pytest.mark.parametrize("observation", ["flat", "dict"])
@pytest.mark.parametrize(("problem", "permute"), [("transfer", False), ("chain", True), ("delayed", True)])
def test_both_checkers(action: str, observation: str, problem: str, permute: bool) -> None:
    options: dict[str, Any] = {"action": action, "observation": observation, "permute": permute, "noise": 0.01}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message=".*not within the recommended.*")
        env: Any = gymnasium.make(ID, problem=problem, **options).unwrapped
        check_env(env, skip_render_check=True)
        check_sb3(env)


def test_info_of_a_run() -> None:
    env = PlantedEnv(segments=10, action="mixture")
    env.reset(seed=0)
    problem = env.problem
    rows = play(env, np.tile(action_of(problem.best_mixture), (10, 1)))
    assert [row[2] for row in rows] == [False] * 9 + [True]
    info = rows[-1][4]
    assert info["final"]["target_loss"] == pytest.approx(problem.best_static_loss, abs=1e-5)
    assert info["final"]["mixture"] == pytest.approx(problem.best_mixture, abs=1e-6)
    assert info["share"] == pytest.approx(info["mixture"]) and info["epochs"].tolist() == [0] * 6
    assert sum(row[4]["gain"] for row in rows) == pytest.approx(problem.start_loss - info["final"]["target_loss"])
    assert rows[0][1] == pytest.approx(100 * rows[0][4]["gain"] / problem.start_loss)
    assert play(PlantedEnv(segments=4), [2])[0][4]["mixture"][2] == pytest.approx(0.5 + 0.5 / 6)


def test_seeds_jitter_and_repeat() -> None:
    env = PlantedEnv("noise")
    drawn = []
    for seed in (1, 2, 1):
        env.reset(seed=seed)
        drawn.append(env.problem.teaches)
    assert (drawn[0] == drawn[2]).all() and (drawn[0] != drawn[1]).any()
    assert {problem_of("noise", seed).special for seed in range(60)} == {(task,) for task in range(6)}


def test_permuted_tasks_are_the_same_tasks() -> None:
    def first(permute: bool) -> tuple[Any, Any, Any]:
        env = PlantedEnv("chain", action="mixture", permute=permute, observation="dict")
        order = env.reset(seed=5)[1].get("order", np.arange(4))
        seen: Any
        seen, reward, *_ = env.step(np.array([-0.5, 0.2, 1.0, -1.0], np.float32)[order])
        return order, seen["tasks"].reshape(4, -1), reward

    _, plain, same = first(False)
    order, moved, reward = first(True)
    assert order.tolist() != [0, 1, 2, 3] and reward == pytest.approx(same)
    assert moved == pytest.approx(plain[order])


def test_noise_is_the_scores() -> None:
    options: dict[str, Any] = {"problem": "transfer", "segments": 400}
    actions = [n % 6 for n in range(400)]
    noisy, quiet = (play(PlantedEnv(noise=noise, **options), actions) for noise in (0.1, 0.0))
    scores = [np.array([row[4]["score"] for row in rows]) for rows in (noisy, quiet)]
    off = scores[0] - scores[1]
    assert np.std(off) == pytest.approx(0.1, rel=0.15)
    assert noisy[-1][4]["final"] == quiet[-1][4]["final"]


def test_measurements_shorten_the_run_by_their_price() -> None:
    env = PlantedEnv("identical", segments=10, price=0.5)
    assert env.signal_price(["look_ahead"]) == 0.05
    env.request_signals(["look_ahead"])
    env.reset(seed=0)
    steps: list[Any] = []
    while not steps or not steps[-1][2]:
        steps.append(env.step(0))
    # Six and two thirds would pay for themselves; the last is cut, and what is left does not pay for its measurement.
    assert len(steps) == 7 and "signals" not in steps[-1][4]
    assert all(step[4]["signals"]["look_ahead"].shape == (6,) for step in steps[:-1])
    problem = env.problem
    loss = problem.target_loss(7 * problem.teaches[0])
    assert steps[-1][4]["final"]["target_loss"] == pytest.approx(loss)


def test_of_two_copies_the_sum_matters() -> None:
    problem = problem_of("duplicate")
    mixture = np.random.default_rng(0).dirichlet(np.ones(6))
    moved = mixture.copy()
    first, second = problem.special
    moved[first], moved[second] = 0, mixture[first] + mixture[second]
    assert np.ptp(problem.static(np.stack([mixture, moved]))) < 1e-12


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"problem": "easy"}, "problem: must be one of transfer, identical"),
        ({"segments": 0}, "segments: must be at least 1"),
        ({"price": -1}, "price: must be at least 0"),
        ({"noise": float("nan")}, "noise: must be at least 0"),
        ({"observation": "image"}, "observation: must be flat or dict"),
        ({"action": "both"}, "action: must be task or mixture"),
    ],
)
def test_mistakes_get_one_line(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        PlantedEnv(**changes)
    assert "\n" not in str(caught.value)


def test_signals_that_cannot_be_had() -> None:
    with pytest.raises(ConfigError, match="signals: must be one of heldout_loss"):
        PlantedEnv().request_signals(["variance"])
    with pytest.raises(ConfigError, match="price: 3 leaves no segment"):
        PlantedEnv(segments=3, price=3).request_signals(["look_ahead"])
