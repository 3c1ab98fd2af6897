"""Distance: what it is, and that the limit is passed by what lies beyond the runs alone."""

import numpy as np
import pytest

from curriculum_rl.mixtures import distance


def test_distance_is_the_share_of_a_batch_that_differs():
    runs = np.array([[1.0, 0.0, 0.0], [0.0, 0.5, 0.5]])
    mixtures = np.array([[[1.0, 0.0, 0.0], [0.7, 0.2, 0.1]], [[0.0, 1.0, 0.0], [0.1, 0.5, 0.4]]])
    assert distance.nearest(mixtures, runs) == pytest.approx(np.array([[0, 0.3], [0.5, 0.1]]))
    assert distance.nearest(mixtures[0, 1], runs) == pytest.approx(0.3)


def test_of_new_runs_like_the_old_about_one_in_a_hundred_is_beyond_the_limit():
    draw = np.random.default_rng(0)
    runs, unseen = draw.dirichlet(np.ones(4), 300), draw.dirichlet(np.ones(4), 3000)
    beyond = (distance.nearest(unseen, runs) > distance.limit(runs)).mean()
    assert 0.003 < beyond < 0.03


def test_one_run_apart_does_not_move_the_limit():
    runs = np.random.default_rng(0).dirichlet(np.ones(3), 200) * [1, 1, 0]
    runs /= runs.sum(axis=1, keepdims=True)
    alone = np.concatenate([runs, [[0, 0, 1]]])
    assert distance.limit(alone) == pytest.approx(distance.limit(runs), abs=0.01)
    assert distance.nearest(np.array([0.2, 0.2, 0.6]), runs) > distance.limit(alone)
