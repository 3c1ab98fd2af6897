"""What a mixture ends with by one of two laws, whether it is far from all runs that the law has seen, and an interval.

Shape letters: R runs, K tasks, M losses.
"""

from collections.abc import Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Literal

import numpy as np
import numpy.typing as npt

from curriculum_rl.errors import ConfigError
from curriculum_rl.mixtures import distance
from curriculum_rl.mixtures.interval import Interval
from curriculum_rl.mixtures.ridge import Ridge
from curriculum_rl.mixtures.trees import Trees, lightgbm

Floats = npt.NDArray[np.float64]
Kind = Literal["trees", "ridge"]

LAWS: Mapping[str, type[Trees] | type[Ridge]] = MappingProxyType({"trees": Trees, "ridge": Ridge})


class MixtureLaw:
    """A law that is fitted to runs.

    `trees` (`curriculum_rl.mixtures.trees`) are as RegMix published them and need LightGBM; `ridge`
    (`curriculum_rl.mixtures.ridge`) needs nothing, and takes fewer runs. docs/laws.md has both measured. A fit
    draws nothing: the same runs give the same law.

    Args:
        kind: "trees" or "ridge".
        mixtures: (R, K) shares, rows summing to 1.
        losses: (R, M) what the runs ended with, in nats per token or any other unit.

    Raises:
        ConfigError: for another kind, too few runs, or where LightGBM cannot be imported.
    """

    def __init__(self, kind: str, mixtures: Floats, losses: Floats) -> None:
        check_law(kind, len(mixtures))
        self.kind, self.mixtures, self.losses = kind, mixtures, losses
        self._law = LAWS[kind]
        self._fitted = self._law.fit(mixtures, losses)
        self._limit = distance.limit(mixtures)

    def predict(self, mixtures: Floats) -> Floats:
        """(..., K) shares -> (..., M) losses."""
        return self._fitted.predict(mixtures)

    def bounded(self, mixtures: Floats) -> Floats:
        """`predict`, kept within the losses that runs had: where nothing was seen, nothing better is promised."""
        found: Floats = np.clip(self.predict(mixtures), self.losses.min(axis=0), self.losses.max(axis=0))
        return found

    def far(self, mixtures: Floats) -> npt.NDArray[np.bool_]:
        """(..., K) shares -> (...,) farther from all runs than these are from each other (`distance.limit`)."""
        found: npt.NDArray[np.bool_] = distance.nearest(mixtures, self.mixtures) > self._limit
        return found

    def interval(self, mixtures: Floats) -> Floats:
        """(..., K) shares -> (2, ..., M) lower and upper limits that hold nine of ten runs (`Interval`).

        The first call fits anew for every part of the runs that is left out: with 512 runs some 7 s a loss for trees.
        """
        offsets = np.stack([one.offsets(mixtures, self.far(mixtures)) for one in self._intervals], axis=-1)
        limits: Floats = self.predict(mixtures) + offsets
        return limits

    @cached_property
    def _intervals(self) -> list[Interval]:
        return [Interval.fit(self._law, self.mixtures, loss) for loss in self.losses.T]


def check_law(kind: str, runs: int) -> None:
    """See before any run that a law can be fitted after so many of them.

    Raises:
        ConfigError: for another kind, too few runs, or where LightGBM cannot be imported.
    """
    if kind not in LAWS:
        raise ConfigError(f"law: {kind!r} must be one of {', '.join(LAWS)}")
    if runs < LAWS[kind].least_runs:
        raise ConfigError(f"law: {kind!r} needs at least {LAWS[kind].least_runs} runs, and there are {runs}")
    if kind == "trees":
        lightgbm()
