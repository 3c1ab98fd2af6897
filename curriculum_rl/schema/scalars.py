"""What a word of YAML without quotes is: what every reader of YAML takes it for; else an error that says to quote it.

YAML 1.1 and YAML 1.2 read some words differently (`no`, `0100`, `1_000`, `12:30`, `2023-01-01`): these are refused. A
number with an exponent, `1e-3`, is text to YAML 1.1 and a number here, as people mean it.
"""

import math
import re
from typing import Any, Final

from yaml import ScalarNode
from yaml.resolver import Resolver

from curriculum_rl.errors import cut

Scalar = str | int | float | bool | None

LARGEST: Final = 2**63 - 1
"""The largest whole number that is read, either sign."""

_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
NUMBER = re.compile(rf"{_INT.pattern}|{_FLOAT.pattern}")
"""What may be a number to some reader of YAML 1.2."""
_INFINITY = re.compile(r"[-+]?\.(inf|Inf|INF)")
_NAN = (".nan", ".NaN", ".NAN")
_WORDS: Final[dict[str, bool | None]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_OLD: Any = Resolver()
_TEXT = "str"


class AmbiguousError(ValueError):
    """A word that readers of YAML take for different things, or a number that no setting can be."""


def read(word: str) -> Scalar:
    """The value of a word that stands without quotes.

    Raises:
        AmbiguousError: where it has to be written otherwise; the message says how, and begins with the word.
    """
    old, new = _old(word), _new(word)
    if new == "int" and re.match(r"[-+]?0[0-9]", word):
        new = "octal"  # a hundred or sixty-four
    if old != new and not (new == "float" and old == _TEXT):
        raise AmbiguousError(f"{cut(word)} {_readings(word, old)}")
    return _value(word, new)


def _old(word: str) -> str:
    """What YAML 1.1 takes it for."""
    return str(_OLD.resolve(ScalarNode, word, (True, False))).rpartition(":")[2]


def _new(word: str) -> str:
    """What the core schema of YAML 1.2 takes it for (section 10.3.2)."""
    if word in _WORDS:
        return "null" if _WORDS[word] is None else "bool"
    if _INT.fullmatch(word):
        return "int"
    return "float" if _FLOAT.fullmatch(word) or _INFINITY.fullmatch(word) or word in _NAN else _TEXT


def _readings(word: str, old: str) -> str:
    if old == "bool":
        meant = "true" if word.lower() in ("yes", "on") else "false"
        return f"is {meant} to some readers of YAML and text to others: quote it if it is text, or write {meant}"
    if old == "timestamp":
        return "is a date to some readers of YAML and text to others: quote it"
    if old in ("int", "float") or _INT.fullmatch(word):
        return "is not the same number to all readers of YAML, or text: quote it if it is text, or write plain digits"
    return "means something to some readers of YAML and is text to others: quote it"


def _value(word: str, kind: str) -> Scalar:
    if kind == _TEXT:
        return word
    if kind in ("null", "bool"):
        return _WORDS[word]
    if kind == "int":
        # Python reads no number of more than 4,300 digits.
        number = int(word, 0) if len(word) <= 20 else LARGEST + 1
        if abs(number) > LARGEST:
            raise AmbiguousError(f"{cut(word)} is a larger number than any that is read: quote it if it is text")
        return number
    if _INFINITY.fullmatch(word):
        return -math.inf if word[0] == "-" else math.inf
    value = math.nan if word in _NAN else float(word)
    if not math.isfinite(value):
        raise AmbiguousError(f"{cut(word)} is no number: quote it if it is text")
    return value
