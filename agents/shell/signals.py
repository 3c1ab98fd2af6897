"""What an env measures for an agent on request, and what its infos say of its tasks."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from curriculum_rl.agents.rule import Floats
from curriculum_rl.agents.shell.wrapping import TaskFigures


def request(env: Any, names: Sequence[str]) -> bool:
    """Ask the replicas of a VecEnv to measure signals from now on; False where they measure none.

    Raises:
        ConfigError: where they do, but not these, or the budget does not pay for them.
    """
    if not env.has_attr("request_signals"):
        return False
    env.env_method("request_signals", tuple(names))
    return True


def price(env: Any, names: Sequence[str]) -> float:
    """The share of a run's budget that one measurement of signals costs, as the replicas of a VecEnv say it."""
    return float(env.env_method("signal_price", tuple(names))[0])


def reset_infos(env: Any) -> list[dict[str, Any]]:
    """What every replica of a VecEnv said when it was last reset; nothing of no env."""
    return [] if env is None else list(env.unwrapped.reset_infos)


def task_figures(infos: list[dict[str, Any]], arms: int) -> TaskFigures | None:
    """What the reset infos of N runs over K = `arms` tasks say of these; None where there are no infos."""
    if not infos:
        return None
    found = {
        name: np.stack([seen(info, info[name], np.empty(0)) for info in infos])
        for name in TaskFigures._fields
        if name != "order" and all(name in info for info in infos)
    }
    order = np.stack([np.asarray(info.get("order", np.arange(arms))) for info in infos])
    return TaskFigures(order, **found)


def gains(infos: list[dict[str, Any]], rewards: npt.NDArray[Any], *, failed: float) -> Floats:
    """(N,) what each replica's segment gained: `info["gain"]`, else the reward; `failed` where the segment failed."""
    pairs = zip(infos, rewards, strict=True)
    return np.array([failed if info.get("failed") else float(info.get("gain", reward)) for info, reward in pairs])


def stacked(infos: list[dict[str, Any]], name: str, otherwise: Floats) -> Floats:
    """(N, K) figures of this name; the row of `otherwise` where an info has none."""
    return np.stack([seen(info, info.get(name), row) for info, row in zip(infos, otherwise, strict=True)])


def measured(infos: list[dict[str, Any]]) -> dict[str, Floats]:
    """The signals that all infos hold, by name, each with a leading dimension N."""
    names = set.intersection(*(set(info.get("signals", ())) for info in infos))
    none = np.empty(0)
    return {name: np.stack([seen(info, info["signals"][name], none) for info in infos]) for name in sorted(names)}


def seen(info: dict[str, Any], values: Any, otherwise: Floats) -> Floats:
    """Values per task in the agent's order; the target, where an axis has one more place for it, stays last."""
    if values is None:
        return otherwise
    given = np.asarray(values, np.float64)
    if "order" not in info:
        return given
    order = np.asarray(info["order"])
    places = {len(order): order, len(order) + 1: np.append(order, len(order))}
    placed: Floats = given[np.ix_(*(places[size] for size in given.shape))]
    return placed
