"""Exponentiated gradient on how well each task's Adam step serves the target: ours, and full information."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from curriculum_rl.agents.mixers.rule import Feedback, alignments, known, move, renew, smoothed, softmax
from curriculum_rl.agents.rule import Floats, State, check


@dataclass(frozen=True)
class Alignment:
    """log w += step m, m the moving average, corrected for its start, of each task's alignment.

    Shares are (1 - exploration) softmax(log w) + exploration / K.

    The alignment of task i is what, to first order, an Adam step along its gradient takes off the target's loss,
    <g_i, g_target / sqrt(v)>, over the mean size of all tasks'; or, with `cosine`, the cosine. A cosine divides by the
    root of a task's own square, which from a few rows is often near 0 or below it, and then is 1 or -1 by chance.
    Every task's alignment is seen at every measurement, so nothing needs exploring; the floor is there because a task's
    use may come later.

    Source:
        Ours. Kivinen & Warmuth (1997), Exponentiated gradient versus gradient descent for linear predictors; the bias
        correction is that of Kingma & Ba (2015), Adam. Unlike DoGE, MultiDDS and META-TARTAN the products are
        preconditioned as the learner's steps are. The numbers were not tuned.

    Attributes:
        step: the learning rate of the log weights, > 0.
        decay: what is kept of the moving average at each measurement, in [0, 1).
        exploration: the share that is spread evenly, in [0, 1].
        cosine: take cosines.
    """

    signals: ClassVar[tuple[str, ...]] = ("adam_products",)
    step: float = 1.0
    decay: float = 0.7
    exploration: float = 0.1
    cosine: bool = False

    def __post_init__(self) -> None:
        """Check the settings."""
        check("step", self.step, above=0)
        check("decay", self.decay, least=0, most=1 - 1e-9)
        check("exploration", self.exploration, least=0, most=1)

    def start(self, seeds: int, arms: int) -> State:
        """Even weights."""
        return {
            "logits": np.zeros((seeds, arms)),
            "average": np.zeros((seeds, arms)),
            "weight": np.zeros(seeds),
        }

    def mixture(self, state: State) -> Floats:
        """(S, K) weights and the floor."""
        return smoothed(softmax(state["logits"]), self.exploration)

    def update(self, state: State, feedback: Feedback) -> None:
        """One multiplicative step."""
        average, weight = state["average"], state["weight"]
        average += (1 - self.decay) * (self._aligned(known(feedback.signals["adam_products"])) - average)
        weight += (1 - self.decay) * (1 - weight)
        move(state["logits"], self.step * average / weight[:, None])

    def _aligned(self, products: Floats) -> Floats:
        if self.cosine:
            return alignments(products)
        met = products[:, :-1, -1]
        size = np.abs(met).mean(axis=1, keepdims=True)
        relative: Floats = np.divide(met, size, out=np.zeros_like(met), where=size > 0)
        return relative

    def next_run(self, state: State, ended: npt.NDArray[np.bool_]) -> None:
        """Forget."""
        renew(state, self.start(1, state["logits"].shape[1]), ended)


@dataclass(frozen=True)
class AutoAlignment(Alignment):
    """The same with a longer step, for measurements that are far apart.

    Tried on `almanac-small` alone (benchmarks say how it does elsewhere).

    Source:
        Ours.
    """

    step: float = 3.0
