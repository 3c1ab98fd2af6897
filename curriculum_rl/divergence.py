"""How far a task's text is from the target's, before a single update."""

import numpy as np
import numpy.typing as npt

_SAMPLE = 2_000_000


def unigram(tokens: npt.NDArray[np.integer], vocab_size: int) -> npt.NDArray[np.float64]:
    """Token frequencies, (V,), of the first two million tokens of a stream."""
    counts = np.bincount(tokens[:_SAMPLE], minlength=vocab_size)
    return np.asarray(counts / counts.sum(), dtype=np.float64)


def jensen_shannon(p: npt.NDArray[np.float64], q: npt.NDArray[np.float64]) -> float:
    """Jensen-Shannon divergence of two distributions in bits, in [0, 1].

    Source: Lin 1991, "Divergence measures based on the Shannon entropy", equation 4.1 with equal weights.
    """
    middle = (p + q) / 2

    def relative_entropy(a: npt.NDArray[np.float64]) -> float:
        seen = a > 0
        return float((a[seen] * np.log2(a[seen] / middle[seen])).sum())

    return (relative_entropy(p) + relative_entropy(q)) / 2


def unigram_loss(p: npt.NDArray[np.float64], tokens: npt.NDArray[np.integer]) -> float:
    """Nats per token of a unigram model with add-one smoothing on a sample of two million tokens."""
    smoothed = p * _SAMPLE + 1
    smoothed /= smoothed.sum()
    return float(-np.log(smoothed[tokens]).mean())


def bigram_loss(
    train: npt.NDArray[np.integer], tokens: npt.NDArray[np.integer], vocab_size: int, *, backoff: float = 2.0
) -> float:
    """Nats per token of a bigram model that backs off to the smoothed unigram, trained on one stream, on another.

    Args:
        train: the stream it is counted on.
        tokens: the stream it is scored on.
        vocab_size: V.
        backoff: pseudo-count of the unigram in every bigram row.

    Source: MacKay and Peto 1995, "A hierarchical Dirichlet language model", equation 15 (the posterior mean).
    """
    train = train[:_SAMPLE].astype(np.int64)
    tokens = tokens.astype(np.int64)
    base = np.bincount(train, minlength=vocab_size) + 1.0
    base /= base.sum()
    pairs, counts = np.unique(train[:-1] * vocab_size + train[1:], return_counts=True)
    context = np.bincount(train[:-1], minlength=vocab_size)
    asked = tokens[:-1] * vocab_size + tokens[1:]
    place = np.minimum(np.searchsorted(pairs, asked), len(pairs) - 1)
    seen = np.where(pairs[place] == asked, counts[place], 0)
    return float(-np.log((seen + backoff * base[tokens[1:]]) / (context[tokens[:-1]] + backoff)).mean())
