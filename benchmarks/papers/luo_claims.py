"""What C8 and C9 of Luo et al. 2021 come to: verdicts on figures that are paired by seed; lower is better."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from scipy.stats import ttest_1samp

from curriculum_rl.scripts.comparing.analysis.statistics import Paired, estimate, paired

Verdict = Literal["better", "tie", "worse", "open"]

USELESS = 0.5
"""Of the useless task's even probability: below it a selector has dropped the task (C8)."""
MARGIN = 0.05
"""Nats per label below which a difference of probe losses counts as none; stated before anything was run."""


def verdict(pair: Paired, differences: Sequence[float], margin: float = MARGIN) -> Verdict:
    """`better` or `worse` where the 95 % interval leaves 0 out, else `tie` where both one-sided tests say so at 5 %.

    Source: Schuirmann 1987, "A comparison of the two one-sided tests procedure"; t tests of paired differences.
    """
    low, high = pair.difference.low, pair.difference.high
    if low is None or high is None:
        return "open"
    if high < 0:
        return "better"
    if low > 0:
        return "worse"
    return "tie" if equivalence(differences, margin) < 0.05 else "open"


def equivalence(differences: Sequence[float], margin: float) -> float:
    """P value of "the mean difference is at least the margin, one way or the other"; small means equivalent."""
    values = np.asarray(differences, np.float64)
    if np.ptp(values) == 0:
        return 0.0 if abs(values[0]) < margin else 1.0
    above = ttest_1samp(values, -margin, alternative="greater").pvalue
    below = ttest_1samp(values, margin, alternative="less").pvalue
    return float(max(above, below))


def against(mine: Mapping[int, float], theirs: Mapping[int, float], margin: float = MARGIN) -> dict[str, Any] | None:
    """One figure against another under the seeds that both have; None below two."""
    seeds = sorted(set(mine) & set(theirs))
    if len(seeds) < 2:
        return None
    a, b = [mine[seed] for seed in seeds], [theirs[seed] for seed in seeds]
    pair, differences = paired(a, b), [x - y for x, y in zip(a, b, strict=True)]
    return {
        "difference": vars(pair.difference),
        "p": pair.p,
        "equivalence": equivalence(differences, margin),
        "verdict": verdict(pair, differences, margin),
        "wins": pair.wins,
        "seeds": pair.seeds,
    }


def dropped(shares: Sequence[float]) -> dict[str, Any]:
    """C8's first half: probability of the useless task over its even one, a value per seed.

    It holds where the upper end of the interval is below one half.
    """
    found = estimate(shares)
    return {**vars(found), "holds": found.high is not None and found.high < USELESS}


def mean_of(columns: Sequence[Mapping[int, float]]) -> dict[int, float]:
    """The mean of several targets' figures, of the seeds that all have."""
    if not columns:
        return {}
    seeds = sorted(set.intersection(*(set(column) for column in columns)))
    return {seed: float(np.mean([column[seed] for column in columns])) for seed in seeds}


def claims(
    useless: Mapping[str, Mapping[str, Sequence[float]]],
    losses: Mapping[str, Mapping[str, Mapping[str, Mapping[int, float]]]],
    *,
    own: str,
    reference: str = "random",
    margin: float = MARGIN,
) -> dict[str, Any]:
    """All verdicts.

    Args:
        useless: by variant and agent, a value per seed as `dropped` wants them.
        losses: probe losses by variant ("aware", "agnostic"), agent, target and seed.
        own: the target that the aware variant is paid for.
        reference: the uniform selector; it is paid nothing, so its runs of the aware variant stand for both.
        margin: nats.
    """
    uniform = losses["aware"][reference][own]
    found: dict[str, Any] = {"C8": {}, "C9": {}}
    for variant, agents in useless.items():
        for agent, shares in agents.items():
            found["C8"][f"{variant} {agent}"] = {
                "useless": dropped(shares),
                "uniform": against(losses[variant][agent][own], uniform, margin) if agent != reference else None,
            }
    for agent in useless["agnostic"]:
        aware, targets = losses["aware"][agent], losses["agnostic"][agent]
        others = [target for target in targets if target != own]
        found["C9"][agent] = {
            "own": against(aware[own], targets[own], margin),
            "others": against(
                mean_of([targets[name] for name in others]), mean_of([aware[name] for name in others]), margin
            ),
        }
    return found
