"""DoGE: a proxy run weights tasks by how their gradients meet the target's; later runs use its mean mixture."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from curriculum_rl.agents.mixers.rule import Feedback, known, move
from curriculum_rl.agents.rule import Floats, State, check, softmax


@dataclass(frozen=True)
class DoGE:
    """First run: log w_j += (rate / mu) clip(W_j / n, -clip, clip); then the mean of that run's mixtures.

    W_j = <g_j, g_target>, and n is the mean norm of the tasks' gradients.

    `universal` takes W_j = <g_j, sum of all tasks' gradients> instead, and sees nothing of the target. A run in which
    nothing was measured does not count.

    Known defects of the released code (src/trainer.py) that are not here: it means to leave a task's product with
    itself out of the sum, but compares sets of tensors, which are never equal, so it never does (our squares come from
    separate rows and have no noise of their own to leave out, so the paper's sum over all tasks stands); it clips W
    to [0, 5], which ignores that a task harms; and where it computes losses per token, gradients of one task add up
    into the next one's. Its division by the mean norm, which the paper does not have, is kept: it makes mu mean the
    same for any learner. Our reading: w is the share of rows, where the paper weights losses; `rate` is the learning
    rate, which no rule sees, and one measurement stands for one of the proxy's steps.

    Source:
        Fan, Pagliardini & Jaggi (2023), DoGE: domain reweighting with generalization estimation, arXiv 2310.15393,
        algorithm 1; mu .01 (config/doge.json; the class's default is .05), clip 5 (`dw_max`), rate 5e-4.

    Attributes:
        rate: the learning rate that products are multiplied with, > 0.
        mu: the weight of the distance between successive weights, > 0.
        clip: the largest size of W / n, > 0.
        universal: weight for all tasks, not for the target.
    """

    signals: ClassVar[tuple[str, ...]] = ("products",)
    across_runs: ClassVar[bool] = True
    rate: float = 5e-4
    mu: float = 0.01
    clip: float = 5.0
    universal: bool = False

    def __post_init__(self) -> None:
        """Check the settings."""
        for name in ("rate", "mu", "clip"):
            check(name, getattr(self, name), above=0)

    def start(self, seeds: int, arms: int) -> State:
        """The first stage, even weights."""
        return {
            "logits": np.zeros((seeds, arms)),
            "total": np.zeros((seeds, arms)),
            "mixed": np.zeros(seeds),
            "static": np.zeros(seeds, bool),
        }

    def mixture(self, state: State) -> Floats:
        """(S, K) by each run's stage."""
        mean = state["total"] / np.maximum(state["mixed"], 1)[:, None]
        return np.where(state["static"][:, None], mean, softmax(state["logits"]))

    def update(self, state: State, feedback: Feedback) -> None:
        """One multiplicative step in the first stage, nothing after it."""
        learning = ~state["static"][:, None]
        products = known(feedback.signals["products"])
        tasks = products[:, :-1, :-1]
        met = tasks.sum(axis=2) if self.universal else products[:, :-1, -1]
        norms = np.sqrt(np.maximum(np.einsum("sii->si", tasks), 0)).mean(axis=1, keepdims=True)
        scores = np.clip(met / (norms + 1e-6), -self.clip, self.clip)
        move(state["logits"], self.rate / self.mu * scores * learning)
        state["total"] += softmax(state["logits"]) * learning
        state["mixed"] += learning[:, 0]

    def needs(self, state: State) -> tuple[str, ...]:
        """Nothing once all runs play the static mixture."""
        return () if state["static"].all() else self.signals

    def next_run(self, state: State, ended: npt.NDArray[np.bool_]) -> None:
        """The static stage for the runs in which something was measured."""
        state["static"] |= ended & (state["mixed"] > 0)
