"""Reading `learner.json`, which says what was saved in a directory."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from curriculum_rl.errors import ConfigError
from curriculum_rl.schema import files

T = TypeVar("T")


def read_json(path: Path) -> dict[str, Any]:
    """The mapping of a JSON file.

    Raises:
        ConfigError: It is not there, is no JSON or holds something else.
    """
    found: Any = files.read_json(path, str(path))
    if not isinstance(found, dict):
        raise ConfigError(f"{path} must be an object (got {type(found).__name__})")
    return found


def field(description: Mapping[str, Any], name: str, wanted: type[T], path: Path) -> T:
    """A value of the description.

    Raises:
        ConfigError: It is missing, or of another type.
    """
    value = description.get(name)
    if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
        raise ConfigError(f"{path}: {name} must be a {wanted.__name__} (got {value!r})")
    return value


def made(make: Callable[..., T], description: Mapping[str, Any], name: str, path: Path) -> T:
    """What a class makes of the mapping under a name.

    Raises:
        ConfigError: It is missing, or its keys or values are not those of the class.
    """
    try:
        return make(**field(description, name, dict, path))
    except ConfigError as error:
        raise error if str(error).startswith(str(path)) else ConfigError(f"{path}: {name}: {error}") from error
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{path}: {name}: {str(error).splitlines()[0]}") from error
