"""How far a task's text is from the target's, before a single update: measures of two token distributions.

Shape letter: V vocabulary.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

PSEUDO_COUNT = 0.5
"""Added to every token's count where a measure needs all frequencies above 0 (Krichevsky and Trofimov 1981)."""
RENYI_ORDER = 0.99
"""The order that the literature on domain similarity uses (Van Asch and Daelemans 2010)."""
SAMPLE = 2_000_000
"""Tokens of a stream that are counted, at most."""
FLOPS_PER_TERM = 6
"""Operations of a measure for each token of the vocabulary, two logarithms included: what its price counts."""


def unigram(tokens: npt.NDArray[np.integer], vocab_size: int, *, pseudo_count: float = 0.0) -> Floats:
    """Token frequencies, (V,), of the first two million tokens of a stream.

    Args:
        tokens: the stream.
        vocab_size: V.
        pseudo_count: added to the count of every token; above 0 no frequency is 0.
    """
    counts = np.bincount(tokens[:SAMPLE], minlength=vocab_size) + pseudo_count
    return np.asarray(counts / counts.sum(), dtype=np.float64)


def kullback_leibler(p: Floats, q: Floats) -> float:
    """Sum p log2(p / q): bits per token that a code for q's text wastes on p's; at least 0, infinite where q lacks p's.

    Source: Kullback and Leibler 1951, "On information and sufficiency".
    """
    seen = p > 0
    with np.errstate(divide="ignore"):
        return max(0.0, float((p[seen] * np.log2(p[seen] / q[seen])).sum()))


def jensen_shannon(p: Floats, q: Floats) -> float:
    """Jensen-Shannon divergence of two distributions in bits, in [0, 1].

    Source: Lin 1991, "Divergence measures based on the Shannon entropy", equation 4.1 with equal weights.
    """
    middle = (p + q) / 2

    def relative_entropy(a: Floats) -> float:
        seen = a > 0
        return float((a[seen] * np.log2(a[seen] / middle[seen])).sum())

    return (relative_entropy(p) + relative_entropy(q)) / 2


def renyi(p: Floats, q: Floats, *, order: float = RENYI_ORDER) -> float:
    """log2(sum p^a q^(1 - a)) / (a - 1) in bits, at least 0; near order 1 it is near Kullback and Leibler's.

    Args:
        p: (V,) the distribution whose text is expected.
        q: (V,) the other one.
        order: a, in (0, 1).

    Source: Renyi 1961, "On measures of entropy and information".
    """
    overlap = float((p**order * q ** (1 - order)).sum())
    return max(0.0, float(np.log2(overlap)) / (order - 1)) if overlap > 0 else float("inf")


def bhattacharyya(p: Floats, q: Floats) -> float:
    """-log2 sum sqrt(p q) in bits, at least 0, infinite for distributions that share no token.

    Source: Bhattacharyya 1943; Kailath 1967, "The divergence and Bhattacharyya distance measures in signal selection".
    """
    overlap = float(np.sqrt(p * q).sum())
    return max(0.0, -float(np.log2(overlap))) if overlap > 0 else float("inf")


def cosine(p: npt.ArrayLike, q: npt.ArrayLike) -> float:
    """1 - the cosine of the angle between two vectors, in [0, 2]; between distributions in [0, 1]. 1 if one is 0."""
    first, second = np.asarray(p, np.float64), np.asarray(q, np.float64)
    lengths = float(np.linalg.norm(first) * np.linalg.norm(second))
    return max(0.0, 1 - float(first @ second) / lengths) if lengths > 0 else 1.0


def of_terms(
    measure: str, target: npt.NDArray[np.integer], others: Sequence[npt.NDArray[np.integer]], vocab_size: int
) -> Floats:
    """The divergence of other token streams from the target's, (len(others),); `measure` is a name of `TERM_MEASURES`.

    Directed measures take the target as their first argument: what counts is the target's text that a stream lacks.
    Jensen-Shannon needs no smoothing and gets none.
    """
    function, pseudo_count = TERM_MEASURES[measure]
    reference = unigram(target, vocab_size, pseudo_count=pseudo_count)
    return np.array([function(reference, unigram(each, vocab_size, pseudo_count=pseudo_count)) for each in others])


TERM_MEASURES: Mapping[str, tuple[Callable[[Floats, Floats], float], float]] = {
    "js": (jensen_shannon, 0.0),
    "kl": (kullback_leibler, PSEUDO_COUNT),
    "renyi": (renyi, PSEUDO_COUNT),
    "bhattacharyya": (bhattacharyya, PSEUDO_COUNT),
    "cosine": (cosine, PSEUDO_COUNT),
}
"""Measures of token distributions by name, with the pseudo-count that each takes."""
