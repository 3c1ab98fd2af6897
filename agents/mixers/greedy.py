"""Greedy one-step look-ahead: the next segment goes to the task whose branch took most off the target's loss."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from curriculum_rl.agents.mixers.rule import Feedback, StoredMixture, best_or_softmax
from curriculum_rl.agents.rule import State, check


@dataclass(frozen=True)
class Greedy(StoredMixture):
    """All of the segment to argmax gain, ties evenly; or softmax(gain / (temperature m)), m the mean of |gain|.

    It is myopic: what pays later, or only after something else, it does not see. It is no upper bound of anything.
    A branch that exploded is never the best; with a temperature it counts as the least gain.

    Source:
        The baseline of one-step look-ahead, which each seems to define for himself; with a temperature it is close to
        the look-ahead bandit of DynamixSFT, arXiv 2508.12116. That the unit is the mean of |gain| is ours.

    Attributes:
        temperature: 0 for the best alone, else > 0, in units of the mean absolute gain.
    """

    signals: ClassVar[tuple[str, ...]] = ("look_ahead",)
    temperature: float = 0.0

    def __post_init__(self) -> None:
        """Check the settings."""
        check("temperature", self.temperature, least=0)

    def start(self, seeds: int, arms: int) -> State:
        """Even."""
        return {"mixture": np.full((seeds, arms), 1 / arms)}

    def update(self, state: State, feedback: Feedback) -> None:
        """Choose; a run none of whose branches was sound keeps what it had."""
        gains = feedback.signals["look_ahead"]
        found = ~np.isnan(gains).all(axis=1, keepdims=True)
        np.copyto(state["mixture"], best_or_softmax(gains, self.temperature), where=found)
