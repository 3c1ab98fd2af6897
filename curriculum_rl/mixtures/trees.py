"""Gradient-boosted trees by LightGBM, with the settings of RegMix.

Shape letters: R runs, K tasks, M losses.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from curriculum_rl.errors import ConfigError
from curriculum_rl.mixtures.interval import LEVEL

Floats = npt.NDArray[np.float64]

_QUANTILE_ROUNDS = 300
_PUBLISHED = {"objective": "regression", "num_iterations": 1000, "learning_rate": 0.01, "seed": 42}
_LEAF, _RUNS_A_LEAF = 20, 12
# Nothing is drawn (no bagging, no sampling of features), and one thread adds up in one order.
_EXACT = {"num_threads": 1, "deterministic": True, "force_row_wise": True, "verbosity": -1}


@dataclass(frozen=True)
class Trees:
    """1,000 trees for each loss, at rate .01, of up to 31 leaves; a prediction is constant between splits.

    A leaf holds at least 20 runs, LightGBM's default and what was published for 512; where there are fewer than 240
    runs it holds a twelfth of them: with 20 of 64 a tree would have three leaves (docs/laws.md has both
    measured). All trees are used: the released code stops early on the very runs that it reports on.

    Source:
        Liu et al. (2024), RegMix, arXiv 2407.01492; github.com/sail-sg/regmix, regression_fitting/regression.ipynb.
        Ke et al. (2017), LightGBM.

    Attributes:
        boosters: M of them.
    """

    least_runs: ClassVar[int] = 24
    boosters: Sequence[Any]

    @classmethod
    def fit(cls, mixtures: Floats, losses: Floats) -> Self:
        """Fit each loss (R, M) of mixtures (R, K).

        Raises:
            ConfigError: LightGBM cannot be imported.
        """
        return cls(tuple(boosted(mixtures, loss) for loss in losses.T))

    @staticmethod
    def quantiles(mixtures: Floats, residuals: Floats) -> Callable[[Floats], Floats]:
        """Quantile trees: from (..., K) shares to (2, ...) quantiles of residuals at the ends of an interval."""
        tails = (1 - LEVEL) / 2, (1 + LEVEL) / 2
        quantile: dict[str, Any] = {"objective": "quantile", "num_iterations": _QUANTILE_ROUNDS}
        ends = Trees([boosted(mixtures, residuals, alpha=tail, **quantile) for tail in tails])
        return partial(_sorted, ends)

    def predict(self, mixtures: Floats) -> Floats:
        """(..., K) shares -> (..., M) losses."""
        rows = mixtures.reshape(-1, mixtures.shape[-1])
        found = np.stack([booster.predict(rows, num_threads=1) for booster in self.boosters], axis=-1)
        losses: Floats = found.reshape(*mixtures.shape[:-1], len(self.boosters))
        return losses


def _sorted(ends: Trees, mixtures: Floats) -> Floats:
    """(..., K) shares -> (2, ...): quantiles that were fitted apart may cross."""
    return np.sort(np.moveaxis(ends.predict(mixtures), -1, 0), axis=0)


def boosted(mixtures: Floats, loss: Floats, **settings: Any) -> Any:
    """One booster, fitted to a loss (R,) of mixtures (R, K); settings are LightGBM's, in place of the published."""
    library = lightgbm()
    leaf = max(1, min(_LEAF, len(loss) // _RUNS_A_LEAF))
    chosen = {**_PUBLISHED, "min_data_in_leaf": leaf, **settings, **_EXACT}
    rounds = chosen.pop("num_iterations")
    return library.train(chosen, library.Dataset(mixtures, loss, params=_EXACT), num_boost_round=rounds)


def lightgbm() -> Any:
    """The library.

    Raises:
        ConfigError: it is not installed, or the system lacks what it needs.
    """
    try:
        import lightgbm
    except ImportError as error:
        raise ConfigError("law: trees need LightGBM: pip install 'curriculum-rl[laws]', or law: ridge") from error
    except OSError as error:  # its wheel has no OpenMP of its own
        raise ConfigError(f"law: trees need LightGBM, which cannot be loaded: {str(error).splitlines()[0]}") from error
    return lightgbm
