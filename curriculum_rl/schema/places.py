"""Paths of an environment as seen from where they were written: wherever the schema says that there is one."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from curriculum_rl.schema.base import OnDisk, OneOf
from curriculum_rl.schema.own import BesideFile

Change = Callable[[Any, str], str]
"""Of a text that the schema annotates, by its annotation."""


def of_file(folder: Path, *, trusted: bool = True) -> Change:
    """What a file in a folder names: paths are relative to it, and modules of the user's own, if any, beside it."""

    def change(mark: Any, value: str) -> str:
        if isinstance(mark, BesideFile):
            return mark.against(value, folder, bare=True) if trusted else value
        return mark.against(value, folder) if isinstance(mark, OnDisk) else value

    return change


def typed(mark: Any, value: str) -> str:
    """What somebody types, or writes in Python: relative to the working directory."""
    if isinstance(mark, BesideFile):
        return mark.against(value, Path.cwd(), bare=False)
    return mark.against(value, Path.cwd()) if isinstance(mark, OnDisk) else value


def settled(mark: Any, value: str) -> str:
    """What stands in a configuration: whether something is a path or the name on a hub was seen before."""
    return mark.against(value, Path.cwd()) if isinstance(mark, OnDisk) and mark.always else value


def changed(value: Any, wanted: Any, change: Change) -> Any:
    """A value with its annotated texts changed.

    Args:
        value: what somebody wrote.
        wanted: the type that the schema wants there; it says what is a path.
        change: what becomes of it.
    """
    origin, parts = get_origin(wanted), get_args(wanted)
    if origin is Annotated:
        value = _marked(value, parts[0], wanted.__metadata__, change)
    elif origin in (Union, UnionType):
        for part in parts:
            value = changed(value, part, change)
    elif origin is list and isinstance(value, list):
        value = [changed(one, parts[0], change) for one in value]
    elif origin is dict and isinstance(value, Mapping):
        value = {key: changed(one, parts[1], change) for key, one in value.items()}
    elif isinstance(wanted, type) and issubclass(wanted, BaseModel) and isinstance(value, Mapping):
        fields = wanted.model_fields
        value = {
            key: _marked(one, fields[key].annotation, fields[key].metadata, change) if key in fields else one
            for key, one in value.items()
        }
    return value


def _marked(value: Any, wanted: Any, marks: Iterable[Any], change: Change) -> Any:
    """`changed` of a value whose type has annotations."""
    for mark in marks:
        if isinstance(mark, OneOf):
            wanted = mark.chosen(value)
        elif isinstance(value, str):
            value = change(mark, value)
    return changed(value, wanted, change)
