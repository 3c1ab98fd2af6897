"""Reading and validating an environment file, with one clear line for the first mistake."""

from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from curriculum_rl.errors import ConfigError, cut
from curriculum_rl.schema import files, keys, own, places, reading
from curriculum_rl.schema.base import Custom
from curriculum_rl.schema.env import EnvConfig
from curriculum_rl.schema.mistakes import first_line

Key = tuple[int | str, ...]


def preset_names() -> list[str]:
    """Names of the built-in environments."""
    files = resources.files("curriculum_rl.presets").iterdir()
    return sorted(f.name.removesuffix(".yaml") for f in files if f.name.endswith(".yaml"))


def load(
    config: "str | Path | Mapping[str, Any] | EnvConfig",
    overrides: Mapping[str, Any] | None = None,
    *,
    trust: bool | None = None,
) -> EnvConfig:
    """Read and validate an environment.

    Paths in a file are relative to the file; those in overrides, and in content that is given, to the working
    directory. The configuration has absolute ones.

    Args:
        config: the name of a built-in environment, the path of a YAML file, or its content.
        overrides: values by dotted key, as `{"budget.updates": 100}`; a name with dots stands in quotes.
        trust: whether a file may name classes of the user's own; None: as `CURRICULUM_RL_TRUST` says.

    Raises:
        ConfigError: on the first thing that is wrong, in one line with its key and value.
    """
    if isinstance(config, EnvConfig):
        # What nobody wrote stays so: `is_given`.
        given = config.model_dump(mode="json", exclude_unset=True)
        content = places.changed(given, EnvConfig, places.settled)
        if not overrides and content == given:
            return config
        return _checked(content, overrides)
    if isinstance(config, Mapping):
        return _checked(places.changed(dict(config), EnvConfig, places.typed), overrides)
    name = str(config)
    if name in preset_names():
        text = (resources.files("curriculum_rl.presets") / f"{name}.yaml").read_text(encoding="utf-8")
        return _checked(reading.read(text, name).value, overrides)
    return _from_file(_read(name), Path(name), overrides, trust)


def of_run(content: Any, file: Path, *, trust: bool | None = None) -> EnvConfig:
    """The environment that a file of a run directory holds, as `load` reads one.

    Args:
        content: what stands there.
        file: where it was read.
        trust: as of `load`.

    Raises:
        ConfigError: as `load`.
    """
    if not isinstance(content, dict):
        raise ConfigError(f"{file}: env must be a mapping (got {type(content).__name__})")
    return _from_file(reading.Content(content), file, None, trust)


def _from_file(
    content: reading.Content, file: Path, overrides: Mapping[str, Any] | None, trust: bool | None
) -> EnvConfig:
    seen = places.changed(
        content.value, EnvConfig, places.of_file(file.resolve().parent, trusted=own.is_trusted(trust))
    )
    config = _checked(seen, overrides, content.typed)
    said = [tuple(keys.split(key)) for key in overrides or {}]
    for key, section in _own_classes(config, ()):
        where = (*key, "kind")
        if not any(where[: len(one)] == one for one in said):
            own.check(section.kind, file, keys.joined(where), trust)
    return config


def _checked(
    content: Mapping[str, Any], overrides: Mapping[str, Any] | None, typed: Mapping[str, str] | None = None
) -> EnvConfig:
    """The configuration of some content with overrides."""
    overridden = {key: keys.split(key) for key in overrides or {}}
    for key, path in overridden.items():
        content = _with(content, path, (overrides or {})[key], key)
    seen = places.changed(content, EnvConfig, places.typed) if overridden else content
    for key, path in overridden.items():
        content = _with(content, path, _at(seen, path), key)
    stay = {key: word for key, word in (typed or {}).items() if not any(_below(key, one) for one in overridden)}
    try:
        return EnvConfig.model_validate(content)
    except ValidationError as error:
        raise ConfigError(first_line(error, content, stay)) from None


def _below(key: str, above: str) -> bool:
    return f"{key}.".startswith(f"{above}.")


def _own_classes(section: Any, key: Key) -> Iterator[tuple[Key, Custom]]:
    """The sections of a configuration that name a class of the user's own, each with its place."""
    if isinstance(section, Custom):
        yield key, section
    elif isinstance(section, BaseModel):
        for name in type(section).model_fields:
            yield from _own_classes(getattr(section, name), (*key, name))
    elif isinstance(section, Mapping | list | tuple):
        inside: Any = section.items() if isinstance(section, Mapping) else enumerate(section)
        for place, one in inside:
            yield from _own_classes(one, (*key, place))


def is_given(config: EnvConfig, key: str) -> bool:
    """Whether a dotted key was written by somebody, rather than filled in with its default."""
    section: Any = config
    for part in keys.split(key):
        if part not in section.model_fields_set:
            return False
        section = getattr(section, part)
    return True


def _read(name: str) -> reading.Content:
    path, source = Path(name), f"env: {cut(name)}"
    try:
        found = path.is_file()
    except OSError as error:  # a name of 300 characters
        raise ConfigError(f"{source} cannot be read ({error.strerror})") from None
    if not found:
        names = ", ".join(preset_names())
        what = "a folder, not a file" if path.is_dir() else f"neither a file nor one of {names}"
        raise ConfigError(f"env: {cut(name)!r} is {what}")
    content = reading.read(files.file_text(path, source), source)
    if not isinstance(content.value, dict):
        got = "nothing" if content.value is None else type(content.value).__name__
        raise ConfigError(f"{source} must be a mapping (got {got})")
    return content


def _with(content: Any, path: Sequence[str], value: Any, key: str) -> dict[str, Any]:
    """The content with another value at a key.

    Raises:
        ConfigError: where the key leads into something that is no section.
    """
    if not isinstance(content, Mapping):
        raise ConfigError(f"{cut(key)}: {cut(path[0])!r} is not inside a section")
    name, *more = path
    dots = next((known for known in content if "." in str(known) and ".".join(path).startswith(f"{known}.")), None)
    if more and name not in content and dots is not None:
        raise ConfigError(f"{cut(key)}: a name with dots stands in quotes, here {keys.joined([dots])}")
    inner = _with(content.get(name) or {}, more, value, key) if more else value
    siblings = dict(content)
    if name in ("updates", "tokens", "flops") and key.startswith("budget."):
        siblings = {}  # another unit of the budget replaces the one that stood there
    return {**siblings, name: inner}


def _at(content: Any, path: Sequence[str]) -> Any:
    for name in path:
        content = content[name]
    return content


def parse_override(text: str) -> tuple[str, Any]:
    """Read `key=value` of the command line; the value is YAML.

    Raises:
        ConfigError: where there is no `=`, the key is none, or the value is not YAML.
    """
    key, found, value = keys.halves(text)
    if not found or not key:
        raise ConfigError(f"--set {cut(text)!r}: must be key=value")
    try:
        return key, reading.read(value, f"--set {cut(text)!r}: the value").value
    except ConfigError as error:
        hint = f"; text that begins with {value[0]} stands in quotes" if value[:1] in tuple("*&!%@`|>") else ""
        raise ConfigError(f"{error}{hint}") from None
