"""Static mixtures that a search tries: drawn at random, named ones, and refinements of the best so far.

Shape letters: C mixtures, K tasks.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from curriculum_rl.priors.tasks import TEMPERATURE

Floats = npt.NDArray[np.float64]

CONCENTRATION = 0.3  # of the Dirichlet: small, so that few tasks dominate
EM_POWERS = (1.0, 1.5, 2.0, 3.0)
"""Of the EM prior."""
JS_POWERS = tuple(TEMPERATURE / bits for bits in (0.1, 0.05, 0.02))
"""Of the Jensen-Shannon prior: temperatures of .1, .05 and .02 bits."""
ELITES = 4  # mixtures that are refined in turn
FLOOR = 0.1  # of an even share: what a task that has nothing is taken to have when its share is moved
MOVES = ("noise", "blend", "noise", "sparse")


def drawn(tasks: int, count: int, emphasis: float) -> Floats:
    """(C, K) random mixtures, alternately a Dirichlet draw and one that shares the batch with stratified as picks do.

    Args:
        tasks: K.
        count: C; the first ones of a larger number are the same.
        emphasis: share of the batch of a pick.
    """
    made = np.random.default_rng(0).dirichlet(np.full(tasks, CONCENTRATION), size=count)
    made[1::2] = emphasis * made[1::2] + (1 - emphasis) / tasks
    return made


def named(tasks: int, priors: Mapping[str, Floats], objective: Floats | None) -> Floats:
    """(C, K) even shares, the target's objective, powers of both priors.

    Args:
        tasks: K.
        priors: (K,) shares, "em" and "js".
        objective: (K,) even shares of the tasks of the target's own objective; None: there are none.
    """
    powers = {"em": EM_POWERS, "js": JS_POWERS}
    made = [np.full(tasks, 1 / tasks), *([] if objective is None else [objective])]
    made += [shares**power for name, shares in priors.items() for power in powers[name]]
    return np.stack([mixture / mixture.sum() for mixture in made])


def refined(tried: Floats, scores: Floats, count: int, *, scale: float, seed: Sequence[int]) -> Floats:
    """(count, K) mixtures around the best that were tried: log shares with Gaussian noise, blends, fewer tasks.

    The best are taken in turn, four mixtures of each (`MOVES`) before the next.

    Args:
        tried: (C, K) mixtures.
        scores: (C,) higher is better.
        count: how many to make.
        scale: standard deviation of the noise of a log share.
        seed: of all draws.
    """
    order = np.argsort(-scores, kind="stable")
    best = list(dict.fromkeys(tuple(mixture) for mixture in tried[order].tolist()))[:ELITES]
    elites, draw = np.array(best), np.random.default_rng(seed)
    made = []
    for number in range(count):
        base = elites[number // len(MOVES) % len(elites)]
        move = MOVES[number % len(MOVES)]
        if move == "blend" and len(elites) > 1:
            other = elites[(number // len(MOVES) + draw.integers(1, len(elites))) % len(elites)]
            weight = draw.uniform(0.2, 0.8)
            made.append(weight * base + (1 - weight) * other)
        elif move == "sparse" and (base > 0).sum() > 1:
            made.append(sparse(base))
        else:
            logs = np.log(np.maximum(base, FLOOR / len(base))) + draw.normal(0, scale, len(base))
            made.append(np.exp(logs - logs.max()))
    weights = np.reshape(made, (count, tried.shape[1]))
    shares: Floats = weights / weights.sum(axis=1, keepdims=True)
    return shares


def sparse(mixture: Floats) -> Floats:
    """(K,) the mixture without the tasks that have less than half an even share; at least one of its tasks goes."""
    kept = mixture >= 0.5 / len(mixture)
    if kept[mixture > 0].all():
        smallest = np.where(mixture > 0, mixture, np.inf).argmin()
        kept[smallest] = False
    shares: Floats = np.where(kept, mixture, 0.0)
    shares /= shares.sum()
    return shares


def of_objective(objectives: Sequence[str], wanted: str) -> list[float]:
    """Even shares of the tasks that have an objective."""
    chosen = np.array([objective == wanted for objective in objectives], np.float64)
    return [float(share) for share in chosen / chosen.sum()]
