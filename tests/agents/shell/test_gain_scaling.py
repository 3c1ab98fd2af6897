"""Gains to rewards: the numbers, and what must not poison them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curriculum_rl.agents.rule import Rewards
from curriculum_rl.agents.shell.scaling import GainScaling


def scaled(scaling, gains):
    state = scaling.start(1)
    return [float(scaling.scale(state, np.array([gain]))[0]) for gain in gains], state


def test_first_numbers_by_hand():
    rewards, state = scaled(GainScaling(window=10, clip=3), [1.0, 3.0, 2.0])
    assert rewards[0] == 0
    assert rewards[1] == pytest.approx(1)  # deviation 2, scale 2
    assert rewards[2] == pytest.approx(0)  # the mean of 1 and 3
    assert state["mean"][0] == pytest.approx(2) and state["square"][0] == pytest.approx(2)


def test_falling_gains_do_not_favour_the_first():
    """Gains that fall smoothly for everybody soon bring about -1 at most, whatever their size."""
    gains = 1 / (1 + 0.2 * np.arange(60))
    small, _ = scaled(GainScaling(), gains)
    large, _ = scaled(GainScaling(), 1e6 * gains)
    assert np.allclose(small, large)
    assert max(small) == 0 and min(small) > -2


def test_failure_is_paid_the_least_and_leaves_the_averages_alone():
    scaling = GainScaling()
    with_failures, state = scaled(scaling, [np.nan, 1.0, 2.0, np.inf, 1.5, np.nan, 1.0, -1e300])
    without, clean = scaled(scaling, [1.0, 2.0, 1.5, 1.0])
    assert [r for i, r in enumerate(with_failures) if i not in {0, 3, 5, 7}] == without
    assert [with_failures[i] for i in (0, 3, 5, 7)] == [-scaling.clip] * 4
    assert all(np.array_equal(state[name], clean[name]) for name in clean)


def test_a_failure_in_one_row_leaves_the_others_alone():
    scaling = GainScaling()
    state, alone = scaling.start(2), scaling.start(1)
    for gain in (1.0, 0.4, 0.7):
        both = scaling.scale(state, np.array([gain, np.nan]))
        assert both[0] == scaling.scale(alone, np.array([gain]))[0] and both[1] == -scaling.clip


@settings(deadline=None)
@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=60))
def test_rewards_are_bounded_whatever_comes(gains):
    scaling = GainScaling(window=5, clip=2)
    rewards, state = scaled(scaling, gains)
    assert all(-2 <= reward <= 2 for reward in rewards)
    assert all(np.isfinite(values).all() for values in state.values())


def test_gains_of_one_decision_by_hand():
    """All are compared with the averages before them, which then move by one step."""
    scaling = GainScaling(window=10, clip=3)
    state = scaling.start(1)
    first = scaling.scale(state, np.array([[1.0, 3.0]]))
    assert first[0].tolist() == [-1, 1]  # their own mean is 2, their spread 1
    second = scaling.scale(state, np.array([[3.0, np.nan]]))
    assert second[0] == pytest.approx([1, -3])  # one step above 2; the failure is paid the least
    assert (state["count"][0], state["mean"][0], state["square"][0]) == pytest.approx((2, 2.5, 1))


@settings(deadline=None)
@given(
    plays=st.integers(1, 9),
    decisions=st.integers(1, 20),
    lost=st.floats(0, 1),
    seed=st.integers(0, 2**32 - 1),
)
def test_one_run_is_scaled_as_many_are(plays, decisions, lost, seed):
    """One memory has an arithmetic of its own: the same rewards, to the last bit where there is one play."""
    rng = np.random.default_rng(seed)
    scaling = GainScaling(window=4)
    together, alone = scaling.start(3), scaling.start(1)
    for _ in range(decisions):
        gains = rng.standard_normal((3, plays))
        gains[rng.random(gains.shape) < lost] = np.nan
        rewards, own = scaling.scale(together, gains), scaling.scale(alone, gains[1:2])
        # two gains that differ by rounding alone give a deviation of either sign
        assert np.allclose(rewards[1:2], own, atol=1e-6)
        assert plays > 1 or np.array_equal(rewards[1:2], own)


def test_equal_gains_are_paid_nothing():
    rewards, _ = scaled(GainScaling(), [0.25] * 5)
    assert rewards == [0.0] * 5


def test_what_each_kind_of_rule_is_paid():
    scaling = GainScaling(window=10, clip=2)
    kinds: tuple[Rewards, ...] = ("scaled", "unit", "gain")
    states = {kind: scaling.start(1) for kind in kinds}
    paid: dict[str, list[float]] = {kind: [] for kind in kinds}
    for gain in (1.0, 3.0, np.nan, 2.0, 1e300):
        for kind, state in states.items():
            paid[kind].append(float(scaling.pay(kind, state, np.array([[gain]]))[0, 0]))
    assert paid["scaled"] == pytest.approx([0, 1, -2, 0, -2])
    assert paid["unit"] == pytest.approx([0.5 + reward / 4 for reward in paid["scaled"]])
    assert paid["gain"] == pytest.approx([1, 3, np.nan, 2, np.nan], nan_ok=True)
