"""What an environment says beside observation and reward: the contract between envs, agents and whoever records.

Shape letter: K tasks, in the order of `ResetInfo.tasks`, whatever order the agent sees them in.
"""

from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict, cast

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class TaskInfo(TypedDict):
    """What agents are told of every task when a run begins.

    Attributes:
        divergence: (K,) of each task's text from the target's, bits.
        corpus_tokens: (K,) how long each task's corpus is.
        target_objective: (K,) 1 where a task's objective is the target's own, else 0.
        target_signal: (K,) 1 for the task that trains on the target's signal split, else 0.
        prior: (K,) shares from the texts alone (`curriculum_rl.priors`), where the target has a prior.
    """

    divergence: Floats
    corpus_tokens: Floats
    target_objective: Floats
    target_signal: Floats
    prior: NotRequired[Floats]


class ResetInfo(TypedDict):
    """The info of `reset`. Environments without a language model say `tasks` and `order` alone.

    Attributes:
        tasks: K names.
        seed: of the run.
        divergence, corpus_tokens, target_objective, target_signal, prior: see `TaskInfo`.
        order: (K,) the agent's i-th task is `tasks[order[i]]`; only under `action.permute`.
    """

    tasks: tuple[str, ...]
    seed: NotRequired[int]
    divergence: NotRequired[Floats]
    corpus_tokens: NotRequired[Floats]
    target_objective: NotRequired[Floats]
    target_signal: NotRequired[Floats]
    prior: NotRequired[Floats]
    order: NotRequired[Ints]


class SegmentInfo(TypedDict):
    """The info of `step`. No wall times: the same seed and actions give the same info.

    Attributes:
        gain: the proxy's score after the segment less that before it; 0 where it failed.
        score: of the proxy, higher is better.
        loss: mean training loss, nats per scored token.
        task_losses: (K,) mean training loss of each task's rows; NaN for a task that had none.
        mixture: (K,) executed shares of the segment's rows, or weights of the losses where the method weighs them.
        share: (K,) of all rows so far.
        failed: whether the segment was undone.
        budget_left: share of the budget, in [0, 1].
        epochs: (K,) passes over each task's windows so far.
        updates: optimizer steps so far.
        tokens: that the learner was trained on so far.
        learning_rate: of the last update.
        ledger: tokens and FLOPs so far, by purpose.
        inner_drop: nats that inner steps take off the loss of rows that they did not read (method `priming`).
        signals: by name, each (K,), (K+1, K+1) or a number, where they were asked for and paid.
        order: as in `ResetInfo`.
        final: scores of the final learner for people, in the terminating step.
    """

    gain: float
    score: float
    loss: float
    task_losses: Floats
    mixture: Floats
    share: Floats
    failed: bool
    budget_left: float
    epochs: NotRequired[Floats]
    updates: NotRequired[int]
    tokens: NotRequired[int]
    learning_rate: NotRequired[float]
    ledger: NotRequired[dict[str, dict[str, float]]]
    inner_drop: NotRequired[float]
    signals: NotRequired[Mapping[str, Floats]]
    order: NotRequired[Ints]
    final: NotRequired[dict[str, Any]]


def plain(info: ResetInfo | SegmentInfo) -> dict[str, Any]:
    """The same object, as Gymnasium's and stable-baselines3's types want it."""
    return cast("dict[str, Any]", info)
