"""Predicted gains where they are known, and the factor from counting to training."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import pytest
from made_chains import EOS, V, chain, text

from curriculum_rl.errors import ConfigError
from curriculum_rl.priors import calibration
from curriculum_rl.priors.calibration import effective, fitted, predicted
from curriculum_rl.priors.em import em_weights
from curriculum_rl.priors.gain import Gain, Weigh, counted_gain
from curriculum_rl.priors.likelihoods import LEAST

CHAINS = [chain(seed) for seed in range(3)]
SOURCES = [text(one, LEAST, 10 + number) for number, one in enumerate(CHAINS)]
TARGET = np.concatenate([text(CHAINS[0], 6_000, 20), text(CHAINS[1], 2_000, 21)])
EVEN = np.full(3, 1 / 3)


def gain(weigh: Weigh, sources: Sequence[np.ndarray] = SOURCES, target: np.ndarray = TARGET) -> Gain:
    return counted_gain(weigh, np.full(len(sources), 1 / len(sources)), target, sources, V, end=EOS)


def em(half: np.ndarray, sources: Sequence[np.ndarray] = SOURCES) -> np.ndarray:
    return em_weights(half, sources, V, ignored=(EOS,))


def test_the_weights_of_the_mixture_gain_and_others_lose() -> None:
    """The target is three parts of the first chain and one of the second; pairs and triples tell them apart."""
    found = gain(em)
    assert 0.05 < found.nats < 0.3 and 0 < found.error < 0.02
    assert found.pieces == 200 and found.tokens == 200 * 38
    assert gain(lambda _: EVEN).nats == 0 == gain(lambda _: EVEN).error
    assert gain(lambda _: np.array([0.0, 0.0, 1.0])).nats < -0.5
    assert gain(lambda _: np.array([0.75, 0.25, 0.0])).nats == pytest.approx(found.nats, abs=0.03)


def test_no_half_is_scored_by_weights_that_saw_it() -> None:
    seen: list[np.ndarray] = []

    def weigh(half: np.ndarray) -> np.ndarray:
        seen.append(half)
        return EVEN

    gain(weigh)
    halves = [{tuple(row) for row in half.reshape(-1, 40)} for half in seen]
    assert len(halves) == 2 and not halves[0] & halves[1]
    assert halves[0] | halves[1] == {tuple(row) for row in TARGET.reshape(-1, 40)}


def test_sources_that_are_alike_gain_nothing() -> None:
    alike = [text(CHAINS[0], LEAST, 30 + number) for number in range(4)]
    found = gain(partial(em, sources=alike), alike, text(CHAINS[0], 6_000, 40))
    assert abs(found.nats) < 0.01
    assert predicted(found, "em").alike


def test_the_error_is_what_other_documents_would_give() -> None:
    draws = [text(CHAINS[0], 2_000, 50 + number) for number in range(12)]
    found = [gain(lambda _: np.array([0.6, 0.2, 0.2]), target=draw) for draw in draws]
    assert np.mean([one.error for one in found]) == pytest.approx(np.std([one.nats for one in found], ddof=1), rel=0.5)


def test_one_long_document_is_cut_and_a_short_one_refused() -> None:
    whole = text(CHAINS[0], 8_000, 60)
    found = gain(em, target=whole[whole != EOS])
    assert found.pieces == 50 and found.tokens == 7_800 - 50
    with pytest.raises(ConfigError, match=r"target: 60 tokens are too few to predict a gain"):
        gain(em, target=whole[whole != EOS][:60])


def test_a_long_target_is_read_in_pieces_from_all_of_it() -> None:
    halves = np.concatenate([text(CHAINS[0], 100_000, 70), text(CHAINS[2], 100_000, 71)])
    first = np.array([1.0, 0.0, 0.0])
    found = gain(lambda _: first, target=halves)
    assert 60_000 < found.tokens <= 65_600
    parts = [gain(lambda _: first, target=part).nats for part in (halves[:100_000], halves[100_000:])]
    assert found.nats == pytest.approx(np.mean(parts), abs=0.1)


def test_one_factor_for_all_and_what_a_left_out_family_is_missed_by() -> None:
    fit = fitted({"a": 0.1, "b": 0.2, "c": 0.05}, {"a": 0.2, "b": 0.8, "c": 0.1})
    assert fit.factor == pytest.approx((2 * 4 * 2) ** (1 / 3))
    assert fit.left_out == pytest.approx({"a": 2 / 8**0.5, "b": 2.0, "c": 2 / 8**0.5})
    assert fit.error == pytest.approx(2.0)


def test_an_interval_takes_in_the_count_and_the_factor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibration, "FACTOR", 2.0)
    monkeypatch.setattr(calibration, "ERRORS", {"em": 1.5})
    found = predicted(Gain(0.1, 0.01, 50, 2_000), "em")
    assert (found.nats, found.low, found.high) == pytest.approx((0.2, 0.08 * 2 / 1.5, 0.12 * 3))
    assert found.can_help and found.words.endswith("(from +0.107 to +0.360)")
    around = predicted(Gain(0.001, 0.01, 50, 2_000), "em")
    assert (around.nats, around.low, around.high) == pytest.approx((0.002, -0.019 * 3, 0.021 * 3))
    assert around.can_help is None and "too little text to tell" in around.words
    surely = predicted(Gain(0.001, 0.001, 900, 20_000), "em")
    harm = predicted(Gain(-0.1, 0.001, 900, 20_000), "em")
    assert harm.can_help is False and harm.words.endswith(": by counting these shares harm")
    assert surely.can_help is False and surely.words.endswith(": scheduling cannot help here")


def test_the_effective_number_of_sources() -> None:
    assert effective([0.25] * 4) == pytest.approx(4)
    assert effective([1.0, 0.0]) == pytest.approx(1)
    assert effective([0.5, 0.25, 0.25]) == pytest.approx(2**1.5)
