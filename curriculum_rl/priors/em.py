"""The weights under which a mixture of the sources explains the target best, and how they are sharpened.

Shape letters: K sources, R different rows.
"""

from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt

from curriculum_rl.priors.likelihoods import Tokens, likelihoods

Floats = npt.NDArray[np.float64]

EXPONENT = 1.5
"""What weights are sharpened by: chosen on development families (docs/log.md)."""
TOLERANCE = 1e-5
"""Weights are found when none moves by more in a step."""
STEPS = 1000
INDIFFERENCE = 0.002
"""Nats per token that a mixture may explain the target worse than the best one, for being more even.

Where sources are alike the likelihood is flat, and its maximum is chance."""
_HALVINGS = 24  # of the pseudo-counts, from as many as there are rows


def em_weights(
    target: Tokens,
    sources: Sequence[Tokens],
    vocab_size: int,
    *,
    ignored: Collection[int] = (),
    exponent: float = EXPONENT,
) -> Floats:
    """(K,) weights of the sources, summing to 1, under which their mixture explains the target, sharpened.

    Of all weights that explain it within INDIFFERENCE of the best, the most even ones are sharpened; all are even where
    the target has no two neighbours that are text.

    Args:
        target: tokens of the target.
        sources: tokens of each source.
        vocab_size: of both.
        ignored: tokens that are no text.
        exponent: of `sharpened`, >= 0; at 1 weights stay as they are.

    Source:
        Dempster, Laird and Rubin 1977, "Maximum likelihood from incomplete data via the EM algorithm", section 4.3
        (finite mixtures); as interpolation weights of language models: Jelinek and Mercer 1980.
    """
    found = likelihoods(target, sources, vocab_size, ignored)
    if not len(found.places):
        return np.full(len(sources), 1 / len(sources))
    weights = most_even(found.of_pairs, found.times, INDIFFERENCE)
    return sharpened(weights, similarity(found.of_pairs, found.times, weights), exponent)


def similarity(likelihoods: Floats, times: Floats, weights: Floats) -> Floats:
    """(K, K) correlation over the target of what two sources say, relative to the mixture; 0 where that is negative.

    Sources of one kind are near 1, those that stand for different parts of the target at 0.

    Args:
        likelihoods: (R, K), above 0.
        times: (R,) how often each row was seen.
        weights: (K,) of the mixture.
    """
    relative = likelihoods / (likelihoods @ weights)[:, None]
    centred = (relative - times @ relative / times.sum()) * np.sqrt(times)[:, None]
    products = centred.T @ centred
    sizes = np.sqrt(np.diag(products))
    found = np.divide(products, np.outer(sizes, sizes), out=np.zeros_like(products), where=np.outer(sizes, sizes) > 0)
    np.fill_diagonal(found, 1.0)
    alike: Floats = found.clip(0.0, 1.0)
    return alike


def sharpened(weights: Floats, alike: Floats, exponent: float) -> Floats:
    """(K,) shares in proportion to w_k (sum_j s_kj w_j)^(exponent - 1): w^exponent for sources that are not alike.

    A power of the weights alone depends on how corpora are cut: two halves of a source, with half of its weight each,
    would lose to a whole one. Here a source counts with what is like it.

    Args:
        weights: (K,) summing to 1.
        alike: (K, K) similarities s, 1 on the diagonal.
        exponent: >= 0.

    Source:
        s w is the ordinariness of Leinster and Cobbold 2012, "Measuring diversity: the importance of species
        similarity", equation 1; the rest is ours.
    """
    shares: Floats = weights * (alike @ weights) ** (exponent - 1)
    shares /= shares.sum()
    return shares


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
