"""Classes named `module:Class`: by a section of the schema, or the user's own by him."""

import importlib
import inspect
import re
from collections.abc import Mapping
from typing import Any, ClassVar, Protocol

from curriculum_rl.errors import ConfigError, wrong


class Section(Protocol):
    """What an environment file says of an object of the user's own (`curriculum_rl.schema.Custom`)."""

    @property
    def kind(self) -> str:
        """`module:Class`."""
        ...

    @property
    def options(self) -> Mapping[str, Any]:
        """Arguments of the class."""
        ...


def load(spec: str, key: str) -> Any:
    """What `module:Class` names; an error that the module raises while it is imported is its own, and shown as it is.

    Args:
        spec: an importable module, a colon, and a name in it.
        key: what the user wrote it under, for messages.

    Raises:
        ConfigError: where it is no such pair, or there is no such module, or no such name in it.
    """
    if not re.fullmatch(r"[\w.]+:\w+", spec):
        raise wrong(key, spec, "module:Class")
    place, _, name = spec.partition(":")
    try:
        module = importlib.import_module(place)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{place}.".startswith(f"{error.name}."):
            raise  # of what the module imports
        raise ConfigError(f"{key}: {spec!r}: there is no module {error.name!r}") from None
    if not hasattr(module, name):
        raise ConfigError(f"{key}: {spec!r}: {getattr(module, '__file__', place)} has no {name!r}")
    return getattr(module, name)


def make(found: Any, spec: str, key: str, arguments: Mapping[str, Any]) -> Any:
    """Call what `load` found; an error that it raises itself is its own, and shown as it is.

    Raises:
        ConfigError: where it cannot be called with these arguments.
    """
    if not callable(found):
        raise ConfigError(f"{key}: {spec!r} is no class, but {type(found).__name__}")
    try:
        inspect.signature(found).bind(**arguments)
    except TypeError as error:
        raise ConfigError(f"{key}: {spec!r} does not take these arguments: {error}") from None
    return found(**arguments)


def custom(section: Section, **context: Any) -> Any:
    """Make the user's own object: `module:Class` called with the section's other keys and what the context offers.

    Raises:
        ConfigError: if the module or the class cannot be found, or does not take these arguments.
    """
    return make(load(section.kind, "kind"), section.kind, "kind", {**context, **section.options})


class BuiltIn(Protocol):
    """What an environment file says of an object of this package (`curriculum_rl.schema.KindSection`)."""

    builds: ClassVar[str]


def built_in(section: BuiltIn) -> Any:
    """The class, or function, that a section names."""
    return load(section.builds, "builds")


def require(made: object, wanted: type, key: str) -> Any:
    """An object of the user's own that has all that a protocol asks of it.

    Args:
        made: the object.
        wanted: the protocol.
        key: what the user wrote it under, for the message.

    Raises:
        ConfigError: naming what it lacks.
    """
    asked = {*wanted.__annotations__, *(name for name in vars(wanted) if name == "__call__" or name[0] != "_")}
    missing = sorted(name for name in asked if not hasattr(made, name))
    if missing:
        place = f"{wanted.__module__}.{wanted.__name__}"
        raise ConfigError(f"{key}: {type(made).__name__} lacks {', '.join(missing)} ({place})")
    return made
