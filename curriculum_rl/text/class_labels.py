"""Class labels of a `datasets` column, which are stored as numbers, by name."""

from collections.abc import Mapping
from typing import Any

from curriculum_rl.errors import ConfigError

_NONE = -1  # what hub test sets have in place of a label


def names_of(feature: Any) -> list[str] | None:
    """The names of a column of class labels or of lists of them; None for any other column."""
    names = getattr(feature, "names", None) or getattr(getattr(feature, "feature", None), "names", None)
    return None if names is None else [str(name) for name in names]


def named(row: Mapping[str, Any], names: Mapping[str, list[str]], place: str) -> dict[str, Any]:
    """A row with names in place of numbers.

    Args:
        row: Of the columns that are read.
        names: Those of each column of class labels.
        place: For errors.

    Raises:
        ConfigError: A number has no name, or only some of a list have one.
    """
    return {**row, **{column: _named(row[column], known, f"{column!r} in {place}") for column, known in names.items()}}


def _named(value: Any, names: list[str], where: str) -> Any:
    if isinstance(value, list):
        found = [_named(number, names, where) for number in value]
        if None in found and any(name is not None for name in found):
            raise ConfigError(f"label_field: some words have a tag and others have none, {where}")
        return None if None in found else found
    if value is None or value == _NONE:
        return None
    if not 0 <= value < len(names):
        raise ConfigError(f"label_field: {value} is none of {len(names)} classes, {where}")
    return names[value]


def name_wanted(wanted: str | int | bool, names: list[str] | None) -> str | int | bool:
    """What `where` wants of a column, by name where it gives the number of a class."""
    if names is None or isinstance(wanted, bool) or str(wanted) in names or not str(wanted).isdecimal():
        return wanted
    return names[int(wanted)] if int(wanted) < len(names) else wanted
