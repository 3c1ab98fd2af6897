"""The learning rate as a function of the fraction of the budget that is spent."""

import numpy as np
import numpy.typing as npt

from curriculum_rl.schema.learners import RateConfig


def learning_rate(fraction_spent: npt.ArrayLike, config: RateConfig) -> npt.NDArray[np.float64]:
    """Learning rates at given fractions of the budget: linear warm-up to the peak, then one of three shapes.

    `constant` stays at the peak; `cosine` falls to 0 along half a cosine; `wsd` (warm-up, stable, decay) stays at the
    peak and falls linearly over the last `decay` of the budget. A rate that depends on the budget spent, not on the
    number of updates, cuts nobody off in the middle of a decay when agents spend different shares of the same budget on
    probes.

    Args:
        fraction_spent: (...,) fractions in [0, 1]; values outside are clipped. The first update should be asked for at
            the fraction its own tokens will have spent, or its rate is 0.
        config: peak, shape, warm-up and decay.

    Returns:
        (...,) float64 rates in [0, peak].
    """
    spent = np.clip(np.asarray(fraction_spent, dtype=np.float64), 0.0, 1.0)
    warmup = config.warmup
    rise = np.minimum(spent, warmup) / warmup if warmup > 0 else np.ones_like(spent)
    if config.schedule == "constant":
        shape = np.ones_like(spent)
    elif config.schedule == "cosine":
        progress = np.clip((spent - warmup) / (1.0 - warmup), 0.0, 1.0)
        shape = 0.5 * (1.0 + np.cos(np.pi * progress))
    else:
        shape = np.minimum(1.0 - spent, config.decay) / config.decay
    rates: npt.NDArray[np.float64] = config.learning_rate * np.minimum(rise, shape)
    return rates
