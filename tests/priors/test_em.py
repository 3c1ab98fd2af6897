"""EM weights on mixtures whose weights are known, and what cutting or duplicating a source may not change."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_chains import EOS, V, chain, text

from curriculum_rl.priors.em import (
    em_weights,
    expectation_maximisation,
    explanation,
    most_even,
)
from curriculum_rl.priors.likelihoods import LEAST

CHAINS = [chain(seed) for seed in range(3)]
LONG = 2 * LEAST
SOURCES = [text(one, LONG, 10 + number) for number, one in enumerate(CHAINS)]
TARGET = np.concatenate([text(CHAINS[0], 12_000, 20), text(CHAINS[1], 4_000, 21)])


def weights(sources: list[np.ndarray], target: np.ndarray = TARGET) -> np.ndarray:
    return em_weights(target, sources, V, ignored=(EOS,))


def test_the_weights_are_those_of_the_mixture() -> None:
    assert weights(SOURCES) == pytest.approx([0.75, 0.25, 0.0], abs=0.03)


@pytest.mark.parametrize("cut", [LONG // 2, LONG // 8])
def test_splitting_a_source_hardly_moves_its_joint_share(cut: int) -> None:
    whole = weights(SOURCES)
    parts = weights([SOURCES[0][:cut], SOURCES[0][cut:], *SOURCES[1:]])
    assert parts[0] + parts[1] == pytest.approx(whole[0], abs=0.03)


def test_duplicating_a_source_divides_its_share_evenly() -> None:
    whole = weights(SOURCES)
    twice = weights([SOURCES[0], SOURCES[0], *SOURCES[1:]])
    assert twice[0] == pytest.approx(twice[1], abs=0.02)
    assert twice[0] + twice[1] == pytest.approx(whole[0], abs=0.03)


def test_identical_sources_are_even() -> None:
    alike = [text(CHAINS[0], LONG, 30 + number) for number in range(4)]
    assert weights([alike[0]] * 4) == pytest.approx([0.25] * 4, abs=1e-6)
    assert weights(alike) == pytest.approx([0.25] * 4, abs=0.1)  # only chance tells them apart


def test_a_big_source_gets_nothing_for_being_big() -> None:
    """Eight times as long a text of the same kind, over several draws of both."""
    found = [
        weights([text(CHAINS[0], LEAST, 40 + number), text(CHAINS[0], 8 * LEAST, 50 + number), SOURCES[2]])
        for number in range(6)
    ]
    assert np.mean(found, axis=0) == pytest.approx([0.5, 0.5, 0.0], abs=0.1)


def test_shuffled_words_are_no_text_of_the_kind() -> None:
    shuffled = np.random.default_rng(0).permutation(SOURCES[0])
    found = weights([*SOURCES, shuffled])
    assert found[3] < 0.03 and found[0] == pytest.approx(0.75, abs=0.05)


def test_two_thousand_tokens_of_the_target_are_enough() -> None:
    """Of 50 documents, three quarters from the one source."""
    few = TARGET.reshape(-1, 40)[::8].ravel()
    assert len(few) == 2_000
    assert weights(SOURCES, few) == pytest.approx(weights(SOURCES), abs=0.05)


def test_tokens_that_are_no_text_do_not_count() -> None:
    """A label after every document of the target, which one source is full of, changes nothing."""
    label = V - 1
    sources = [np.where(source == label, 1, source).astype(np.uint16) for source in SOURCES]
    target = np.where(label == TARGET, 1, TARGET).astype(np.uint16)
    marked = np.where(target == EOS, label, target).astype(np.uint16)
    full = np.append(sources[2], np.full(len(sources[2]), label, np.uint16))
    plain = em_weights(target, sources, V, ignored=(EOS, label))
    assert em_weights(marked, [*sources[:2], full], V, ignored=(EOS, label)) == pytest.approx(plain, abs=0.02)


def test_a_target_without_neighbours_says_nothing() -> None:
    assert em_weights(np.array([3, EOS, 4, EOS]), SOURCES, V, ignored=(EOS,)).tolist() == [1 / 3] * 3


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 6), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_the_likelihood_is_at_its_maximum(sources: int, rows: int, seed: int) -> None:
    """Concave, so no other weights explain the rows better (to the tolerance of the last step)."""
    random = np.random.default_rng(seed)
    likelihoods, times = random.random((rows, sources)) + 1e-3, random.integers(1, 5, rows).astype(float)
    found = expectation_maximisation(likelihoods, times)
    assert found.sum() == pytest.approx(1) and (found >= 0).all()
    best = explanation(likelihoods, times, found)
    for other in random.dirichlet(np.ones(sources), 20):
        assert best >= explanation(likelihoods, times, other) - 1e-3


def test_a_row_that_was_seen_twice_is_two_rows() -> None:
    likelihoods = np.random.default_rng(0).random((9, 3)) + 0.1
    twice = expectation_maximisation(np.repeat(likelihoods, 2, axis=0), np.ones(18), pseudo_count=2.0)
    assert expectation_maximisation(likelihoods, np.full(9, 2.0), pseudo_count=2.0) == pytest.approx(twice)


def test_the_most_even_weights_that_explain_as_well() -> None:
    likelihoods = np.random.default_rng(0).random((4000, 3))
    likelihoods[:, :2] += 0.5
    times = np.ones(4000)
    best = expectation_maximisation(likelihoods, times)
    chosen = [best, *(most_even(likelihoods, times, nats) for nats in (1e-3, 1e-2))]
    explained = [explanation(likelihoods, times, one) for one in chosen]
    assert explained[0] > explained[1] > explained[2] and explained[1] >= explained[0] - 1e-3
    assert most_even(likelihoods, times, 1.0).tolist() == [1 / 3] * 3
    assert most_even(likelihoods, times, 0.0) == pytest.approx(best, abs=1e-3)
