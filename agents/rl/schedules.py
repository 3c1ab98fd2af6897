"""Options that may change while an agent learns: a number, or stable-baselines3's straight line between two."""

from collections.abc import Mapping
from typing import Any

from stable_baselines3.common.utils import ConstantSchedule, FloatSchedule, LinearSchedule

from curriculum_rl.agents.rule import check
from curriculum_rl.errors import ConfigError

_LINE = ("start", "end", "end_fraction")


def check_schedule(name: str, value: Any, bounds: Mapping[str, Any]) -> None:
    """See that an option is a number in its bounds, or a `LinearSchedule` from one to another, 0 at the least.

    Raises:
        ConfigError: for anything else; a function among it, which no file can hold.
    """
    if type(value) is LinearSchedule:
        for part, limits in zip(_LINE, (bounds, {"least": 0}, {"above": 0, "most": 1}), strict=True):
            check(f"{name}: {part}", getattr(value, part), **limits)
    elif callable(value):
        raise ConfigError(
            f"{name}: {type(value).__name__} cannot be saved; a number, or stable_baselines3.common.utils."
            "LinearSchedule(start, end, end_fraction)"
        )
    else:
        check(name, value, **bounds)


def describe(value: Any) -> Any:
    """A number as it is, a schedule as plain values.

    Raises:
        TypeError: for a schedule that is neither a number nor a straight line.
    """
    while type(value) is FloatSchedule:
        value = value.value_schedule
    if type(value) is ConstantSchedule:
        return value.val
    if type(value) is LinearSchedule:
        return {"linear": {part: getattr(value, part) for part in _LINE}}
    if callable(value):
        raise TypeError(f"the schedule {value!r} is neither a number nor a straight line")
    return value


def from_description(value: Any) -> Any:
    """What `describe` was given, but for stable-baselines3's wrapping of it.

    Raises:
        ValueError: where it describes none; also TypeError and KeyError.
    """
    if not isinstance(value, dict):
        return value
    if value.keys() != {"linear"}:
        raise ValueError(f"{sorted(value)} is no schedule")
    return LinearSchedule(**value["linear"])
