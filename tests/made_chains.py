"""Documents of Markov chains, whose best mixture is known."""

import numpy as np

V = 40
EOS = 0


def chain(seed: int) -> np.ndarray:
    """(V, V) transitions of a Markov chain that never comes to EOS."""
    rows = np.random.default_rng(seed).dirichlet(np.full(V, 0.1), V)
    rows[:, EOS] = 0
    return np.cumsum(rows / rows.sum(axis=1, keepdims=True), axis=1)


def text(cumulated: np.ndarray, tokens: int, seed: int, document: int = 40) -> np.ndarray:
    """Documents of 39 tokens and an end."""
    random = np.random.default_rng(seed)
    out = np.zeros((-(-tokens // document), document), np.uint16)
    last = random.integers(1, V, len(out))
    for place in range(document - 1):
        last = (cumulated[last] < random.random((len(out), 1))).sum(axis=1).clip(1, V - 1)
        out[:, place] = last
    return out.ravel()[:tokens]
