"""The default agent's mixture: exponents over the budget, evidence, and the finish, by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curriculum_rl.agents.auto import evidence, finish
from curriculum_rl.agents.auto.rule import PriorMixture
from curriculum_rl.agents.mixers.rule import Feedback
from curriculum_rl.errors import ConfigError

PRIOR = np.array([[0.5, 0.3, 0.2, 0.0]])


def begun(rule, prior=PRIOR, **figures):
    """The memory of one run whose tasks are known."""
    state = rule.start(1, prior.shape[1])
    state["prior"][...] = prior
    for name, value in figures.items():
        state[name][...] = value
    return state


def feedback(spent, signals=None, epochs=None):
    even = np.full((1, 4), 0.25)
    given = {name: np.asarray(value)[None] for name, value in (signals or {}).items()}
    passes = None if epochs is None else np.array([epochs])
    return Feedback(given, even, even, even, np.zeros(1), np.array([spent]), passes)


@pytest.mark.parametrize(
    ("settings", "exponents"),
    [
        ({}, [1, 1, 1, 1]),
        ({"prior": 2.0}, [2, 2, 2, 2]),
        ({"prior_last": 2.0}, [1, 1.25, 1.5, 1.75]),
        ({"prior": 2.0, "prior_last": 0.5}, [2, 1.625, 1.25, 0.875]),
    ],
)
def test_the_exponent_is_linear_in_what_is_spent(settings, exponents):
    rule = PriorMixture(**settings)
    state = begun(rule)
    for segment, exponent in enumerate(exponents):
        expected = PRIOR**exponent
        assert rule.mixture(state) == pytest.approx(expected / expected.sum())
        rule.update(state, feedback((segment + 1) / 4))


def test_an_env_that_does_not_say_what_is_spent_leaves_it():
    rule = PriorMixture(prior_last=3.0)
    state = begun(rule)
    rule.update(state, feedback(0.5))
    rule.update(state, feedback(np.nan))
    assert state["spent"].tolist() == [0.5]


def products(*aligned):
    """(K+1, K+1), of which the products with the target count."""
    made = np.ones((5, 5))
    made[:4, 4] = aligned
    return made


def test_evidence_by_hand():
    """Alignments 3, 1, 0: mean 1.8, root mean square sqrt(4.8) under the prior; then 1, 3, 0: 1.4 and sqrt(3.2)."""
    rule = PriorMixture(measure=True)
    state = begun(rule)
    first, second = (np.array(one) for one in ((3.0, 1.0, 0.0), (1.0, 3.0, 0.0)))
    rule.update(state, feedback(0.1, {"adam_products": products(*first, 9.0)}))
    assert rule.mixture(state) == pytest.approx(PRIOR)  # one measurement has no error
    rule.update(state, feedback(0.2, {"adam_products": products(*second, 9.0)}))
    found = np.array([(first - 1.8) / np.sqrt(4.8), (second - 1.4) / np.sqrt(3.2)])
    mean, shares = found.mean(axis=0), PRIOR[0, :3]
    error = (shares * found.var(axis=0, ddof=1)).sum() / 2
    moved = mean * np.maximum(0, 1 - error / mean**2)
    assert (np.abs(moved) < 0.7).all() and moved[2] < 0 == moved[0]
    expected = np.append(shares * np.exp(moved), 0)
    assert rule.mixture(state)[0] == pytest.approx(expected / expected.sum())
    state["dropped"][...] = True  # the guard's alarm
    assert rule.mixture(state) == pytest.approx(PRIOR) and not rule.differs(state).any()


def test_a_share_doubles_or_halves_at_most():
    rule = PriorMixture(measure=True)
    state = begun(rule, np.array([[0.9, 0.05, 0.05, 0.0]]))
    for spent in (0.1, 0.2, 0.3):
        rule.update(state, feedback(spent, {"adam_products": products(1.0, 60.0, -60.0, 0.0)}))
    odds = rule.mixture(state)[0, 1:3] / np.array([0.05, 0.05])
    assert odds[0] / odds[1] == pytest.approx(np.exp(1.4))


def test_what_is_not_asked_for_is_not_read():
    rule = PriorMixture()
    state = begun(rule)
    for spent in (0.1, 0.2, 0.3):
        rule.update(state, feedback(spent, {"adam_products": products(1.0, 60.0, -60.0, 0.0)}))
    assert rule.mixture(state) == pytest.approx(PRIOR) and state["measured"].tolist() == [0]


def test_evidence_that_is_none_stays_none_and_true_evidence_is_found():
    """200 runs, alignments of noise alone: v1 summed them up. Then the third task is better by as much as noise."""
    draw, shares = np.random.default_rng(0), np.full((200, 6), 1 / 6)
    for edge, least, most in ((0.0, 0.0, 0.05), (1.0, 0.6, 0.701)):
        state = evidence.start(200, 6)
        sizes = []
        for _ in range(64):
            made = np.zeros((200, 7, 7))
            made[:, :6, 6] = draw.standard_normal((200, 6)) + edge * np.array([0, 0, 2, 0, 0, 0])
            evidence.note(state, made, shares)
            sizes.append(np.abs(evidence.tilt(state, shares)).mean(axis=0)[2])
        assert sizes[0] == 0 and least <= sizes[-1] < most
        if not edge:
            assert sizes[-1] < sizes[1] / 4


def test_a_measurement_is_made_only_where_it_pays():
    """Before there are two: gain .3 x (spread^2 x 2 / (spread x 2 + noise)) x b log(1 / b), price twice that of one."""
    shares, state = np.full((1, 4), 0.25), evidence.start(1, 4)
    explained = evidence.SPREAD**2 * 2 / (evidence.SPREAD * 2 + evidence.NOISE)
    gain = 0.3 * explained * -0.3 * np.log(0.3)
    for price, pays in ((gain / 2 * 0.99, True), (gain / 2 * 1.01, False), (np.nan, False), (np.inf, False)):
        assert evidence.pays(state, shares, np.array([0.3]), np.array([price])).tolist() == [pays]
    for spent in (0.0, 1.0):
        assert not evidence.pays(state, shares, np.array([spent]), np.array([1e-9])).any()


def test_estimates_replace_what_was_taken():
    """Before there are two: .3 x spread^2 x 2 / (spread x 2 + noise) x b log(1 / b) against twice the price of one."""
    shares = np.full((1, 2), 0.5)
    state = {"measured": np.array([2.0]), "total": np.array([[1.5, -1.5]]), "squares": np.array([[1.25, 1.25]])}
    spread, noise = 0.5625 - 0.0625, 0.125
    more = spread**2 * 3 / (spread * 3 + noise) - spread**2 * 2 / (spread * 2 + noise)
    gain = 0.3 * more * -0.3 * np.log(0.3)
    for price, pays in ((gain * 0.99, True), (gain * 1.01, False)):
        assert evidence.pays(state, shares, np.array([0.3]), np.array([price])).tolist() == [pays]
    state["total"][...] = 0.0  # the two were opposite: nothing is measured ever again
    assert not evidence.pays(state, shares, np.array([0.3]), np.array([1e-9])).any()


def test_needs_follow_the_price():
    rule = PriorMixture(measure=True)
    state = begun(rule, spent=0.3, price=1e-4)
    assert rule.needs(state) == ("adam_products",)
    assert rule.needs(begun(rule, spent=0.3)) == () == rule.needs(begun(rule, price=1e-4))
    assert rule.needs(begun(rule, spent=0.3, price=1e-4, dropped=True)) == ()
    assert PriorMixture().needs(begun(PriorMixture(), spent=0.3, price=1e-4)) == ()


SIGNAL = np.array([[0.0, 0.0, 0.0, 1.0]])


@pytest.mark.parametrize(
    ("last", "ending"), [(None, 4), (0.3, 6), (0.21, 5), (0.0, 0), (1.0, 20), (0.04, 1), (0.05, 1)]
)
def test_the_finish_takes_the_segments_that_end_in_it(last, ending):
    """20 segments of 5 % each, over an endless signal split."""
    rule = PriorMixture(finish=last)
    state = begun(rule, target_signal=SIGNAL)
    played = []
    for segment in range(20):
        played.append(rule.mixture(state)[0])
        rule.update(state, feedback((segment + 1) / 20))
    expected = [PRIOR[0]] * (20 - ending) + [SIGNAL[0]] * ending
    assert np.allclose(played, expected)
    assert rule.mixture(begun(rule)).tolist() == PRIOR.tolist()  # without such a task


def played_with_passes(rule, windows, segments=100, **figures):
    """What is played, and passes over the windows of each task, where a segment is 100 windows of 10 tokens."""
    state = begun(rule, target_signal=SIGNAL, corpus_tokens=10.0 * windows, **figures)
    epochs, played = np.zeros(4), []
    for segment in range(segments):
        played.append(rule.mixture(state)[0])
        epochs += 100 * played[-1] / windows
        rule.update(state, feedback((segment + 1) / segments, epochs=epochs))
    return np.array(played), epochs, state


def test_a_small_signal_split_is_read_fifteen_times_at_most():
    """20 windows: a segment is five passes, so that the finish is three segments, the last ones."""
    played, epochs, state = played_with_passes(PriorMixture(), np.array([500.0, 400.0, 300.0, 20.0]))
    assert played[:, 3].tolist() == [0.0] * 97 + [1.0] * 3 and epochs[3] == pytest.approx(15)
    assert finish.late(state, 0.2).tolist() == [True] and state["begun"] == pytest.approx(0.97)
    played, epochs, state = played_with_passes(PriorMixture(), np.array([500.0, 400.0, 300.0, 200.0]))
    assert played[:, 3].sum() == 20 and epochs[3] == pytest.approx(10) and not finish.late(state, 0.2).any()
    played, epochs, _ = played_with_passes(PriorMixture(), np.array([500.0, 400.0, 300.0, 20.0]), limit=10.0)
    assert played[:, 3].tolist() == [0.0] * 98 + [1.0] * 2 and epochs[3] == pytest.approx(10)


@given(st.floats(0, 1), st.integers(5, 500), st.integers(1, 60))
def test_the_limit_of_passes_holds_whatever_is_asked(last, windows, segments):
    played, epochs, _ = played_with_passes(
        PriorMixture(finish=last), np.array([500.0, 400.0, 300.0, float(windows)]), segments
    )
    assert epochs[3] <= 15 + 100 / windows  # no more than the segment in which it is reached
    assert np.allclose(played.sum(axis=1), 1) and set(played[:, 3]) <= {0.0, 1.0}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"prior": 0}, "prior: 0 must be a number above 0"),
        ({"prior_last": -1}, "prior_last: -1 must be a number above 0"),
        ({"measure": "yes"}, r"measure: must be true or false \(got 'yes'\)"),
        ({"finish": 1.5}, "finish: 1.5 must be a number at least 0 and at most 1"),
    ],
)
def test_mistakes_are_one_line(settings, message):
    with pytest.raises(ConfigError, match=message):
        PriorMixture(**settings)
