"""Ridge regression of rewards on features, for S runs at once: the model of both linear bandits.

Shape letters: S memories, M plays of a decision, K tasks, F features.
"""

import numpy as np

from curriculum_rl.agents.rule import Floats, State


def start(seeds: int, features: int, ridge: float) -> State:
    """No evidence: `precision` (S, F, F) is ridge times the identity and `target` (S, F) is 0."""
    return {
        "precision": np.broadcast_to(ridge * np.eye(features), (seeds, features, features)).copy(),
        "target": np.zeros((seeds, features)),
    }


def learn(state: State, features: Floats, rewards: Floats) -> None:
    """Add, in place, the plays: (S, M, F) features of the tasks played and (S, M) rewards."""
    turned = features.swapaxes(1, 2)
    state["precision"] += turned @ features
    state["target"] += (turned @ rewards[:, :, None])[:, :, 0]


def solve(state: State) -> tuple[Floats, Floats]:
    """(S, F) the estimate and (S, F, F) its covariance in units of the noise's variance, the inverse of precision."""
    covariance = np.linalg.inv(state["precision"])
    return (covariance @ state["target"][:, :, None])[:, :, 0], covariance
