"""Asking an env for per-task signals."""

from collections.abc import Sequence
from typing import Any


def offers_signals(env: Any, names: Sequence[str]) -> bool:
    """Ask the replicas of a VecEnv to measure signals from now on; False where they measure none.

    Raises:
        ConfigError: where they do, but not these, or the budget does not pay for them.
    """
    try:
        env.env_method("request_signals", tuple(names))
    except AttributeError:
        return False
    return True
