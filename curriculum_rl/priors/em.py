"""The weights under which a mixture of the sources explains the target best: there is no temperature to choose.

Shape letters: K sources, R different rows.
"""

import math
from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt

from curriculum_rl.priors.likelihoods import Tokens, likelihoods

Floats = npt.NDArray[np.float64]

TOLERANCE = 1e-5
"""Weights are found when none moves by more in a step."""
STEPS = 1000
INDIFFERENCE = 0.002
"""Nats per token that a mixture may explain the target worse than the best one, for being more even.

Where sources are alike the likelihood is flat, and its maximum is chance."""
_HALVINGS = 24  # of the pseudo-counts, from as many as there are rows


def em_weights(target: Tokens, sources: Sequence[Tokens], vocab_size: int, *, ignored: Collection[int] = ()) -> Floats:
    """(K,) weights of the sources, summing to 1, under which their mixture explains the target best.

    Of all weights that explain it within INDIFFERENCE of the best, those are taken that are most even; all are even
    where the target has no two neighbours that are text.

    Args:
        target: tokens of the target.
        sources: tokens of each source.
        vocab_size: of both.
        ignored: tokens that are no text.

    Source:
        Dempster, Laird and Rubin 1977, "Maximum likelihood from incomplete data via the EM algorithm", section 4.3
        (finite mixtures); as interpolation weights of language models: Jelinek and Mercer 1980.
    """
    found = likelihoods(target, sources, vocab_size, ignored)
    if not len(found.places):
        return np.full(len(sources), 1 / len(sources))
    return most_even(found.of_pairs, found.times, INDIFFERENCE)


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


def most_flops(rows: int, sources: int) -> float:
    """Leading term of what `em_weights` takes, at most: every search with all its steps.

    Args:
        rows: different pairs of the target.
        sources: K.
    """
    return 4.0 * rows * sources * STEPS * (2 + math.ceil(math.log2(_HALVINGS)))


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
