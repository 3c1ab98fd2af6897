"""Reading and validating an environment file, with one clear line for the first mistake."""

from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import yaml
from pydantic import ValidationError

from curriculum_rl.errors import ConfigError
from curriculum_rl.schema.base import OnDisk, OneOf, Section
from curriculum_rl.schema.env import EnvConfig
from curriculum_rl.schema.mistakes import first_line


def preset_names() -> list[str]:
    """Names of the built-in environments."""
    files = resources.files("curriculum_rl.presets").iterdir()
    return sorted(f.name.removesuffix(".yaml") for f in files if f.name.endswith(".yaml"))


def load(config: "str | Path | Mapping[str, Any] | EnvConfig", overrides: Mapping[str, Any] | None = None) -> EnvConfig:
    """Read and validate an environment.

    Args:
        config: the name of a built-in environment, the path of a YAML file, or its content.
        overrides: values by dotted key, as `{"budget.updates": 100}`.

    Raises:
        ConfigError: on the first thing that is wrong, in one line with its key and value.
    """
    if isinstance(config, EnvConfig):
        if not overrides:
            return config
        # What nobody wrote stays so: `is_given`.
        content: dict[str, Any] = config.model_dump(mode="json", exclude_unset=True)
    elif isinstance(config, Mapping):
        content = dict(config)
    else:
        content = _read(str(config))
    for key, value in (overrides or {}).items():
        content = _with(content, key.split("."), value, key)
    try:
        return EnvConfig.model_validate(content)
    except ValidationError as error:
        raise ConfigError(first_line(error, content)) from None


def is_given(config: EnvConfig, key: str) -> bool:
    """Whether a dotted key was written by somebody, rather than filled in with its default."""
    section: Any = config
    for part in key.split("."):
        if part not in section.model_fields_set:
            return False
        section = getattr(section, part)
    return True


def _read(config: str) -> dict[str, Any]:
    if config in preset_names():
        text = (resources.files("curriculum_rl.presets") / f"{config}.yaml").read_text(encoding="utf-8")
        return dict(yaml.safe_load(text))
    path = Path(config)
    if not path.is_file():
        raise ConfigError(f"env: {config!r} is neither a file nor one of {', '.join(preset_names())}")
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"env: {config} is not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(content, dict):
        raise ConfigError(f"env: {config} must be a mapping (got {type(content).__name__})")
    return dict(_absolute(content, EnvConfig, path.resolve().parent))


def _absolute(value: Any, wanted: Any, folder: Path) -> Any:
    """A value of a file with its paths as seen from the file's folder: `config.yaml` of a run must work from anywhere.

    Args:
        value: what the file says.
        wanted: the type that the schema wants there; it says what is a path (`OnDisk`).
        folder: of the file.
    """
    origin, parts = get_origin(wanted), get_args(wanted)
    if origin is Annotated:
        value = _marked(value, parts[0], wanted.__metadata__, folder)
    elif origin in (Union, UnionType):
        for part in parts:
            value = _absolute(value, part, folder)
    elif origin is list and isinstance(value, list):
        value = [_absolute(one, parts[0], folder) for one in value]
    elif origin is dict and isinstance(value, Mapping):
        value = {key: _absolute(one, parts[1], folder) for key, one in value.items()}
    elif isinstance(wanted, type) and issubclass(wanted, Section) and isinstance(value, Mapping):
        fields = wanted.model_fields
        value = {
            key: _marked(one, fields[key].annotation, fields[key].metadata, folder) if key in fields else one
            for key, one in value.items()
        }
    return value


def _marked(value: Any, wanted: Any, marks: Iterable[Any], folder: Path) -> Any:
    """`_absolute` of a value whose type has annotations."""
    for mark in marks:
        if isinstance(mark, OnDisk) and isinstance(value, str):
            return mark.against(value, folder)
        if isinstance(mark, OneOf):
            wanted = mark.chosen(value)
    return _absolute(value, wanted, folder)


def _with(content: Mapping[str, Any], path: list[str], value: Any, key: str) -> dict[str, Any]:
    if not isinstance(content, Mapping):
        raise ConfigError(f"{key}: {path[0]!r} is not inside a section")
    inner = value if len(path) == 1 else _with(content.get(path[0]) or {}, path[1:], value, key)
    siblings = dict(content)
    if path[0] in ("updates", "tokens", "flops") and key.startswith("budget."):
        siblings = {}  # another unit of the budget replaces the one that stood there
    return {**siblings, path[0]: inner}


def parse_override(text: str) -> tuple[str, Any]:
    """Read `key=value` of the command line; the value is YAML.

    Raises:
        ConfigError: where there is no `=` or the value is not YAML.
    """
    key, found, value = text.partition("=")
    if not found or not key:
        raise ConfigError(f"--set {text!r}: must be key=value")
    try:
        parsed = yaml.safe_load(value)
    except yaml.YAMLError:
        raise ConfigError(f"--set {text!r}: the value is not YAML") from None
    return key, _number(parsed)


def _number(value: Any) -> Any:
    """YAML reads 1e-3 as text; people mean the number."""
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value
    return value
