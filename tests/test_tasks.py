"""Tasks: apportioned rows, and windows as a function of seed, task and number."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from curriculum_rl.experiment import Experiment
from curriculum_rl.tasks import apportion, segment_batches

shares = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=12).filter(lambda x: sum(x) > 0.01)


@given(shares, st.integers(1, 20), st.integers(1, 8))
@settings(max_examples=200, deadline=None)
def test_rows_follow_the_shares(weights: list[float], rows: int, updates: int) -> None:
    mixture = np.array(weights) / sum(weights)
    plan, credit = apportion(mixture, rows, updates, np.zeros(len(mixture)))
    counts = np.bincount(plan.ravel(), minlength=len(mixture))
    assert plan.shape == (updates, rows)
    assert counts.sum() == rows * updates
    assert np.all(counts[mixture == 0] == 0)
    assert np.all(np.abs(counts - mixture * rows * updates) < len(mixture))
    np.testing.assert_allclose(credit, mixture * rows * updates - counts, atol=1e-9)


def test_error_is_carried_over() -> None:
    credit = np.zeros(3)
    counts = np.zeros(3)
    for _ in range(9):
        plan, credit = apportion(np.array([0.5, 0.25, 0.25]), 2, 1, credit)
        counts += np.bincount(plan.ravel(), minlength=3)
    assert counts.tolist() in ([9, 5, 4], [9, 4, 5])


def test_a_task_without_share_is_never_drawn_whatever_it_is_owed() -> None:
    _, credit = apportion(np.array([0.5, 0.5]), 1, 1, np.zeros(2))
    plan, _ = apportion(np.array([1.0, 0.0]), 4, 3, credit)
    assert plan.sum() == 0


def test_windows_do_not_depend_on_when_or_with_whom_they_are_drawn(experiment: Experiment) -> None:
    tasks, context = experiment.problem.tasks, experiment.config.context
    plan = np.array([[[0, 0, 4]], [[4, 1, 0]]])
    together, counters = segment_batches(tasks, plan, np.zeros((1, 5), np.int64), [3], context)
    assert counters.tolist() == [[3, 1, 0, 0, 2]]
    first, middle = segment_batches(tasks, plan[:1], np.zeros((1, 5), np.int64), [3], context)
    second, after = segment_batches(tasks, plan[1:], middle, [3], context)
    assert after.tolist() == counters.tolist()
    for part, number in ((first, 0), (second, 1)):
        assert torch.equal(part.input_ids[0], together.input_ids[number])
        assert torch.equal(part.targets[0], together.targets[number])
        assert torch.equal(part.weights[0], together.weights[number])
    pair, _ = segment_batches(tasks, np.repeat(plan, 2, axis=1)[:, :2], np.zeros((2, 5), np.int64), [9, 3], context)
    assert torch.equal(pair.input_ids[:, 1], together.input_ids[:, 0])
    assert not torch.equal(pair.input_ids[:, 0], together.input_ids[:, 0])
    assert together.causal[0, 0].tolist() == [True, True, False]


def test_an_epoch_draws_every_window_once(experiment: Experiment) -> None:
    task = experiment.problem.tasks[0]
    size = task.corpus.size(16)
    first = task.draw(seed=1, first=0, rows=size, context=16)
    second = task.draw(seed=1, first=size, rows=size, context=16)
    assert sorted(first) == sorted(second) == list(range(size))
    assert first.tolist() != second.tolist()
