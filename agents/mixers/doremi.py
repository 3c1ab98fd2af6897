"""DoReMi: a reference run, a proxy run whose mixture follows the excess loss, and then that run's mean mixture."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from curriculum_rl.agents.mixers.rule import Feedback, known, move, smoothed
from curriculum_rl.agents.rule import Floats, State, check, softmax


@dataclass(frozen=True)
class DoReMi:
    """Group distributionally robust optimisation against a reference learner, over three stages, each a run.

    First run: even shares; the reference of each task is the last held-out loss that was measured.
    Second: log w_k += step max(0, loss_k - reference_k), then w <- (1 - c) softmax(log w) + c / K; w is the mixture.
    From the third on: the mean of the second run's mixtures, for the whole run. A run in which nothing was measured
    does not count.

    Our reading: excess is that of a task's mean held-out loss, where the paper clips the excess of each training token;
    the reference is the end of a run, where the paper evaluates a frozen reference model; w is the share of rows, where
    the paper samples evenly and weights losses. A loss that is missing leaves the task's last excess in place, as
    released. The released trainer's gradient accumulation steps with weights that are a step old; there is none here.

    Source:
        Xie et al. (2023), DoReMi, arXiv 2305.10429, algorithm 1: step 1, smoothing 1e-3; the released code's default
        for smoothing is 1e-4.

    Attributes:
        step: eta of the log weights, > 0.
        smoothing: c, the share that is spread evenly, in [0, 1].
    """

    signals: ClassVar[tuple[str, ...]] = ("heldout_loss",)
    across_runs: ClassVar[bool] = True
    step: float = 1.0
    smoothing: float = 1e-3

    def __post_init__(self) -> None:
        """Check the settings."""
        check("step", self.step, above=0)
        check("smoothing", self.smoothing, least=0, most=1)

    def start(self, seeds: int, arms: int) -> State:
        """The first stage."""
        state: State = {name: np.zeros((seeds, arms)) for name in ("logits", "reference", "excess", "total")}
        return state | {"stage": np.zeros(seeds, np.int64), "seen": np.zeros(seeds), "mixed": np.zeros(seeds)}

    def mixture(self, state: State) -> Floats:
        """(S, K) by each run's stage."""
        stage, mixed = state["stage"][:, None], state["mixed"][:, None]
        mean = state["total"] / np.maximum(mixed, 1)
        even = np.full_like(mean, 1 / mean.shape[1])
        return np.where(stage == 1, softmax(state["logits"]), np.where((stage > 1) & (mixed > 0), mean, even))

    def update(self, state: State, feedback: Feedback) -> None:
        """Remember the reference, or follow the excess."""
        losses = feedback.signals["heldout_loss"]
        first, second = state["stage"] == 0, state["stage"] == 1
        found = np.isfinite(losses)
        np.copyto(state["reference"], known(losses), where=found & first[:, None])
        excess = np.maximum(0.0, known(losses) - state["reference"])
        np.copyto(state["excess"], excess, where=found & second[:, None])
        move(state["logits"], self.step * state["excess"] * second[:, None])
        weights = smoothed(softmax(state["logits"]), self.smoothing)
        np.log(np.maximum(weights, 1e-300), out=state["logits"], where=second[:, None])
        state["total"] += weights * second[:, None]
        state["mixed"] += second
        state["seen"] += found.any(axis=1)

    def needs(self, state: State) -> tuple[str, ...]:
        """Nothing once all runs play the static mixture."""
        return () if (state["stage"] > 1).all() else self.signals

    def next_run(self, state: State, ended: npt.NDArray[np.bool_]) -> None:
        """The next stage of the runs in which something was measured."""
        moved = ended & (state["seen"] > 0) & (state["stage"] < 2)
        state["stage"][moved] += 1
        state["seen"][ended] = 0
