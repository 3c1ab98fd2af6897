"""One spelling for a value of a row, whatever format it was read from: `1`, `1.0` and `"1"` are one label."""

import ast
import re
from decimal import Decimal

_WHOLE = re.compile(r"-?(?:0|[1-9]\d*)\.0+")
_LARGE = re.compile(r"-?\d(?:\.\d+)?e\+\d\d")  # how a float of 1e16 or more is written
_ONE_SPELLING = {"true": "true", "false": "false", "-0": "0"}
_NAN = ("nan", "-nan", "NaN", "NAN")  # "Nan" is a name
_MANY = (list, tuple, dict, set, bytes)
_ARRAY = re.compile(r"\[[\d\s.]+\]")  # as NumPy writes one
_LONGEST_LIST = 10_000  # characters of a text that is tried as a list


def spelled(value: object) -> str | None:
    """A value as text; None where it is missing: null, NaN (also as text), empty or blank.

    Whole numbers have no fraction, booleans are `true` and `false`, white space around text goes.

    Raises:
        TypeError: It is no single value but a list, an object or bytes.
    """
    if isinstance(value, _MANY):
        raise TypeError(f"a {type(value).__name__}")
    if isinstance(value, Decimal) and value.is_finite():
        value = format(value.normalize(), "f")
    text = whole_text(str(value)).strip() if value is not None else ""
    if not text or text in _NAN:
        return None
    if _LARGE.fullmatch(text):
        text = format(Decimal(text), "f")
    if _WHOLE.fullmatch(text):
        text = text.partition(".")[0]
    return _ONE_SPELLING.get(text.lower(), text)


def is_list(text: str) -> bool:
    """Whether a text is a list or an object as JSON, Python or NumPy write one, which a CSV file cannot hold else."""
    if text[:1] + text[-1:] not in ("[]", "{}") or len(text) > _LONGEST_LIST:
        return False
    try:
        return bool(_ARRAY.fullmatch(text)) or isinstance(ast.literal_eval(_in_python(text)), list | dict | set)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return False


def _in_python(text: str) -> str:
    return re.sub(r"\b(?:true|false|null)\b", "None", text)


def whole_text(text: str) -> str:
    """The text with a mark for each half of a surrogate pair, which JSON may hold."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
