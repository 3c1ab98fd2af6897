"""Dotted keys, as `budget.updates`; a name with dots stands in quotes, `corpora."wiki.en".paths`."""

import json
import re
from collections.abc import Iterable

from curriculum_rl.errors import ConfigError, cut

_PART = re.compile(r'"(?:[^"\\]|\\.)*"|[^."]+')
_PLAIN = re.compile(r'[^."\\\s:=]+')


def split(key: str) -> list[str]:
    """The names of a dotted key, from the outside in.

    Raises:
        ConfigError: where it is none.
    """
    parts, place = [], 0
    while found := _PART.match(key, place):
        part = found.group()
        parts.append(json.loads(part) if part[0] == '"' else part)
        place = found.end()
        if place == len(key):
            return parts
        if key[place] != ".":
            break
        place += 1
    raise ConfigError(f'{cut(key)}: is no key; names are joined by dots, one that has dots stands in quotes: a."b.c".d')


def joined(parts: Iterable[int | str]) -> str:
    """The dotted key of some names."""
    return ".".join(_written(str(part)) for part in parts)


def _written(part: str) -> str:
    return cut(part if _PLAIN.fullmatch(part) else json.dumps(part, ensure_ascii=False))
