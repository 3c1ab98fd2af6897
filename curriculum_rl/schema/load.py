"""Reading and validating an environment file, with one clear line for the first mistake."""

import os
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from curriculum_rl import schema
from curriculum_rl.errors import ConfigError
from curriculum_rl.schema import EnvConfig


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
        content: dict[str, Any] = config.model_dump(mode="json", exclude_defaults=True)
    elif isinstance(config, Mapping):
        content = dict(config)
    else:
        content = _read(str(config))
    for key, value in (overrides or {}).items():
        content = _with(content, key.split("."), value, key)
    try:
        return EnvConfig.model_validate(content)
    except ValidationError as error:
        raise ConfigError(_first_line(error)) from None


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
    return _absolute(content, path.resolve().parent)


def _absolute(content: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Paths in a file are relative to the file; `config.yaml` of a run must work from anywhere."""

    def against(path: Any) -> Any:
        return str(folder / os.path.expanduser(os.path.expandvars(path))) if isinstance(path, str) else path  # noqa: PTH111

    def corpus(section: Any) -> Any:
        if not isinstance(section, dict):
            return section
        if section.get("kind", "files") == "files" and "paths" in section:
            paths = section["paths"]
            return {**section, "paths": [against(p) for p in paths] if isinstance(paths, list) else against(paths)}
        if section.get("kind") == "dataset" and (folder / str(section.get("path"))).exists():
            return {**section, "path": against(section["path"])}
        return section

    out = dict(content)
    if isinstance(out.get("corpora"), dict):
        out["corpora"] = {name: corpus(section) for name, section in out["corpora"].items()}
    if isinstance(out.get("target"), dict):
        out["target"] = {**out["target"], "corpus": corpus(out["target"].get("corpus"))}
    for section, field in (("tokenizer", "path"), ("learner", "model")):
        value = out.get(section)
        if isinstance(value, dict) and isinstance(value.get(field), str) and (folder / value[field]).exists():
            out[section] = {**value, field: against(value[field])}
    return out


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


def _first_line(error: ValidationError) -> str:
    """One line for the first mistake: its key as the user wrote it, what is wrong, the value."""
    errors = error.errors(include_url=False)
    # Where a value may be a name or a section, the section's own mistake says more.
    first = max((e for e in errors if e["loc"][:2] == errors[0]["loc"][:2]), key=lambda e: len(e["loc"]))
    key = _key(first)
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "value_error":
        return f"{key}: {message}" if key else message
    if first["type"] == "missing":
        return f"{key}: is required"
    if first["type"] == "extra_forbidden":
        return f"{key}: unknown key (got {first['input']!r})"
    if first["type"] == "union_tag_invalid":
        return f"{key}.kind: must be one of {_kinds(first)} (got {first['input']['kind']!r})"
    return f"{key}: {message[:1].lower()}{message[1:]} (got {first['input']!r})"


def _kinds(error: ErrorDetails) -> str:
    return str(error["ctx"]["expected_tags"]).replace("'custom'", "'module:Class'").replace("'", "")


def _key(error: ErrorDetails) -> str:
    """The dotted key of an error, without the union tags that pydantic puts into its path."""
    unions = [schema.CorpusConfig, schema.TokenizerConfig, schema.ObjectiveConfig, schema.LearnerConfig]
    unions.append(schema.MethodConfig)
    tags = {member.__metadata__[0].tag for union in [*unions, schema.ProxyConfig] for member in _members(union)}
    parts: list[str] = []
    for part in error["loc"]:
        # A corpus may be called like a kind, so a tag is only looked for below a section that has a kind.
        below = parts and (parts[-1] in ("tokenizer", "learner", "method", "proxy", "objective", "corpus"))
        below = below or (len(parts) == 2 and parts[0] == "corpora")
        if not (below and (part in tags or "[" in str(part) or part == "str")):
            parts.append(str(part))
    return ".".join(parts)


def _members(union: Any) -> tuple[Any, ...]:
    return get_args(get_args(union)[0])
