"""Skill-it: tasks that teach the skills whose losses are high, by a graph of who teaches whom."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from curriculum_rl.agents.mixers.rule import Feedback, known, least_if_missing
from curriculum_rl.agents.rule import Floats, State, check, softmax


@dataclass(frozen=True)
class SkillIt:
    """p_j in proportion to exp(step sum_i A_ji (sum of the last `window` losses of task i)), afresh each time.

    A_ji, how much training on task j teaches task i, is the mean of the first `graphs` measurements of `transfer`, what
    a few updates on j alone take off the held-out loss of i; negative entries become 0, and the largest is 1, as in the
    graphs that the released code is given by hand (1 on its diagonal, .5 for an edge). That A is measured in the run
    itself, and so scaled, is our reading: the paper learns it beforehand from separate runs, and the code that does so
    was not released. A loss that is missing repeats the task's last one.

    Source:
        Chen et al. (2023), Skill-it! A data-driven skills framework for understanding and training language models,
        arXiv 2307.14430, algorithm 1 (`trainer/mw_trainer.py`); window 3; step .1 is that of its addition runs, .5 that
        of LEGO.

    Attributes:
        step: eta, > 0.
        window: measurements whose losses are summed, at least 1.
        graphs: measurements that A is the mean of, at least 1.
        normalise: divide each task's losses by its first one (`normalize_loss`).
    """

    signals: ClassVar[tuple[str, ...]] = ("heldout_loss", "transfer")
    step: float = 0.1
    window: int = 3
    graphs: int = 3
    normalise: bool = False

    def __post_init__(self) -> None:
        """Check the settings."""
        check("step", self.step, above=0)
        check("window", self.window, least=1)
        check("graphs", self.graphs, least=1)

    def start(self, seeds: int, arms: int) -> State:
        """No graph, no losses."""
        return {
            "graph": np.zeros((seeds, arms, arms)),
            "measured": np.zeros(seeds),
            "losses": np.zeros((seeds, int(self.window), arms)),
            "first": np.zeros((seeds, arms)),
        }

    def mixture(self, state: State) -> Floats:
        """(S, K) softmax; even before the first measurement."""
        graph = np.maximum(state["graph"], 0.0)
        largest = graph.max(axis=(1, 2), keepdims=True)
        graph = np.divide(graph, largest, out=np.zeros_like(graph), where=largest > 0)
        losses = state["losses"].sum(axis=1)
        if self.normalise:
            losses = np.divide(losses, state["first"], out=np.zeros_like(losses), where=state["first"] > 0)
        return softmax(self.step * np.einsum("sji,si->sj", graph, losses))

    def update(self, state: State, feedback: Feedback) -> None:
        """Average the graph while it is measured, and keep the losses."""
        losses = known(feedback.signals["heldout_loss"], state["losses"][:, -1])
        state["losses"][:] = np.concatenate([state["losses"][:, 1:], losses[:, None]], axis=1)
        np.copyto(state["first"], losses, where=state["first"] == 0)
        if "transfer" not in feedback.signals:
            return
        learning = state["measured"] < self.graphs
        state["measured"] += learning
        found = least_if_missing(feedback.signals["transfer"])
        share = np.where(learning, 1 / np.maximum(state["measured"], 1), 0.0)
        state["graph"] += share[:, None, None] * (found - state["graph"])

    def needs(self, state: State) -> tuple[str, ...]:
        """No more transfers once the graph is known."""
        return ("heldout_loss",) if (state["measured"] >= self.graphs).all() else self.signals
