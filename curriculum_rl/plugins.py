"""Classes named `module:Class`: by a section of the schema, or the user's own by him."""

import contextlib
import hashlib
import importlib.util
import inspect
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar, Protocol

from curriculum_rl.errors import ConfigError, cut, wrong


class Section(Protocol):
    """What an environment file says of an object of the user's own (`curriculum_rl.schema.Custom`)."""

    @property
    def kind(self) -> str:
        """`module:Class`."""

    @property
    def options(self) -> Mapping[str, Any]:
        """Arguments of the class."""


def load(spec: str, key: str) -> Any:
    """What `module:Class` names; an error that the module raises while it is imported is its own, and shown as it is.

    A module is looked for in what can be imported, then in the working directory, which is then importable: last, so
    that a file there never takes a library's place. `FOLDER/module:Class` is read from that folder, which never is.

    Args:
        spec: a module, a colon, and a name in it.
        key: what the user wrote it under, for messages.

    Raises:
        ConfigError: where it is no such pair, or there is no such module, or no such name in it.
    """
    if not re.fullmatch(r"(?:.*/)?\w[\w.]*:\w+", spec, re.DOTALL):
        raise wrong(key, spec, "module:Class")
    place, _, name = spec.rpartition(":")
    folder, slash, dotted = place.rpartition("/")
    try:
        module = _at(folder or "/", dotted) if slash else _named(dotted)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{dotted}.".startswith(f"{error.name}."):
            raise  # of what the module imports
        raise ConfigError(f"{key}: {cut(spec)!r}: there is no module {error.name!r}") from None
    if not hasattr(module, name):
        raise ConfigError(f"{key}: {cut(spec)!r}: {getattr(module, '__file__', place)} has no {name!r}")
    return getattr(module, name)


def _named(dotted: str) -> ModuleType:
    """A module by its name."""
    here, top = str(Path.cwd()), dotted.partition(".")[0]
    try:
        return importlib.import_module(dotted)
    except ModuleNotFoundError as error:
        if error.name != top or here in sys.path or PathFinder.find_spec(top, [here]) is None:
            raise
    sys.path.append(here)
    return importlib.import_module(dotted)


def _at(folder: str, dotted: str) -> ModuleType:
    """A module that stands in a folder, under a name of its own: no other import finds it, and it takes no other's."""
    top, _, rest = dotted.partition(".")
    importlib.invalidate_caches()
    found = PathFinder.find_spec(top, [folder])
    if found is None or found.origin is None:
        raise ModuleNotFoundError(f"no module {top} in {folder}", name=top)
    name = f"{top}_{hashlib.sha256(found.origin.encode()).hexdigest()[:12]}"
    if _leads_to(top, found.origin):
        name = top
    elif name not in sys.modules:
        inside = found.submodule_search_locations
        spec = importlib.util.spec_from_file_location(name, found.origin, submodule_search_locations=inside)
        assert spec is not None and spec.loader is not None
        module = sys.modules[name] = importlib.util.module_from_spec(spec)
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[name]
            raise
    try:
        return importlib.import_module(f"{name}.{rest}" if rest else name)
    except ModuleNotFoundError as error:
        if name not in (error.name or ""):
            raise
        raise ModuleNotFoundError(str(error), name=dotted) from None


def _leads_to(name: str, file: str) -> bool:
    """Whether importing a name reads this very file, so that it need not be read twice."""
    with contextlib.suppress(ValueError):  # of `__main__`
        found = importlib.util.find_spec(name)
        if found is not None and found.origin is not None and Path(found.origin).exists():
            return Path(found.origin).samefile(file)
    return False


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


def custom(section: Section, wanted: type, key: str, **context: Any) -> Any:
    """Make the user's own object: `module:Class` called with the section's other keys and what the context offers.

    Args:
        section: what the environment file says.
        wanted: the protocol that the class has to satisfy.
        key: the section's place, for messages.
        **context: what objects of this kind are given.

    Raises:
        ConfigError: if the module or the class cannot be found, it lacks something of the protocol, or does not take
            these arguments.
    """
    found = suitable(load(section.kind, f"{key}.kind"), wanted, section.kind, key)
    return require(make(found, section.kind, f"{key}.kind", {**context, **section.options}), wanted, key)


def suitable(found: Any, wanted: type, spec: str, key: str) -> type:
    """A class of which everything that a protocol asks for can be seen before it is called: other classes never are.

    The methods of the protocol must be methods of the class; attributes must be there, annotated, or mentioned in a
    method, as those that a constructor sets.

    Raises:
        ConfigError: naming what it lacks.
    """
    if not isinstance(found, type):
        raise ConfigError(f"{key}: {cut(spec)!r} is no class, but {type(found).__name__}")
    own = [base for base in found.__mro__ if base is not object]
    known = {name for base in own for name in vars(base)}
    mentioned = known | {name for base in own for name in _mentioned(base)}
    methods = {name for name, value in vars(wanted).items() if inspect.isroutine(value)}
    missing = [name for name in _asked(wanted) if name not in (known if name in methods else mentioned)]
    _complain(missing, wanted, found.__name__, key)
    return found


def _mentioned(base: type) -> Iterator[str]:
    """Names of attributes that a class annotates, or that its methods speak of."""
    yield from inspect.get_annotations(base)
    for value in vars(base).values():
        yield from getattr(getattr(value, "__code__", None), "co_names", ())


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
    _complain([name for name in _asked(wanted) if not hasattr(made, name)], wanted, type(made).__name__, key)
    return made


def _asked(wanted: type) -> set[str]:
    """What a protocol asks for."""
    return {*wanted.__annotations__, *(name for name in vars(wanted) if name == "__call__" or name[0] != "_")}


def _complain(missing: Sequence[str], wanted: type, name: str, key: str) -> None:
    if missing:
        raise ConfigError(f"{key}: {name} lacks {', '.join(sorted(missing))} ({wanted.__module__}.{wanted.__name__})")
