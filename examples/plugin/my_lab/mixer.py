"""A data mixer's rule: measurements in, a mixture out; the shell of `curriculum_rl` makes an agent of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from curriculum_rl.agents.mixers.rule import Feedback, StoredMixture, known
from curriculum_rl.agents.rule import State, check

SPREAD = "my_lab.signal:Spread"


@dataclass(frozen=True)
class BySpread(StoredMixture):
    """Shares follow the spread of a task's losses: what is learned in some places and not yet in others.

    Attributes:
        signals: what the environment measures for it, and charges; a name of the docs, or `module:Class`.
        entry: what does not follow from its kind: it looks at nothing of the target.
        step: how far a measurement moves the shares, in (0, 1].
    """

    signals: ClassVar[tuple[str, ...]] = (SPREAD,)
    entry: ClassVar[Mapping[str, Any]] = {"sees_target": False}
    step: float = 0.5

    def __post_init__(self) -> None:
        """Check the settings."""
        check("step", self.step, above=0, most=1)

    def start(self, seeds: int, arms: int) -> State:
        """Even shares (S runs, K tasks)."""
        return {"mixture": np.full((seeds, arms), 1 / arms)}

    def update(self, state: State, feedback: Feedback) -> None:
        """Move, in place, towards shares in proportion to (S, K) spreads; a missing one counts as 0."""
        spread = np.abs(known(feedback.signals[SPREAD])) + 1e-9
        state["mixture"] += self.step * (spread / spread.sum(axis=1, keepdims=True) - state["mixture"])
