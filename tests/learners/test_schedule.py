"""Learning rates at fractions of the budget."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curriculum_rl.errors import ConfigError
from curriculum_rl.learners.schedule import learning_rate
from curriculum_rl.schema.learners import RateConfig


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("constant", [0.0, 1.0, 2.0, 2.0, 2.0]),
        ("wsd", [0.0, 1.0, 2.0, 1.0, 0.0]),
        ("cosine", [0.0, 1.0, 2.0, 2 * 0.5 * (1 + np.cos(np.pi * 0.8 / 0.9)), 0.0]),
    ],
)
def test_known_values(kind, expected):
    rates = learning_rate(
        [0.0, 0.05, 0.1, 0.9, 1.0], RateConfig(learning_rate=2.0, schedule=kind, warmup=0.1, decay=0.2)
    )
    np.testing.assert_allclose(rates, expected, atol=1e-12)


@given(
    spent=st.lists(st.floats(-1, 2), min_size=1),
    kind=st.sampled_from(["constant", "cosine", "wsd"]),
    warmup=st.floats(0, 0.5),
)
def test_rates_stay_between_zero_and_the_peak(spent, kind, warmup):
    rates = learning_rate(np.array(spent), RateConfig(learning_rate=0.3, schedule=kind, warmup=warmup))
    assert rates.shape == (len(spent),)
    assert (rates >= 0).all() and (rates <= 0.3 + 1e-12).all()


@pytest.mark.parametrize("kind", ["cosine", "wsd"])
def test_never_rises_after_the_warmup(kind):
    rates = learning_rate(np.linspace(0.1, 1, 100), RateConfig(learning_rate=1.0, schedule=kind, warmup=0.1))
    assert (np.diff(rates) <= 1e-12).all()
    assert rates[-1] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    "wrong", [{"schedule": "step"}, {"learning_rate": 0.0}, {"warmup": 1.0}, {"decay": 0.0}, {"warmup": 0.9}]
)
def test_wrong_values_are_named(wrong):
    with pytest.raises(ConfigError, match=f"^{next(iter(wrong))}: must be"):
        RateConfig(**wrong)
