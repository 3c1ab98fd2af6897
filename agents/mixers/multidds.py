"""MultiDDS-S: a softmax over tasks that climbs the expected alignment of their gradients with the target's."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from curriculum_rl.agents.mixers.rule import Feedback, alignments, known, move
from curriculum_rl.agents.rule import Floats, State, check, softmax


@dataclass(frozen=True)
class MultiDDS:
    """After a measurement, `steps` times: z_i += rate p_i (c_i - sum_j p_j c_j), p = softmax(z), c the cosines.

    That is the gradient of sum_i p_i c_i, what REINFORCE estimates by drawing tasks. The released code takes 200 Adam
    steps at 1e-4 on -sum_i c_i log p_i instead, without p_i in front unless asked, which moves any logit by at most .02
    however the tasks differ; ours are exact gradient steps, and their rate is ours. Our reading: one target (the paper
    averages the cosines with every language's dev gradient), and even shares at first (the paper's are by data size).

    Source:
        Wang, Tsvetkov & Neubig (2020), Balancing training for multilingual neural machine translation, ACL, section
        3.2 and equation 8 (MultiDDS-S); github.com/cindyxinyiwang/multiDDS, fairseq/trainer.py.

    Attributes:
        rate: of a gradient step on the logits, > 0.
        steps: gradient steps for one measurement, at least 1.
    """

    signals: ClassVar[tuple[str, ...]] = ("products",)
    rate: float = 0.1
    steps: int = 10

    def __post_init__(self) -> None:
        """Check the settings."""
        check("rate", self.rate, above=0)
        check("steps", self.steps, least=1)

    def start(self, seeds: int, arms: int) -> State:
        """Even logits."""
        return {"logits": np.zeros((seeds, arms))}

    def mixture(self, state: State) -> Floats:
        """(S, K) softmax of the logits."""
        return softmax(state["logits"])

    def update(self, state: State, feedback: Feedback) -> None:
        """Climb."""
        cosines = alignments(known(feedback.signals["products"]))
        for _ in range(int(self.steps)):
            shares = softmax(state["logits"])
            mean = (shares * cosines).sum(axis=1, keepdims=True)
            move(state["logits"], self.rate * shares * (cosines - mean))
