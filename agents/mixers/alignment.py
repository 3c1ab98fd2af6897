"""Exponentiated gradient on how well each task's Adam step serves the target: ours, and full information."""

from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

import numpy as np
import numpy.typing as npt

from curriculum_rl.agents.mixers.rule import Feedback, alignments, known, move, smoothed
from curriculum_rl.agents.rule import Floats, State, check, softmax
from curriculum_rl.errors import ConfigError

Source = Literal["adam_products", "ghost"]


@dataclass(frozen=True)
class Alignment:
    """log w += step m, m the moving average, corrected for its start, of each task's alignment.

    Shares are (1 - exploration) softmax(log w) + exploration / K.

    The alignment of task i is what, to first order, an Adam step along its gradient takes off the target's loss,
    <g_i, g_target / sqrt(v)>, over the mean size of all tasks'; or, with `cosine`, the cosine. A cosine divides by the
    root of a task's own square, which from a few rows is often near 0 or below it, and then is 1 or -1 by chance.
    Every task's alignment is seen at every measurement of `adam_products`, so nothing needs exploring; the floor is
    there because a task's use may come later. `ghost` costs a twentieth of training at most and sees the tasks that
    were trained on, from as many rows as they had: the others keep their last average, and the floor must feed them.

    Source:
        Ours. Kivinen & Warmuth (1997), Exponentiated gradient versus gradient descent for linear predictors; the bias
        correction is that of Kingma & Ba (2015), Adam. Unlike DoGE, MultiDDS and META-TARTAN the products are
        preconditioned as the learner's steps are. The numbers were not tuned.

    Attributes:
        step: the learning rate of the log weights, > 0.
        decay: what is kept of the moving average at each measurement, in [0, 1).
        exploration: the share that is spread evenly, in [0, 1].
        cosine: take cosines; of `adam_products` alone.
        signal: what alignments are read from.
    """

    signals: ClassVar[tuple[str, ...]] = ("adam_products",)
    step: float = 1.0
    decay: float = 0.7
    exploration: float = 0.1
    cosine: bool = False
    signal: Source = "adam_products"

    def __post_init__(self) -> None:
        """Check the settings."""
        check("step", self.step, above=0)
        check("decay", self.decay, least=0, most=1 - 1e-9)
        check("exploration", self.exploration, least=0, most=1)
        if self.signal not in get_args(Source):
            raise ConfigError(f"signal: {self.signal!r} is not one of {', '.join(get_args(Source))}")
        if self.cosine and self.signal == "ghost":
            raise ConfigError("cosine: true; 'ghost' has no squares to make cosines with: use signal adam_products")

    def needs(self, state: State) -> tuple[str, ...]:
        """The one signal that is read."""
        return (self.signal,)

    def start(self, seeds: int, arms: int) -> State:
        """Even weights."""
        return {
            "logits": np.zeros((seeds, arms)),
            "average": np.zeros((seeds, arms)),
            "weight": np.zeros((seeds, arms)),
        }

    def mixture(self, state: State) -> Floats:
        """(S, K) weights and the floor."""
        return smoothed(softmax(state["logits"]), self.exploration)

    def update(self, state: State, feedback: Feedback) -> None:
        """One multiplicative step."""
        average, weight = state["average"], state["weight"]
        aligned, seen = self._aligned(feedback.signals[self.signal])
        average += (1 - self.decay) * np.where(seen, aligned - average, 0.0)
        weight += (1 - self.decay) * np.where(seen, 1 - weight, 0.0)
        mean = np.divide(average, weight, out=np.zeros_like(average), where=weight > 0)
        move(state["logits"], self.step * mean)

    def _aligned(self, signal: Floats) -> tuple[Floats, npt.NDArray[np.bool_]]:
        """(S, K) alignments, and of which tasks there are any."""
        seen = ~np.isnan(signal) if self.signal == "ghost" else np.ones(signal[:, :-1, -1].shape, bool)
        products = known(signal)
        if self.cosine:
            return alignments(products), seen
        met = products if self.signal == "ghost" else products[:, :-1, -1]
        total = np.abs(met).sum(axis=1, keepdims=True)
        size = total / np.maximum(seen.sum(axis=1, keepdims=True), 1)
        relative: Floats = np.divide(met, size, out=np.zeros_like(met), where=size > 0)
        return relative, seen
