"""The class that a section of an environment file names, of this package or the user's own."""

import importlib
from collections.abc import Callable
from typing import Any

from curriculum_rl.errors import ConfigError
from curriculum_rl.schema import Custom, KindSection


def built_in(section: KindSection) -> Any:
    """What a section of this package builds."""
    module, _, name = section.builds.partition(":")
    return getattr(importlib.import_module(module), name)


def custom(section: Custom, **context: Any) -> Any:
    """Make the user's own object: `module:Class` called with the section's other keys and what the context offers.

    Raises:
        ConfigError: if the module or the class cannot be found, or does not take these arguments.
    """
    module, _, name = section.kind.partition(":")
    try:
        factory: Callable[..., Any] = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"kind: {section.kind!r} cannot be imported ({error})") from None
    try:
        return factory(**context, **section.options)
    except TypeError as error:
        raise ConfigError(f"kind: {section.kind!r} cannot be made ({error})") from None
