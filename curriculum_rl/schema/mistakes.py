"""One line for the first mistake that validation finds: its key as the user wrote it, what is wrong, the value."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

KEYED = re.compile(r"[\w.]+: ")
"""How a message of ours begins that names a key below the section that it is about."""


def first_line(error: ValidationError, content: Mapping[str, Any]) -> str:
    """The line of the first mistake in some content."""
    errors = error.errors(include_url=False)
    # Where a value may be a name or a section, the section's own mistake says more.
    first = max(
        (e for e in errors if e["loc"][:2] == errors[0]["loc"][:2]), key=lambda e: (len(e["loc"]), "tag" in e["type"])
    )
    key = dotted(first["loc"], content, missing=first["type"] == "missing")
    message = first["msg"].removeprefix("Value error, ").replace("Input should be ", "must be ")
    if first["type"] == "value_error":
        return f"{key}{'.' if KEYED.match(message) else ': '}{message}" if key else message
    if first["type"] == "missing":
        return f"{key}: is required"
    if first["type"] == "extra_forbidden":
        return f"{key}: unknown key (got {first['input']!r})"
    if first["type"] == "union_tag_invalid":
        kinds = str(first["ctx"]["expected_tags"]).replace("'", "")
        return f"{key}.kind: must be one of {kinds} (got {first['ctx']['tag']!r})"
    return f"{key}: {message[:1].lower()}{message[1:]} (got {first['input']!r})"


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
        parts.append(str(part))
    return ".".join(parts)


def _holds(content: Any, part: int | str) -> bool:
    if isinstance(content, Mapping):
        return part in content
    return isinstance(content, list | tuple) and isinstance(part, int) and part < len(content)
