"""Dotted keys, as `budget.updates`; a name with dots stands in quotes, `corpora."wiki.en".paths`."""

import contextlib
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
    with contextlib.suppress(json.JSONDecodeError):
        while found := _PART.match(key, place):
            part = found.group()
            parts.append(json.loads(part) if part[0] == '"' else part)
            place = found.end() + 1
            if found.end() == len(key):
                return parts
            if key[found.end()] != ".":
                break
    raise ConfigError(f'{cut(key)}: is no key; names are joined by dots, one that has dots stands in quotes: a."b.c".d')


def joined(parts: Iterable[int | str]) -> str:
    """The dotted key of some names."""
    return ".".join(_written(str(part)) for part in parts)


def halves(text: str) -> tuple[str, str, str]:
    """What stands before and after the first `=` outside quotes, as `str.partition` has it."""
    quoted = False
    for place, letter in enumerate(text):
        quoted ^= letter == '"'
        if letter == "=" and not quoted:
            return text[:place], letter, text[place + 1 :]
    return text, "", ""


def _written(part: str) -> str:
    plain = _PLAIN.fullmatch(part) and part.isprintable()
    return cut(part if plain else json.dumps(part, ensure_ascii=not part.isprintable()))
