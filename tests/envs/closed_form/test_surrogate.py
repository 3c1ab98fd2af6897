"""The surrogate: it plays like the real environment by either law, and says where it guesses."""

import time
import warnings
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from stable_baselines3.common.env_checker import check_env as check_sb3

from curriculum_rl.agents import AGENTS, make
from curriculum_rl.envs.closed_form.mixture_runs import read_runs
from curriculum_rl.envs.closed_form.surrogate import SurrogateEnv
from curriculum_rl.errors import ConfigError

ID = "curriculum_rl.envs:CurriculumRL/Surrogate-v1"
COLUMNS = {"shares": "train_", "losses": "metric/"}
BEST = np.array([0.5, 0.3, 0.2])


def true_loss(mixtures: Any) -> Any:
    """Least at BEST."""
    return 3 + ((np.sqrt(mixtures) - np.sqrt(BEST)) ** 2).sum(axis=-1)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 runs of three tasks, of which the first two have a loss of their own."""
    path = tmp_path_factory.mktemp("runs") / "runs.csv"
    mixtures = np.random.default_rng(0).dirichlet(np.ones(3), 60)
    lines = ["index,train_sea,train_land,train_star,metric/sea_loss,metric/land_loss"]
    for index, mixture in enumerate(mixtures):
        loss = true_loss(mixture)
        lines.append(",".join(map(str, [index, *mixture, loss, 2 * loss])))
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize("action", ["task", "mixture"])
@pytest.mark.parametrize("observation", ["flat", "dict"])
@pytest.mark.parametrize("permute", [False, True])
def test_both_checkers(table: Path, action: str, observation: str, permute: bool) -> None:
    settings: dict[str, Any] = {"action": action, "observation": observation, "permute": permute, "noise": 0.01}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message=".*not within the recommended.*")
        env = gymnasium.make(ID, table=table, **settings).unwrapped
        check_env(env, skip_render_check=True)
        check_sb3(env)


def play(env: SurrogateEnv, actions: Any, seed: int = 0) -> list[Any]:
    env.reset(seed=seed)
    return [env.step(action) for action in actions]


@pytest.mark.parametrize("law", ["trees", "ridge"])
def test_gains_sum_up_to_what_the_run_ends_better_than_stratified(table: Path, law: str) -> None:
    env = SurrogateEnv(table, action="mixture", segments=10, target="sea_loss", law=law)
    env.action_space.seed(0)
    rows = play(env, [env.action_space.sample() for _ in range(10)])
    final = rows[-1][4]["final"]
    mean = np.mean([row[4]["mixture"] for row in rows], axis=0)
    assert final["mixture"] == pytest.approx(mean)
    expected = env.law.bounded(mean)[0]
    stratified = env.law.bounded(np.full(3, 1 / 3))[0]
    assert final["target_loss"] == pytest.approx(expected)
    assert sum(row[4]["gain"] for row in rows) == pytest.approx(stratified - expected)
    assert sum(row[1] for row in rows) == pytest.approx(100 * (stratified - expected) / stratified)
    assert [row[2] for row in rows] == [False] * 9 + [True]


@pytest.mark.parametrize(("law", "within"), [("trees", 0.3), ("ridge", 0.2)])
def test_stratified_gains_nothing_and_the_best_mixture_does(table: Path, law: str, within: float) -> None:
    env = SurrogateEnv(table, action="mixture", segments=5, law=law)
    assert [row[4]["gain"] for row in play(env, np.zeros((5, 3)))] == pytest.approx([0] * 5)
    best = play(env, np.tile(2 * BEST / BEST.max() - 1, (5, 1)))
    gained = 1.5 * (true_loss(np.full(3, 1 / 3)) - 3)
    assert sum(row[4]["gain"] for row in best) == pytest.approx(gained, rel=within)
    assert best[-1][4]["final"]["target_loss"] == pytest.approx(1.5 * 3, abs=0.02)


def test_a_pick_is_an_emphasis(table: Path) -> None:
    env = SurrogateEnv(table, segments=2)
    info = play(env, [1])[0][4]
    assert info["mixture"] == pytest.approx([1 / 6, 4 / 6, 1 / 6])
    assert info["task_losses"][2] == pytest.approx(info["loss"])  # the star has no loss of its own
    assert info["budget_left"] == 0.5 and not info["failed"]


def test_permuted_tasks_are_the_same_tasks(table: Path) -> None:
    plain = SurrogateEnv(table, action="mixture", segments=3, observation="dict")
    mixed = SurrogateEnv(table, action="mixture", segments=3, observation="dict", permute=True)
    seed = next(s for s in range(20) if mixed.reset(seed=s)[1]["order"].tolist() != [0, 1, 2])
    order = mixed.reset(seed=seed)[1]["order"]
    plain.reset(seed=seed)
    action = np.array([-0.5, 0.2, 1.0], np.float32)
    seen: Any
    moved: Any
    seen, reward, _, _, info = plain.step(action)
    moved, same, _, _, other = mixed.step(action[order])
    assert same == pytest.approx(reward)
    assert other["mixture"] == pytest.approx(info["mixture"])
    assert moved["tasks"].reshape(3, -1) == pytest.approx(seen["tasks"].reshape(3, -1)[order], abs=1e-6)


def test_noise_is_the_scores(table: Path) -> None:
    env = SurrogateEnv(table, segments=400, noise=0.1)
    scores = [row[4]["score"] for row in play(env, [0, 1, 2] * 100)]
    quiet = [row[4]["score"] for row in play(SurrogateEnv(table, segments=400), [0, 1, 2] * 100)]
    assert np.std(np.subtract(scores, quiet)) == pytest.approx(0.1, rel=0.15)


@pytest.mark.parametrize("name", ["stratified", "round-robin", "d-ts", "ppo", "dqn", "td3"])
def test_agents_run_on_it(table: Path, name: str) -> None:
    action = "mixture" if AGENTS[name].action == "mixture" else "task"
    env = gymnasium.make(ID, table=table, action=action, observation="dict", segments=8)
    options = {"n_steps": 8, "batch_size": 8} if name == "ppo" else {}
    agent = make(name, env, seed=0, **options).learn(16)
    assert agent.num_timesteps == 16


def test_the_end_of_a_run_says_whether_it_is_far_and_within_what(tmp_path: Path) -> None:
    """Runs in a strip of the simplex, from its first corner to its second; the third is far from all of them."""
    draw = np.random.default_rng(0)
    mixtures = np.column_stack([draw.random((40, 1)), 0.02 * draw.random((40, 1))])
    mixtures = np.column_stack([mixtures[:, 0], 1 - mixtures.sum(axis=1), mixtures[:, 1]]).clip(0)
    rows = [",".join(map(str, [*mixture, true_loss(mixture)])) for mixture in mixtures]
    (tmp_path / "strip.csv").write_text("\n".join(["train_a,train_b,train_c,metric/x", *rows]) + "\n")
    with pytest.warns(UserWarning, match="the stratified run is far from all runs of the table"):
        env = SurrogateEnv(tmp_path / "strip.csv", action="mixture", segments=2, law="ridge", interval=True)
    near = play(env, np.array([[1, 1, -1], [1, 1, -1]]))[-1][4]["final"]
    low, high = near["interval"]
    assert not near["far"] and low < near["target_loss"] < high and high - low < 0.05
    with pytest.warns(UserWarning, match="a run ended far from all runs of the table"):
        far = play(env, np.array([[-1, -1, 1], [-1, -1, 1]]))[-1][4]["final"]
    low, high = far["interval"]
    assert far["far"] and high - low > 0.1
    with pytest.warns(UserWarning, match="far"):
        plain = play(SurrogateEnv(tmp_path / "strip.csv", segments=1, law="ridge"), [2])[-1][4]["final"]
    assert plain["far"] and "interval" not in plain


@pytest.mark.filterwarnings("ignore:the stratified run is far", "ignore:a run ended far")
def test_an_episode_takes_milliseconds(real_data: Path) -> None:
    """Ten times what it should, so that a slow machine passes: RegMix's 17 tasks, one loss of its 13."""
    folder = real_data / "regmix_mixtures"
    if not folder.is_dir():
        pytest.skip(f"needs RegMix's tables at {folder}")
    files = [folder / f"train_{name}_1m.csv.gz" for name in ("mixture", "pile_loss")]
    for law, most in (("ridge", 0.1), ("trees", 0.2)):
        env = SurrogateEnv(files, losses=["metric/the_pile_pile_cc_val_loss"], segments=40, law=law)
        begun = time.perf_counter()
        play(env, [n % 17 for n in range(40)])
        assert time.perf_counter() - begun < most


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"table": "none.csv"}, "cannot read none.csv"),
        ({"shares": "weight_"}, "shares: 'weight_' names no columns; there are: index, train_sea"),
        ({"losses": ["metric/sea"]}, "losses: 'metric/sea' names no columns"),
        ({"target": "sky"}, "target: must be one of sea_loss, land_loss"),
        ({"law": "linear"}, "law: 'linear' must be one of trees, ridge"),
        ({"segments": 0}, "segments: must be at least 1"),
        ({"noise": -1}, "noise: must be at least 0"),
        ({"observation": "image"}, "observation: must be flat or dict"),
        ({"action": "both"}, "action: must be task or mixture"),
    ],
)
def test_mistakes_get_one_line(table: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        SurrogateEnv(**{"table": table, **changes})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("train_a,train_b,metric/x\n1,0,2\n", "1 runs .* are too few"),
        ("train_a,train_b,metric/x\n" + "1,0,?\n" * 5, "holds what is no number"),
        ("train_a,train_b,metric/x\n" + "1,0,nan\n" * 5, "not finite"),
        ("train_a,train_b,metric/x\n" + "0,0,1\n" * 5, "negative shares, or a run without any"),
        ("train_a,train_b,metric/x\n", "has no rows"),
    ],
)
def test_a_bad_table_gets_one_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        read_runs(path, **COLUMNS)


def test_files_that_hold_other_runs_are_not_joined(tmp_path: Path) -> None:
    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    first.write_text("index,train_a,train_b\n" + "".join(f"{n},1,{n}\n" for n in range(5)))
    second.write_text("index,metric/x\n" + "".join(f"{n},{n}\n" for n in range(1, 6)))
    with pytest.raises(ConfigError, match="does not hold the same runs"):
        read_runs([first, second], **COLUMNS)
    second.write_text("index,metric/x\n" + "".join(f"{n},{10 * n}\n" for n in reversed(range(5))))
    runs = read_runs([first, second], **COLUMNS)
    assert runs.losses[:, 0].tolist() == [0, 10, 20, 30, 40]
    assert runs.mixtures[3] == pytest.approx([0.25, 0.75])
