"""The ridge: its leave-one-out error is that of fits without one run, and it finds what lies in its span."""

import numpy as np
import pytest

from curriculum_rl.mixtures.ridge import Ridge

DRAW = np.random.default_rng(0)
MIXTURES = DRAW.dirichlet(np.ones(4), 30)
LOSSES = np.sqrt(MIXTURES) @ DRAW.normal(size=(4, 2)) + 5 + 0.1 * DRAW.normal(size=(30, 2))


def without(run: int, penalty: float) -> np.ndarray:
    """What a ridge that was fitted to the other runs says of one, by the normal equations."""
    terms = np.concatenate([MIXTURES, np.sqrt(MIXTURES)], axis=1)
    strength = penalty * 30 * terms.var(axis=0).mean()
    others = np.arange(30) != run
    mean, level = terms[others].mean(axis=0), LOSSES[others].mean(axis=0)
    centred = terms[others] - mean
    weights = np.linalg.solve(centred.T @ centred + strength * np.eye(8), centred.T @ (LOSSES[others] - level))
    return np.asarray((terms[run] - mean) @ weights + level)


def test_what_is_unexplained_is_the_error_of_fits_without_one_run():
    law = Ridge.fit(MIXTURES, LOSSES)
    errors = {
        penalty: float(np.mean(np.mean([(without(n, penalty) - LOSSES[n]) ** 2 for n in range(30)], 0) / LOSSES.var(0)))
        for penalty in (0.1 * law.penalty, law.penalty, 10 * law.penalty)
    }
    assert law.unexplained == pytest.approx(errors[law.penalty])
    assert errors[law.penalty] == min(errors.values())


def test_a_loss_in_its_span_is_predicted_anywhere():
    law = Ridge.fit(MIXTURES, np.sqrt(MIXTURES) @ np.array([[1.0], [2.0], [0.5], [0.0]]))
    corners = np.eye(4)[None]
    assert law.predict(corners).shape == (1, 4, 1)
    assert law.predict(corners)[0, :, 0] == pytest.approx([1, 2, 0.5, 0], abs=0.01)
