"""One line for the first mistake that validation finds: its key as the user wrote it, what is wrong, the value."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from curriculum_rl.errors import cut, shown
from curriculum_rl.schema.keys import joined

KEYED = re.compile(r'(?:[\w.]|"[^"]*")+: ')
"""How a message of ours begins that names a key below the section that it is about."""


def first_line(error: ValidationError, content: Mapping[str, Any], typed: Mapping[str, str] | None = None) -> str:
    """The line of the first mistake in some content.

    Args:
        error: what validation found.
        content: what was validated.
        typed: by dotted key, what was typed where a value does not show it (`curriculum_rl.schema.reading.Content`).
    """
    errors = error.errors(include_url=False)
    keys = [dotted(one["loc"], content, missing=one["type"] == "missing") for one in errors]
    # Where a value may be a name or a section, the section's own mistake says more.
    there = [n for n, key in enumerate(keys) if f"{key}.".startswith(f"{keys[0]}.")]
    best = max(there, key=lambda n: (len(errors[n]["loc"]), "tag" in errors[n]["type"]))
    first, key = errors[best], keys[best]
    message = first["msg"].removeprefix("Value error, ").replace("Input should be ", "must be ")
    if first["type"] == "value_error":
        return f"{key}{'.' if KEYED.match(message) else ': '}{message}" if key else message
    if first["type"] == "missing":
        return f"{key}: is required"
    if first["type"] == "extra_forbidden":
        return f"{key}: unknown key (got {shown(first['input'])})"
    if first["type"] == "union_tag_invalid":
        kinds = str(first["ctx"]["expected_tags"]).replace("'", "")
        return f"{key}.kind: must be one of {kinds} (got {shown(first['ctx']['tag'])})"
    word = (typed or {}).get(key)
    return f"{key}: {message[:1].lower()}{message[1:]} (got {_got(first['input'], word)}){_hint(first, word)}"


def _got(value: Any, typed: str | None) -> str:
    """A value that is not what is wanted; text that reads as something else has to be quoted."""
    if typed is None:
        return shown(value)
    return f"{cut(typed)}, which YAML reads as {shown(value)}"


def _hint(first: Mapping[str, Any], typed: str | None) -> str:
    """How to write text that YAML takes for something else."""
    value = first["input"]
    if first["type"] != "string_type" or not isinstance(value, bool | int | float):
        return ""
    word = typed or (str(value).lower() if isinstance(value, bool) else repr(value))
    return f'; quote it if it is text: "{cut(word)}"'


def dotted(location: Sequence[int | str], content: Any, *, missing: bool = False) -> str:
    """The dotted key of pydantic's location, without what it puts there for members of unions.

    Args:
        location: from the outside in.
        content: what was validated; what is no key of it is no part of the answer.
        missing: whether the last key is one that should have been there.
    """
    parts = []
    for place, part in enumerate(location):
        if _holds(content, part):
            content = content[part]
        elif not (missing and place == len(location) - 1):
            continue
        parts.append(part)
    return joined(parts)


def _holds(content: Any, part: int | str) -> bool:
    if isinstance(content, Mapping):
        return part in content
    return isinstance(content, list | tuple) and isinstance(part, int) and part < len(content)
