"""Mixers that read products of gradients: steps against numbers written out."""

import numpy as np
import pytest
from made_feedback import feedback, gram, softmax

from curriculum_rl.agents.mixers.alignment import Alignment
from curriculum_rl.agents.mixers.doge import DoGE
from curriculum_rl.agents.mixers.hedge import AlignedHedge
from curriculum_rl.agents.mixers.meta_tartan import MetaTartan
from curriculum_rl.agents.mixers.multidds import MultiDDS
from curriculum_rl.agents.mixers.pike import PiKE
from curriculum_rl.agents.mixers.r_and_b import RAndB
from curriculum_rl.errors import ConfigError

# Norms 5, 2 and 3, target (1, 0): products 3, 0, -3 and cosines .6, 0, -1.
PRODUCTS = gram([3, 4], [0, 2], [-3, 0], [1, 0])
COSINES = np.array([0.6, 0.0, -1.0])


def after(rule, *signals):
    """The rule's first mixture after these measurements of three tasks."""
    state = rule.start(1, 3)
    for one in signals:
        rule.update(state, feedback(one))
    return rule.mixture(state)[0]


def test_doge_by_hand():
    """Rate / mu = .1; products over the mean norm 10 / 3: .9, 0 and -.9, which a released clip at 0 would lose."""
    rule = DoGE(rate=1e-3, mu=0.01)
    state = rule.start(1, 3)
    rule.update(state, feedback({"products": PRODUCTS}))
    first = softmax([0.09, 0, -0.09])
    assert rule.mixture(state)[0] == pytest.approx(first, rel=1e-6)
    rule.update(state, feedback({"products": PRODUCTS}))
    second = softmax([0.18, 0, -0.18])
    rule.next_run(state, np.ones(1, bool))
    for _ in range(2):
        assert rule.mixture(state)[0] == pytest.approx((first + second) / 2, rel=1e-6)
        rule.update(state, feedback({"products": -PRODUCTS}))
        rule.next_run(state, np.ones(1, bool))


def test_doge_universal_sums_over_all_tasks_and_clips():
    """Sums of a row of products: 25 + 8 - 9, 8 + 4 + 0, -9 + 0 + 9; over 10 / 3: 7.2, 3.6, 0, of which 5 is left."""
    assert after(DoGE(rate=1.0, mu=1.0, universal=True), {"products": PRODUCTS}) == pytest.approx(
        softmax([5, 3.6, 0]), rel=1e-5
    )


def test_multidds_climbs_the_expected_cosine():
    shares, expected = np.full(3, 1 / 3), np.zeros(3)
    for _ in range(2):
        expected = expected + 0.5 * shares * (COSINES - shares @ COSINES)
        shares = softmax(expected)
    assert after(MultiDDS(rate=0.5, steps=2), {"products": PRODUCTS}) == pytest.approx(shares)


def test_meta_tartan_moves_logits_by_cosines():
    mixture = after(MetaTartan(), {"products": PRODUCTS}, {"products": PRODUCTS})
    assert mixture == pytest.approx(softmax(2 * 0.05 * COSINES))


def test_pike_by_hand():
    """.1 * (25, 4, 9) - .4 / (2 * 8) * (10, 0, 200) = (2.25, .4, -4.1)."""
    told = {"products": PRODUCTS, "variance": [10.0, 0.0, 200.0]}
    assert after(PiKE(size=0.1, noise=0.4, batch=8), told) == pytest.approx(softmax([2.25, 0.4, -4.1]))
    twice = after(PiKE(size=0.1, noise=0.4, batch=8), told, told)
    assert twice == pytest.approx(softmax([4.5, 0.8, -8.2]))


def test_r_and_b_looks_at_the_last_measurement_only():
    last = softmax(2 * np.array([3, 0, -3]) / np.sqrt(18))
    assert after(RAndB(sharpness=2), {"products": -PRODUCTS}, {"products": PRODUCTS}) == pytest.approx(last)
    blind = softmax(np.array([24, 12, 0]) / np.sqrt(24**2 + 12**2))
    assert after(RAndB(blind=True), {"products": PRODUCTS}) == pytest.approx(blind)


def test_alignment_by_hand():
    """The bias-corrected average of one measurement is itself; of c and -c, with memory .5, it is -c / 3."""
    rule = Alignment(step=0.5, decay=0.5, exploration=0.1, cosine=True)
    one = after(rule, {"adam_products": PRODUCTS})
    assert one == pytest.approx(0.9 * softmax(0.5 * COSINES) + 0.1 / 3)
    opposite = PRODUCTS * np.where(np.eye(4), 1, -1)
    two = after(rule, {"adam_products": PRODUCTS}, {"adam_products": opposite})
    assert two == pytest.approx(0.9 * softmax(0.5 * (COSINES - COSINES / 3)) + 0.1 / 3)


def test_alignment_without_cosines_is_over_the_mean_size():
    rule = Alignment(step=1.0, exploration=0.0)
    assert after(rule, {"adam_products": PRODUCTS}) == pytest.approx(softmax(np.array([3, 0, -3]) / 2))


def test_alignment_asks_for_the_signal_that_it_reads():
    assert Alignment().needs({}) == ("adam_products",)
    assert Alignment(signal="ghost").needs({}) == ("ghost",)


def test_alignment_by_ghosts_keeps_the_last_average_of_a_task_without_rows():
    """First 3, 0, -3 over their mean size 2; then only the first task has a value."""
    rule = Alignment(step=1.0, decay=0.5, exploration=0.0, signal="ghost")
    first = np.array([1.5, 0.0, -1.5])
    assert after(rule, {"ghost": [3, 0, -3]}) == pytest.approx(softmax(first))
    # Half of 1.5 and then of 1 (the one task seen is its own mean size), over a weight of three quarters.
    second = np.array([(0.5 * 0.5 * 1.5 + 0.5 * 1.0) / 0.75, 0.0, -1.5])
    assert after(rule, {"ghost": [3, 0, -3]}, {"ghost": [7, np.nan, np.nan]}) == pytest.approx(softmax(first + second))


@pytest.mark.parametrize("settings", [{"signal": "products"}, {"signal": "ghost", "cosine": True}])
def test_alignment_refuses_what_it_cannot_read(settings):
    with pytest.raises(ConfigError, match=r"signal: 'products' is not one of|cosine: true; 'ghost' has no squares"):
        Alignment(**settings)


def test_aligned_hedge_is_paid_by_cosines():
    """One measurement scales itself: cosines less their mean, over their root mean square."""
    centred = COSINES - COSINES.mean()
    paid = centred / np.sqrt((centred**2).mean())
    assert after(AlignedHedge(step=0.5, sharing=0.0), {"adam_products": PRODUCTS}) == pytest.approx(softmax(0.5 * paid))


@pytest.mark.parametrize("rule", [MultiDDS(), MetaTartan(), Alignment(cosine=True)], ids=repr)
def test_a_square_below_zero_does_no_harm(rule):
    """Estimates from two halves of rows may come out negative: the cosine is cut at 1 then."""
    broken = PRODUCTS.copy()
    broken[1, 1] = -4.0
    name = rule.signals[0]
    assert after(rule, {name: broken}) == pytest.approx(after(rule, {name: PRODUCTS}))
