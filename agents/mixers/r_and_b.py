"""R&B's balance step: a softmax over how the tasks' gradients meet the gradient of what is evaluated."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from curriculum_rl.agents.mixers.rule import Feedback, known
from curriculum_rl.agents.rule import Floats, State, check, softmax


@dataclass(frozen=True)
class RAndB:
    """p = softmax(sharpness G q / |G q|), from the last measurement alone: the paper's rule is not cumulative.

    G_ij = <g_i, g_j>, and q is the evaluated mixture: the target (G q is then the products with its gradient), or, with
    `blind`, even over the tasks. Two shares never differ by more than a factor of e^(sqrt(2) sharpness). The paper's
    other half, regrouping the data into clusters, is left to the user's tasks: its evaluation loss is over the new
    groups, which makes its figures no figures of the rule alone. Our reading: gradients of all parameters from rows of
    their own, where the paper takes the last layer's from training; `sharpness` 1 is ours.

    Source:
        Ge et al. (2025), R&B: domain regrouping and data mixture balancing for efficient foundation model training,
        arXiv 2505.00358, algorithm 1.

    Attributes:
        sharpness: lambda, > 0.
        blind: evaluate on all tasks, not on the target.
    """

    signals: ClassVar[tuple[str, ...]] = ("products",)
    sharpness: float = 1.0
    blind: bool = False

    def __post_init__(self) -> None:
        """Check the settings."""
        check("sharpness", self.sharpness, above=0)

    def start(self, seeds: int, arms: int) -> State:
        """Even."""
        return {"logits": np.zeros((seeds, arms))}

    def mixture(self, state: State) -> Floats:
        """(S, K) softmax."""
        return softmax(state["logits"])

    def update(self, state: State, feedback: Feedback) -> None:
        """Replace the logits."""
        products = known(feedback.signals["products"])
        met = products[:, :-1, :-1].mean(axis=2) if self.blind else products[:, :-1, -1]
        length = np.linalg.norm(met, axis=1, keepdims=True)
        state["logits"][:] = self.sharpness * np.divide(met, length, out=np.zeros_like(met), where=length > 0)
