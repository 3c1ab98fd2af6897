"""Which fields of a row make a document: text, label, group, and what to keep."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from curriculum_rl.errors import ConfigError
from curriculum_rl.text import iob
from curriculum_rl.text.documents import Document


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

    def pick(self, row: Mapping[str, Any], place: str) -> Document | None:
        """The document of a row; None for one that `where` leaves out or that has no text.

        Where the text is a list of words and the label a list of tags, these are the tags of the words.

        Raises:
            ConfigError: A field is missing, the text is not text, or words and tags do not fit together.
        """
        self.check(row, place)
        if not all(_matches(row[name], value) for name, value in self.where.items()):
            return None
        label = None if self.label_field is None else row[self.label_field]
        group = "" if self.group_field is None else row[self.group_field]
        group = "" if group is None else str(group)
        if isinstance(label, list) and _is_words(row[self.text_field]):
            return _tagged(row[self.text_field], label, group, place)
        text = _joined(row[self.text_field], "\n")
        if text is None:
            kind = type(row[self.text_field]).__name__
            raise ConfigError(f"text_field: {self.text_field!r} holds a {kind}, not text, in {place}")
        if not text.strip():
            return None
        return Document(_whole(text), group, None if label is None else str(label))

    def options(self) -> list[object]:
        """What a fingerprint must know of these fields."""
        return [self.text_field, self.label_field, self.group_field, sorted(self.where.items())]

    def check(self, names: Any, place: str) -> None:
        """Raises ConfigError unless every field that is read is among the names."""
        keys = {"text_field": self.text_field, "label_field": self.label_field, "group_field": self.group_field}
        for key, name in [*keys.items(), *(("where", name) for name in self.where)]:
            if name is not None and name not in names:
                raise ConfigError(f"{key}: no field {name!r} in {place}; its fields are: {', '.join(map(str, names))}")


def _is_words(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(word, str) for word in value)


def _tagged(words: list[Any], tags: list[Any], group: str, place: str) -> Document | None:
    iob.check(words, tags, place)
    return Document(_whole(" ".join(words)), group, " ".join(tags), tagged=True) if words else None


def _whole(text: str) -> str:
    """The text with a mark for each half of a surrogate pair, which JSON may hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _matches(found: Any, wanted: str | int | bool) -> bool:
    return wanted in found if isinstance(found, list) else bool(found == wanted or str(found) == str(wanted))


def _joined(value: Any, separator: str) -> str | None:
    """The text of a value; "" for null, None for what is not text."""
    if value is None or isinstance(value, str):
        return value or ""
    if not isinstance(value, list):
        return None
    parts = [_joined(part, " ") for part in value]
    return None if None in parts else separator.join(part or "" for part in parts)
