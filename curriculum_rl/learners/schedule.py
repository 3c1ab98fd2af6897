"""The learning rate as a function of the fraction of the budget that is spent."""

from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from curriculum_rl.errors import ConfigError

ScheduleKind = Literal["constant", "cosine", "wsd"]


def learning_rate(
    fraction_spent: npt.ArrayLike,
    *,
    peak: float,
    kind: ScheduleKind = "wsd",
    warmup: float = 0.05,
    decay: float = 0.2,
) -> npt.NDArray[np.float64]:
    """Learning rates at given fractions of the budget: linear warm-up to the peak, then one of three shapes.

    A rate that depends on the budget spent, not on the number of updates, cuts nobody off in the middle of a decay when
    agents spend different shares of the same budget on probes.

    Args:
        fraction_spent: (...,) fractions in [0, 1]; values outside are clipped.
        peak: the largest rate, > 0.
        kind: `constant` stays at the peak; `cosine` falls to 0 along half a cosine; `wsd` (warm-up, stable,
            decay) stays at the peak and falls linearly over the last `decay` of the budget.
        warmup: fraction of the budget in [0, 1) over which the rate rises from 0; the first update should be asked for
            at the fraction its own tokens will have spent, or its rate is 0.
        decay: fraction of the budget in (0, 1 - warmup] of the final fall of `wsd`.

    Returns:
        (...,) float64 rates in [0, peak].

    Raises:
        ConfigError: for an unknown kind or a value out of range.

    Source: cosine, Loshchilov & Hutter 2017 (arXiv:1608.03983); wsd, Hu et al. 2024 (arXiv:2404.06395).
    """
    _check(peak=peak, kind=kind, warmup=warmup, decay=decay)
    spent = np.clip(np.asarray(fraction_spent, dtype=np.float64), 0.0, 1.0)
    rise = np.minimum(spent, warmup) / warmup if warmup > 0 else np.ones_like(spent)
    if kind == "constant":
        shape = np.ones_like(spent)
    elif kind == "cosine":
        progress = np.clip((spent - warmup) / (1.0 - warmup), 0.0, 1.0)
        shape = 0.5 * (1.0 + np.cos(np.pi * progress))
    else:
        shape = np.minimum(1.0 - spent, decay) / decay
    rates: npt.NDArray[np.float64] = peak * np.minimum(rise, shape)
    return rates


def _check(*, peak: float, kind: str, warmup: float, decay: float) -> None:
    if kind not in get_args(ScheduleKind):
        raise ConfigError(f"schedule kind must be one of {', '.join(get_args(ScheduleKind))}, not {kind!r}")
    if not (np.isfinite(peak) and peak > 0):
        raise ConfigError(f"peak learning rate must be a positive number, not {peak}")
    if not 0 <= warmup < 1:
        raise ConfigError(f"warmup must be a fraction of the budget in [0, 1), not {warmup}")
    if not 0 < decay <= 1:
        raise ConfigError(f"decay must be a fraction of the budget in (0, 1], not {decay}")
    if kind == "wsd" and warmup + decay > 1:
        raise ConfigError(f"warmup + decay must be at most 1, not {warmup} + {decay}")
