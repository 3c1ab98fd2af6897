"""The end of a run that may train on the target's signal split: when it begins.

Shape letters: S runs, K tasks.
"""

import numpy as np
import numpy.typing as npt

from curriculum_rl.agents.rule import Floats, State

LAST = 0.2
"""Share of the budget, where nothing else is asked for: the best of .1, .15 and .2, alone or in half of every batch
(docs/log.md)."""
PASSES = 15.0
"""Over the windows of the signal split in a run, at most."""
_ROUNDING = 1e-6


def start(runs: int, arms: int) -> State:
    """No task on the signal split is known."""
    return {
        "target_signal": np.zeros((runs, arms)),
        "corpus_tokens": np.zeros((runs, arms)),
        "epochs": np.zeros((runs, arms)),
        "before": np.zeros(runs),  # share of the budget spent when the last segment began
        "begun": np.ones(runs),  # share at which the finish began
        "limit": np.full(runs, PASSES),
    }


def ends(state: State, last: float) -> npt.NDArray[np.bool_]:
    """(S,) whether the next segment belongs to the finish.

    It begins with the first segment that would end in the last part of the budget, or as much later as its batches,
    at the rate at which tokens were read so far, need for the limit of passes.

    Args:
        state: of the rule.
        last: the last part, share of the budget.
    """
    spent, signal = state["spent"], state["target_signal"]
    # The next segment is taken to be as long as the last one; rounding must not make one more of them.
    end = np.minimum(2 * spent - state["before"], 1.0)
    due = (end - _ROUNDING > 1 - last) | (spent + _ROUNDING >= 1 - last)
    read = (signal * state["epochs"]).sum(axis=1)
    fits = (1 - spent) * _passes_of_budget(state) <= state["limit"] - read + _ROUNDING
    begun = state["begun"] < 1
    ending: npt.NDArray[np.bool_] = signal.any(axis=1) & (begun | (due & fits)) & (read < state["limit"])
    return ending if last > 0 else np.zeros_like(ending)


def late(state: State, last: float) -> npt.NDArray[np.bool_]:
    """(S,) whether the limit of passes has made the finish shorter by more than a segment."""
    length = state["spent"] - state["before"]
    later: npt.NDArray[np.bool_] = (state["begun"] < 1) & (state["begun"] > 1 - last + length)
    return later


def _passes_of_budget(state: State) -> Floats:
    """(S,) passes over the signal split that the whole budget would be; 0 where nothing is known of them."""
    tokens = (state["epochs"] * state["corpus_tokens"]).sum(axis=1)
    one = state["spent"] * (state["target_signal"] * state["corpus_tokens"]).sum(axis=1)
    passes: Floats = np.divide(tokens, one, out=np.zeros_like(tokens), where=one > 0)
    return passes
