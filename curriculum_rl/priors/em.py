"""The weights under which a mixture of the sources' bigram models explains the target best: no temperature to choose.

Shape letters: K sources, n tokens of the target.
"""

from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt

from curriculum_rl.priors.likelihoods import Counts, Tokens, count

Floats = npt.NDArray[np.float64]

BACKOFFS = (2.0, 8.0, 32.0, 128.0)
"""Pseudo-counts that are tried; that under which the mixture explains the target best is taken."""
TOLERANCE = 1e-5
"""Weights are found when none moves by more in a step."""
STEPS = 1000
INDIFFERENCE = 0.002
"""Nats per token that a mixture may explain the target worse than the best one, for being more even.

Where sources are alike the likelihood is flat, and its maximum is chance."""
_HALVINGS = 24  # of the pseudo-counts, from as many as there are rows
_ROUGH = 30  # steps that are enough to tell one back-off from another


def em_weights(
    target: Tokens, sources: Sequence[Tokens], vocab_size: int, *, ignored: Collection[int] = (), window: int = 1
) -> Floats:
    """(K,) weights of the sources, summing to 1, under which their mixture explains the target best.

    Of all weights that explain it within INDIFFERENCE of the best, those are taken that are most even; all are even
    where the target has no two neighbours that are text.

    Args:
        target: tokens of the target.
        sources: tokens of each source.
        vocab_size: of both.
        ignored: tokens that are no text.
        window: neighbouring tokens that come from one source, >= 1; at 1 every token has a source of its own.

    Source:
        Dempster, Laird and Rubin 1977, "Maximum likelihood from incomplete data via the EM algorithm", section 4.3
        (finite mixtures); as interpolation weights of language models: Jelinek and Mercer 1980.
    """
    counts = count(target, sources, vocab_size, ignored)
    if not len(counts.places):
        return np.full(len(sources), 1 / len(sources))
    likelihoods = counts.likelihoods(best_backoff(counts))
    if window == 1:
        return most_even(likelihoods, counts.times, INDIFFERENCE)
    rows = windowed(likelihoods[counts.places], window)
    return most_even(rows, np.ones(len(rows)), INDIFFERENCE * window)


def best_backoff(counts: Counts) -> float:
    """The back-off under which the mixture, at its best weights, gives the target's tokens the highest likelihood."""

    def explained(backoff: float) -> float:
        likelihoods, times = counts.likelihoods(backoff), counts.times
        return explanation(likelihoods, times, expectation_maximisation(likelihoods, times, steps=_ROUGH))

    return max(BACKOFFS, key=explained)


def windowed(likelihoods: Floats, window: int) -> Floats:
    """(n, K) likelihoods of tokens -> (n // window, K) of windows, each row up to a factor of its own."""
    window = min(window, len(likelihoods))
    rows = len(likelihoods) // window
    logs = np.log(likelihoods[: rows * window]).reshape(rows, window, -1).sum(axis=1)
    scaled: Floats = np.exp(logs - logs.max(axis=1, keepdims=True))
    return scaled


def most_even(likelihoods: Floats, times: Floats, indifference: float) -> Floats:
    """(K,) the weights under the largest symmetric Dirichlet prior that costs no more than so many nats a row.

    Args:
        likelihoods: (R, K), above 0.
        times: (R,) how often each row was seen.
        indifference: nats, >= 0.
    """
    sources = likelihoods.shape[1]
    best = expectation_maximisation(likelihoods, times)
    least = explanation(likelihoods, times, best) - indifference
    found = np.full(sources, 1 / sources)
    if explanation(likelihoods, times, found) >= least:
        return found
    found, fails, holds = best, 0, _HALVINGS  # bisection: the likelihood falls as the prior grows
    while holds - fails > 1:
        middle = (fails + holds) // 2
        weights = expectation_maximisation(likelihoods, times, pseudo_count=times.sum() / 2**middle)
        if explanation(likelihoods, times, weights) >= least:
            found, holds = weights, middle
        else:
            fails = middle
    return found


def explanation(likelihoods: Floats, times: Floats, weights: Floats) -> float:
    """Mean log likelihood of the rows under the mixture, nats."""
    return float(times @ np.log(likelihoods @ weights) / times.sum())


def expectation_maximisation(
    likelihoods: Floats, times: Floats, *, pseudo_count: float = 0.0, steps: int = STEPS
) -> Floats:
    """(K,) weights w that maximise times @ log(likelihoods @ w): concave, so the start makes no difference.

    Args:
        likelihoods: (R, K), above 0.
        times: (R,) how often each row was seen.
        pseudo_count: rows that each source is taken to have explained before (a Dirichlet prior), >= 0.
        steps: at most.
    """
    sources = likelihoods.shape[1]
    weights, total = np.full(sources, 1 / sources), times.sum() + sources * pseudo_count
    for _ in range(steps):
        moved = (weights * ((times / (likelihoods @ weights)) @ likelihoods) + pseudo_count) / total
        done = np.abs(moved - weights).max() < TOLERANCE
        weights = moved
        if done:
            break
    found: Floats = weights / weights.sum()
    return found
