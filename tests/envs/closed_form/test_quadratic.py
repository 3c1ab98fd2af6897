"""Two quadratic tasks: the closed form is the optimum, and PiKE descends to it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from quadratic import TwoQuadratics

from curriculum_rl.agents.mixers.pike import PiKE
from curriculum_rl.agents.mixers.rule import Feedback

INSIDE = TwoQuadratics((1.0, 0.98), (1.5, 0.5), rate=0.2, batch=16)


def one_update(problem, shares):
    return problem.expected(np.asarray(shares)[:, None])


def test_the_closed_form_by_hand():
    """W = [(4 - 1) / 8 + (1 - .81) / .5 + .81] / 1.81, and a problem whose optimum lies outside."""
    assert TwoQuadratics((1.0, 0.9), (1.0, 2.0), rate=0.5, batch=8).best_share() == pytest.approx(1.565 / 1.81)
    assert TwoQuadratics((2.0, 1.0), rate=0.1).best_share() == 1.0
    assert TwoQuadratics((1.0, 2.0), rate=0.1).best_share() == 0.0


@settings(deadline=None, max_examples=50)
@given(
    position=st.tuples(st.floats(0.1, 3), st.floats(0.1, 3)),
    noise=st.tuples(st.floats(0, 5), st.floats(0, 5)),
    rate=st.floats(0.01, 1),
    batch=st.integers(1, 64),
)
def test_no_other_share_is_better_in_one_update(position, noise, rate, batch):
    problem = TwoQuadratics(position, noise, rate, batch)
    others = one_update(problem, np.linspace(0, 1, 1001))
    assert one_update(problem, [problem.best_share()])[0] <= others.min() + 1e-12
    assert problem.best_static_share(1, points=1001) == pytest.approx(problem.best_share(), abs=2e-3)


def test_expected_is_the_mean_of_noisy_updates():
    problem = TwoQuadratics((1.0, -2.0), (2.0, 0.5), rate=0.5, batch=4)
    moved = problem.update(0.75, np.random.default_rng(0), 200_000)
    assert (moved**2).sum(axis=1).mean() / 2 == pytest.approx(one_update(problem, [0.75])[0], rel=5e-3)


def test_the_best_share_of_many_updates_is_another():
    """Equal tasks are shared evenly for any number of updates; otherwise one update's optimum is not that of twenty."""
    assert TwoQuadratics((1.0, 1.0)).best_static_share(50) == pytest.approx(0.5, abs=1e-3)
    noisy = TwoQuadratics((1.0, 1.0), (3.0, 0.5), rate=0.2)
    assert noisy.best_static_share(1) == pytest.approx(noisy.best_share(), abs=1e-4)
    others = np.linspace(0, 1, 101)[:, None].repeat(20, axis=1)
    best = noisy.best_static_share(20)
    assert noisy.expected(np.full((1, 20), best))[0] <= noisy.expected(others).min() + 1e-12
    assert abs(best - noisy.best_share()) > 0.01


def pike_step(rule, state, problem):
    """One update of the rule with the gradient of each task after its own step: rate (1 - rate w_k) theta_k^2."""
    shares = rule.mixture(state)[0]
    products = problem.products()[None].copy()
    for k, share in enumerate(shares):
        products[0, k, k] *= 1 - problem.rate * share
    signals = {"products": products, "variance": problem.variance()[None]}
    rule.update(state, Feedback(signals, np.zeros((1, 2)), shares[None], shares[None], np.zeros(1), np.ones(1)))


def test_pike_steps_down_the_expected_loss():
    """The log ratio of the two weights moves by minus the derivative of the expected loss, for any start."""
    rule = PiKE(size=INSIDE.rate, noise=INSIDE.rate**2, batch=INSIDE.batch)
    for start in (-1.0, 0.0, 2.0):
        state = {"logits": np.array([[start, 0.0]])}
        share = rule.mixture(state)[0, 0]
        pike_step(rule, state, INSIDE)
        low, high = one_update(INSIDE, [share - 1e-6, share + 1e-6])
        logits = state["logits"][0]
        assert logits[0] - logits[1] - start == pytest.approx(-(high - low) / 2e-6, rel=1e-5)


@pytest.mark.parametrize(
    "problem", [INSIDE, TwoQuadratics((0.5, 0.52), (1.0, 1.0), rate=0.3), TwoQuadratics((2.0, 1.0))], ids=repr
)
def test_pike_ends_at_the_closed_form(problem):
    scale = 10 / problem.rate
    rule = PiKE(size=scale * problem.rate, noise=scale * problem.rate**2, batch=problem.batch)
    state = rule.start(1, 2)
    for _ in range(2000):
        pike_step(rule, state, problem)
    assert rule.mixture(state)[0, 0] == pytest.approx(problem.best_share(), abs=1e-6)
