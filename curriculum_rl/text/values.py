"""One spelling for a value of a row, whatever format it was read from: `1`, `1.0` and `"1"` are one label."""

import re
from decimal import Decimal

_WHOLE = re.compile(r"-?(?:0|[1-9]\d*)\.0+")
_ONE_SPELLING = {"true": "true", "false": "false", "-0": "0"}
_NAN = ("nan", "-nan", "NaN", "NAN")  # "Nan" is a name
_MANY = (list, tuple, dict, set, bytes)


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
    if _WHOLE.fullmatch(text):
        text = text.partition(".")[0]
    return _ONE_SPELLING.get(text.lower(), text)


def whole_text(text: str) -> str:
    """The text with a mark for each half of a surrogate pair, which JSON may hold."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
