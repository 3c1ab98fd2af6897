"""Which fields of a row make a document: text, label, group, and what to keep."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from curriculum_rl.errors import ConfigError, cut, shown
from curriculum_rl.text import iob
from curriculum_rl.text.documents import Document, Tally
from curriculum_rl.text.lines import LONGEST
from curriculum_rl.text.values import is_list, spelled, whole_text

_SHOWN = 20  # fields that a message names
_SEPARATORS = ("\n", " ", " ", " ")  # of lists in lists, from the outside in


@dataclass(frozen=True, kw_only=True)
class Fields:
    """Which fields of a row make a document.

    Attributes:
        text_field: The text; of lists of strings (turns of a dialogue) the inner are joined by spaces, the outer by new
            lines. The words of a tagged sentence are joined by spaces.
        label_field: The class, if rows have one; or a list: the tags of the words.
        group_field: What a split must not tear apart.
        where: Keep only rows whose field equals this value, or contains it where the field is a list.
    """

    text_field: str
    label_field: str | None
    group_field: str | None
    where: Mapping[str, str | int | bool]

    def names(self) -> list[str]:
        """All fields that are read."""
        names = [self.text_field, self.label_field, self.group_field, *self.where]
        return list(dict.fromkeys(name for name in names if name is not None))

    def pick(self, row: Mapping[str, Any], place: str, tally: Tally) -> Document | None:
        """The document of a row; None for one that `where` leaves out or that has no text, which the tally counts.

        Where the text is a list of words and the label a list of tags, these are the tags of the words.

        Raises:
            ConfigError: A field is missing, the text is not text or too long, a label or a group is no single value, or
                words and tags do not fit together.
        """
        self.check(row, place)
        if not all(_matches(row[name], value, name, place) for name, value in self.where.items()):
            tally.filtered += 1
            return None
        label: Any = None if self.label_field is None else row[self.label_field]
        tagged = isinstance(label, list) and _is_words(row[self.text_field])
        text = _sentence(row[self.text_field], label, place) if tagged else self._text(row, place)
        if not text.strip():
            tally.without_text += 1
            return None
        group = "" if self.group_field is None else _single("group_field", row[self.group_field], place) or ""
        if tagged:
            return Document(text, group, whole_text(" ".join(label)), tagged=True)
        return Document(text, group, _single("label_field", label, place))

    def _text(self, row: Mapping[str, Any], place: str) -> str:
        value = row[self.text_field]
        text = _joined(value, _SEPARATORS)
        if text is None:
            raise ConfigError(f"text_field: {self.text_field!r} holds a {type(value).__name__}, not text, in {place}")
        if len(text) > LONGEST:
            raise ConfigError(f"text_field: {len(text):,} characters, a document has at most {LONGEST:,}, in {place}")
        return whole_text(text)

    def options(self) -> list[object]:
        """What a fingerprint must know of these fields."""
        return [self.text_field, self.label_field, self.group_field, sorted(self.where.items())]

    def check(self, names: Any, place: str) -> None:
        """Raises ConfigError unless every field that is read is among the names."""
        keys = {"text_field": self.text_field, "label_field": self.label_field, "group_field": self.group_field}
        for key, name in [*keys.items(), *(("where", name) for name in self.where)]:
            if name is not None and name not in names:
                there = ", ".join(cut(str(field)) for field in list(names)[:_SHOWN])
                there += f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
                raise ConfigError(f"{key}: no field {name!r} in {place}; its fields are: {there}")


def _is_words(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(word, str) for word in value)


def _sentence(words: Any, tags: list[Any], place: str) -> str:
    iob.check(words, tags, place)
    return whole_text(" ".join(words))


def _spelled(key: str, value: Any, place: str) -> str | None:
    try:
        return spelled(value)
    except TypeError as error:
        raise ConfigError(f"{key}: must name a field of single values ({error} in {place})") from error


def _single(key: str, value: Any, place: str) -> str | None:
    text = _spelled(key, value, place)
    if text is not None and is_list(text):
        raise ConfigError(f"{key}: must name a field of single values ({shown(text)} is a list, in {place})")
    return text


def _matches(found: Any, wanted: str | int | bool, name: str, place: str) -> bool:
    values = found if isinstance(found, list) else [found]
    return spelled(wanted) in [_spelled(f"where.{name}", value, place) for value in values]


def _joined(value: Any, separators: tuple[str, ...]) -> str | None:
    """The text of a value; "" for what is missing, None for what is not text, or lists deeper than the separators."""
    if isinstance(value, str):
        return value
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if not isinstance(value, list) or not separators:
        return None
    parts = [_joined(part, separators[1:]) for part in value]
    return None if None in parts else separators[0].join(part or "" for part in parts)
