"""Mixtures by the size of the corpora: in proportion to their tokens, or to a root of them."""

from dataclasses import dataclass

import numpy as np

from curriculum_rl.agents.baselines.reset_figures import FromReset
from curriculum_rl.agents.rule import Floats, Ints, State, check


@dataclass(frozen=True)
class BySize:
    """Shares in proportion to the tokens of each task's corpus; two tasks on one corpus count it twice."""

    @property
    def power(self) -> float:
        """What tokens are raised to."""
        return 1.0

    def start(self, seeds: int, arms: int) -> State:
        """All alike, until sizes are known."""
        return {"corpus_tokens": np.ones((seeds, arms))}

    def probabilities(self, state: State) -> Floats:
        """(S, K) shares."""
        tokens = state["corpus_tokens"]
        roots: Floats = (tokens / tokens.max(axis=1, keepdims=True)) ** self.power
        roots /= roots.sum(axis=1, keepdims=True)
        return roots

    def update(self, state: State, arms: Ints, rewards: Floats, probabilities: Floats) -> None:
        """Learn nothing."""


@dataclass(frozen=True)
class ByRoot(BySize):
    """Shares in proportion to tokens^(1 / temperature): 1 is size-proportional, infinity would be stratified.

    Source:
        Arivazhagan et al. 2019, Massively multilingual neural machine translation in the wild, arXiv 1907.05019,
        who settle on 5.

    Attributes:
        temperature: T, > 0.
    """

    temperature: float = 5.0

    def __post_init__(self) -> None:
        """Check the settings."""
        check("temperature", self.temperature, above=0)

    @property
    def power(self) -> float:
        """What tokens are raised to."""
        return 1 / self.temperature


class SizeProportional(FromReset):
    """In proportion to the tokens of the corpora."""

    rule_class, figure, absent = BySize, "corpus_tokens", "corpora: all are empty"


class Temperature(SizeProportional):
    """In proportion to a root of the tokens of the corpora."""

    rule_class = ByRoot
