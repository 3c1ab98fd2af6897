"""Charts: the numbers that rows become."""

import math

import numpy as np
import pytest
from made_rows import made_rows

from curriculum_rl.recording.charts import RUN_CHARTS, TASK_CHARTS, mean_points, run_points, task_points


def test_every_described_chart_is_drawn_and_every_drawn_one_described():
    row = {**made_rows(1)[0], "action": 0, "task_losses": [1.0] * 4, "inner_drop": 0.1}
    drawn = set(run_points(row))
    assert {tag for tag in drawn if not tag.startswith(("ledger/tokens", "ledger/flops", "ledger/seconds"))} == set(
        RUN_CHARTS
    )
    assert set(task_points(row, 0)) == set(TASK_CHARTS)


@pytest.mark.parametrize(
    ("probabilities", "entropy"),
    [([0.25] * 4, 1.0), ([1.0, 0.0, 0.0, 0.0], 0.0), ([0.5, 0.5, 0.0, 0.0], 0.5), ([1.0], 0.0)],
)
def test_entropy_is_normalised(probabilities, entropy):
    points = run_points({"probabilities": probabilities})
    assert points["policy/entropy"] == pytest.approx(entropy)
    assert points["policy/max_probability"] == max(probabilities)


def test_overhead_is_the_share_of_seconds_that_did_not_train_reports_apart():
    points = run_points(made_rows(3)[-1])
    assert points["ledger/overhead"] == pytest.approx(0.1)
    assert points["ledger/seconds/report"] == 5.0
    assert points["ledger/tokens/train"] == 3 * 1024


def test_gain_belongs_to_the_picked_task_and_unknown_losses_have_no_point():
    row = {"action": 1, "gain": 0.5, "task_losses": [1.0, None, math.nan], "probabilities": np.full(3, 1 / 3)}
    assert task_points(row, 0) == {"task/probability": pytest.approx(1 / 3), "task/loss": 1.0}
    assert task_points(row, 1) == {"task/probability": pytest.approx(1 / 3), "task/gain": 0.5}
    assert "task/loss" not in task_points(row, 2)


def test_a_mixture_picks_no_task():
    assert task_points({"action": [1.0, -1.0], "gain": 0.5}, 1) == {}


def test_the_mean_over_replicas_is_over_those_that_have_a_point():
    assert mean_points([{"a": 1.0, "b": 2.0}, {"a": 3.0}]) == {"a": 2.0, "b": 2.0}
