"""Numbers of a section: Python counts with booleans, and with whole numbers of any size; a setting does neither."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal, get_args, get_origin

from curriculum_rl.errors import wrong
from curriculum_rl.schema.keys import joined
from curriculum_rl.schema.scalars import LARGEST


def check(values: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """See that numbers are given where the types want numbers.

    Args:
        values: by key.
        wanted: the annotated type of each key.

    Raises:
        ConfigError: naming the first that is a boolean, or beyond `LARGEST`.
    """
    for key in values.keys() & wanted.keys():
        types = _inside(wanted[key])
        for place, value in _leaves(values[key], (key,)) if types & {int, float} else ():
            if isinstance(value, bool) and bool not in types:
                raise wrong(joined(place), value, "a number")
            if isinstance(value, int) and abs(value) > LARGEST:
                raise wrong(joined(place), value, "a smaller number")


def _inside(wanted: Any) -> set[Any]:
    """The types that a type is made of."""
    if get_origin(wanted) is Literal:
        return {type(value) for value in get_args(wanted)}
    parts = get_args(wanted)[:1] if hasattr(wanted, "__metadata__") else get_args(wanted)
    return {one for part in parts for one in _inside(part)} if parts else {wanted}


def _leaves(value: Any, key: tuple[int | str, ...]) -> Iterator[tuple[tuple[int | str, ...], Any]]:
    """What stands in lists and mappings, each with its place."""
    if isinstance(value, Mapping):
        inside: Any = value.items()
    elif isinstance(value, list | tuple):
        inside = enumerate(value)
    else:
        yield key, value
        return
    for name, one in inside:
        yield from _leaves(one, (*key, name))
