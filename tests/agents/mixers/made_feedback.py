"""Feedback of one run over K tasks, made from lists."""

import numpy as np

from curriculum_rl.agents.mixers.rule import Feedback


def feedback(signals=None, *, losses=None, mixture=None, gain=0.0, spent=1.0, arms=None):
    """Feedback of S = 1; what is not given is absent: no losses, even shares."""
    signals = {name: np.array(values, np.float64)[None] for name, values in (signals or {}).items()}
    if arms is None:
        given = losses if losses is not None else mixture if mixture is not None else None
        arms = len(given) if given is not None else _arms(signals)
    losses = np.full((1, arms), np.nan) if losses is None else np.array([losses], np.float64)
    mixture = np.full((1, arms), 1 / arms) if mixture is None else np.array([mixture], np.float64)
    return Feedback(signals, losses, mixture, mixture, np.array([float(gain)]), np.array([float(spent)]))


def _arms(signals):
    name, values = next(iter(signals.items()))
    return values.shape[1] - 1 if name.endswith("products") else values.shape[1]


def gram(*gradients):
    """(K+1, K+1) products of gradients given as rows, the target last."""
    rows = np.array(gradients, np.float64)
    return rows @ rows.T


def softmax(values):
    powers = np.exp(np.array(values, np.float64))
    return powers / powers.sum()
