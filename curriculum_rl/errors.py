"""Errors of the library: what the user wrote is wrong, or a worker process failed."""

from collections.abc import Iterator
from contextlib import contextmanager


class ConfigError(ValueError):
    """A setting, a file or an argument of the user's is wrong.

    The message is one line that names the key and the value. Commands print it to stderr and exit with status 2.
    """


def wrong(key: str, value: object, wanted: str) -> ConfigError:
    """The error of a value that is not what is wanted there."""
    return ConfigError(f"{key}: must be {wanted} (got {value!r})")


class ShardError(RuntimeError):
    """A worker process raised or died; the message holds its traceback."""


@contextmanager
def within(place: str) -> Iterator[None]:
    """A ConfigError that is raised inside names this place of the file first."""
    try:
        yield
    except ConfigError as error:
        raise ConfigError(f"{place}: {error}") from error
