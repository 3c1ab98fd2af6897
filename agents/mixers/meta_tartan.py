"""META-TARTAN: the logit of each task moves by the cosine of its gradient with the target's."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from curriculum_rl.agents.mixers.rule import Feedback, alignments, known, move
from curriculum_rl.agents.rule import Floats, State, check, softmax


@dataclass(frozen=True)
class MetaTartan:
    """z_i += step cos(g_i, g_target); shares are softmax(z): plain gradient steps, the softmax's Jacobian left out.

    Our reading for a scheduler: weights are shares of rows (the paper weights losses), the target's gradient is that of
    its own objective on its signal split (the paper fits a fresh classifier head on a development sample first), and
    the cosine is over all parameters (the released text code counts a task's own head in a gradient's norm but not in
    the product, which makes masked-LM cosines too small). Where the environment's method is `tartan`, the weights are
    those of losses and the cosines are with the gradient of a fresh head.

    Source:
        Dery, Michel, Talwalkar & Neubig (2022), Should we be pre-training? An argument for end-task aware training as
        an alternative, arXiv 2109.07437, section 4; step .05 is that of the released vision code
        (simple_vision_tartan), 1e-2 that of its text runs.

    Attributes:
        step: the learning rate of the logits, > 0.
    """

    signals: ClassVar[tuple[str, ...]] = ("products",)
    step: float = 0.05

    def __post_init__(self) -> None:
        """Check the settings."""
        check("step", self.step, above=0)

    def start(self, seeds: int, arms: int) -> State:
        """Even logits."""
        return {"logits": np.zeros((seeds, arms))}

    def mixture(self, state: State) -> Floats:
        """(S, K) softmax of the logits."""
        return softmax(state["logits"])

    def update(self, state: State, feedback: Feedback) -> None:
        """One step."""
        move(state["logits"], self.step * alignments(known(feedback.signals["products"])))
