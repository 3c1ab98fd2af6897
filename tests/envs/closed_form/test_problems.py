"""Problems with known answers: sizes, jitter, what uniform play loses, and honest pay."""

import numpy as np
import pytest

from curriculum_rl.envs.closed_form.problems import KNOWN, SHORT, Bernoulli, Falling, garivier_moulines


def named(problem):
    return problem.name


# what uniform play loses in 10,000 plays by the definition of each problem: T times the mean gap
UNIFORM = {
    "stationary": 0.9 * 0.2,
    "5 switches": 0.9 * 0.4,
    "wave": 0.585,
    "Garivier-Moulines": (0.8 * 0.3 + 0.2 * 1.0) / 3,
    "cosine drift": 0.4 * 5 / np.pi * np.sin(np.pi / 5),
    "flip-flop": (0.6 + 8 * 0.4) / 10,
}


def drawn(problem, seeds=40, seed=0):
    return problem.values(seeds, np.random.default_rng(seed))


@pytest.mark.parametrize("problem", KNOWN, ids=named)
def test_known_problems(problem):
    values = drawn(problem)
    assert values.shape == (10_000, 40, problem.arms) and values.min() >= 0 and values.max() <= 1
    gap = (values.max(axis=2) - values.mean(axis=2)).mean()
    assert gap == pytest.approx(UNIFORM[problem.name], rel=0.02)
    assert not np.array_equal(values[:, 0], values[:, 1])
    best = values.argmax(axis=2)
    assert ((best[1:] != best[:-1]).sum(axis=0)).max() <= problem.switches
    assert np.bincount(best.ravel(), minlength=problem.arms).min() > 0  # no arm is best in no copy
    assert np.array_equal(values, drawn(problem)) and not np.array_equal(values, drawn(problem, seed=1))


def test_switches_are_as_many_as_they_say():
    for name, count in (("stationary", 0), ("5 switches", 5), ("wave", 9), ("flip-flop", 19)):
        best = drawn(next(p for p in KNOWN if p.name == name)).argmax(axis=2)
        assert ((best[1:] != best[:-1]).sum(axis=0) == count).all()


def test_garivier_moulines_by_hand():
    values = garivier_moulines(1000, 50, 3, np.random.default_rng(0))
    early, middle = np.sort(values[250], axis=1), np.sort(values[400], axis=1)
    assert np.abs(early - [0.3, 0.4, 0.5]).max() <= 0.02 and np.abs(middle - [0.3, 0.5, 0.9]).max() <= 0.02
    assert np.array_equal(values[0], values[999])


def test_coins_are_fair():
    coin = Bernoulli("coin", 2, KNOWN[0].build)
    paid = coin.pay(0, np.full(50_000, 0.3), np.random.default_rng(0))
    assert set(paid.tolist()) == {0.0, 1.0} and paid.mean() == pytest.approx(0.3, abs=0.01)


@pytest.mark.parametrize("problem", SHORT, ids=named)
def test_short_problems_have_one_good_arm(problem):
    values = drawn(problem)
    assert values.shape == (problem.horizon, 40, problem.arms) and problem.scaled
    assert (values.max(axis=2) == 0.5).all() and ((values == 0.5).sum(axis=2) == 1).all()
    assert np.abs(np.sort(values, axis=2)[:, :, :-1]).max() <= 0.2


def test_gains_fall_with_the_noise_that_the_ratio_says():
    problem = Falling("falling", 6, 100, snr=0.5)
    random = np.random.default_rng(0)
    values = np.full(50_000, 0.5)
    first, late = problem.pay(0, values, random), problem.pay(90, values, random)
    assert first.mean() == pytest.approx(1.5, abs=0.02) and first.std() == pytest.approx(1, abs=0.02)
    assert late.mean() == pytest.approx(0.15, abs=0.002) and late.std() == pytest.approx(0.1, abs=0.002)
    steady = Falling("steady", 6, 100).pay(90, values, random)
    assert steady.mean() == pytest.approx(1.5, abs=0.02)


def test_kinds():
    switch = drawn(Falling("switch", 10, 100)).argmax(axis=2)
    assert (switch[:50] == switch[0]).all() and (switch[50:] == switch[50]).all() and (switch[0] != switch[50]).all()
    coins = drawn(Falling("bernoulli", 12, 120))
    assert set(np.unique(coins)) == {0.4, 0.6}
    assert set(Falling("bernoulli", 12, 120).pay(0, coins[0, :, 0], np.random.default_rng(0)).tolist()) <= {0.0, 1.0}
