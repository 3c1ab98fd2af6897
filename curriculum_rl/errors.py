"""Errors of the library: what the user wrote is wrong, or a worker process failed."""

from collections.abc import Iterator
from contextlib import contextmanager

LONGEST = 200
"""Characters of a value that a message shows."""


class ConfigError(ValueError):
    """A setting, a file or an argument of the user's is wrong.

    The message is one line that names the key and the value. Commands print it to stderr and exit with status 2.
    """


def wrong(key: str, value: object, wanted: str) -> ConfigError:
    """The error of a value that is not what is wanted there."""
    return ConfigError(f"{key}: must be {wanted} (got {shown(value)})")


def shown(value: object) -> str:
    """A value as a message shows it: one line, and no more of it than a reader needs."""
    try:
        return cut(repr(value))
    except ValueError:  # Python writes no number of more than 4,300 digits
        return "a number of thousands of digits"


def cut(text: str) -> str:
    """Some text of the user's in a message: as much as a reader needs, without line ends and control characters."""
    text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text[: LONGEST + 1])
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


class ShardError(RuntimeError):
    """A worker process raised or died; the message holds its traceback."""


@contextmanager
def within(place: str) -> Iterator[None]:
    """A ConfigError that is raised inside names this place of the file first."""
    try:
        yield
    except ConfigError as error:
        raise ConfigError(f"{place}: {error}") from error
