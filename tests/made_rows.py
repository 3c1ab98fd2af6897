"""Made-up rows of a run whose policy drifts towards one task: what the recording tests record."""

from typing import Any

import numpy as np

TOKENS = 1024  # learner tokens of one segment


def made_rows(count: int, *, tasks: int = 4, replicas: int = 1, start: int = 0) -> list[dict[str, Any]]:
    """Rows of segments `start` to `count - 1`, all replicas of a segment at the same tokens."""
    return [_row(segment, replica, tasks) for segment in range(start, count) for replica in range(replicas)]


def _row(segment: int, replica: int, tasks: int) -> dict[str, Any]:
    rng = np.random.default_rng([segment, replica])
    lift = np.arange(tasks) * segment / 100
    probabilities = np.exp(lift) / np.exp(lift).sum()
    action = int(rng.choice(tasks, p=probabilities))
    mixture = np.full(tasks, 0.5 / tasks)
    mixture[action] += 0.5
    losses: list[float | None] = [5.0 - 0.01 * segment + 0.1 * task for task in range(tasks)]
    losses[(action + 1) % tasks] = None
    done = segment + 1
    return {
        "segment": segment,
        "episode": 0,
        "replica": replica,
        "tokens": done * TOKENS,
        "updates": done * 4,
        "action": action,
        "probabilities": probabilities.tolist(),
        "mixture": mixture.tolist(),
        "share": mixture.tolist(),
        "gain": 0.1 / done,
        "reward": 1.0 / done + replica,
        "score": -5.0 + 0.1 * np.log1p(segment),
        "loss": 5.0 - 0.01 * segment,
        "task_losses": losses,
        "learning_rate": 1e-3,
        "failed": False,
        "budget_left": 1 - done / 1000,
        "ledger": {"train": {"tokens": done * TOKENS, "flops": done * 1e9}, "proxy": {"tokens": 64, "flops": 1e7}},
        "seconds": {"train": 0.9 * done, "proxy": 0.1 * done, "report": 5.0},
    }
