"""Agents on planted learners: what they must find and leave, and the mutants that must not pass."""

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from curriculum_rl.agents.mixers.alignment import Alignment
from curriculum_rl.agents.shell import signals

FILE = Path(__file__).resolve().parents[3] / "benchmarks" / "planted.py"
CHOSEN = ("stratified", "exp3s", "sw-ucb", "d-ts", "alignment", "hedge", "greedy", "odm")
SEEDS = range(8)
T = 120


@pytest.fixture(scope="module")
def bench() -> Any:
    spec = importlib.util.spec_from_file_location("planted_benchmark", FILE)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", CHOSEN)
def test_on_identical_tasks_only_the_price_is_lost(bench: Any, name: str) -> None:
    """Margin: 1e-9 nats where measurements are free; at .25 segments each, what 96 of 120 segments end above 120."""
    for seed in SEEDS[:2]:
        free = bench.run(name, "identical", seed, {"segments": T})
        assert free.loss == pytest.approx(free.problem.stratified_loss, abs=1e-9)
        paid = bench.run(name, "identical", seed, {"segments": T, "price": 0.25})
        segments = 96 if name in {"alignment", "hedge", "greedy"} else T
        expected = paid.problem.target_loss(segments * paid.problem.teaches[0])
        assert paid.loss == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("problem", ["noise", "harmful"])
@pytest.mark.parametrize("name", ["d-ts", "sw-ucb", "alignment"])
def test_the_bad_task_is_left(bench: Any, name: str, problem: str) -> None:
    """120 segments: in the last third its mean probability is below half of even, and the run ends below stratified."""
    runs = [bench.run(name, problem, seed, {"segments": T}) for seed in SEEDS]
    assert np.mean([run.late for run in runs]) < 50
    assert all(run.loss < run.problem.stratified_loss for run in runs)


@pytest.mark.parametrize("problem", ["noise", "harmful"])
@pytest.mark.parametrize("mutant", ["random", "stratified", "round-robin"])
def test_uniform_play_fails_that_gate(bench: Any, mutant: str, problem: str) -> None:
    assert np.mean([bench.run(mutant, problem, seed, {"segments": T}).late for seed in SEEDS[:2]]) > 90


@pytest.mark.parametrize("problem", ["noise", "harmful"])
@pytest.mark.parametrize("name", ["d-ts", "sw-ucb", "alignment"])
def test_a_flipped_sign_fails_that_gate(bench: Any, name: str, problem: str, monkeypatch: pytest.MonkeyPatch) -> None:
    aligned = Alignment._aligned

    def flipped(rule, signal):
        met, seen = aligned(rule, signal)
        return -met, seen

    monkeypatch.setattr(Alignment, "_aligned", flipped)
    gains = signals.gains
    monkeypatch.setattr(signals, "gains", lambda infos, rewards, *, failed: -gains(infos, rewards, failed=failed))
    assert np.mean([bench.run(name, problem, seed, {"segments": T}).late for seed in SEEDS[:4]]) > 90


def above_without_copy(bench: Any, name: str, seed: int) -> float:
    """The loss with a copied task less that without the copy, in % of what a stratified run without it learns."""
    doubled, alone = (bench.run(name, problem, seed, {"segments": T}) for problem in ("duplicate", "single"))
    problem = alone.problem
    assert doubled.problem.best_static_loss == pytest.approx(problem.best_static_loss, abs=1e-6)
    return float(100 * (doubled.loss - alone.loss) / (problem.start_loss - problem.stratified_loss))


@pytest.mark.parametrize("name", CHOSEN)
def test_a_copy_of_a_task_does_little_harm(bench: Any, name: str) -> None:
    """Margins in %: 2 for what follows the target, 5 for what does not."""
    margin = 5 if name in {"stratified", "odm"} else 2
    assert max(above_without_copy(bench, name, seed) for seed in SEEDS[:5]) < margin


def test_uniform_play_fails_the_narrow_margin(bench: Any) -> None:
    assert max(above_without_copy(bench, "random", seed) for seed in SEEDS[:5]) > 2


@pytest.mark.parametrize(("name", "found"), [("sw-ucb", True), ("d-ts", True), ("random", False)])
def test_a_task_that_is_added_is_found(bench: Any, name: str, found: bool) -> None:
    """In the mean over seeds; `d-ts` does not find it in every run, and uniform play never does."""
    before, after = [], []
    for seed in SEEDS:
        run = bench.run(name, "added", seed, {"segments": T})
        played = run.played[:, run.problem.special[0]]
        before.append(played[: T // 2].mean())
        after.append(played[T // 2 :].mean())
    assert (np.mean(after) > 0.18 and np.mean(before) < 0.15) == found
