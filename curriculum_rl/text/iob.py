"""Tags of words as IOB2 writes them: `O`, `B-<type>` where an entity begins, `I-<type>` inside it."""

import re
from collections.abc import Iterable

from curriculum_rl.errors import ConfigError, shown

OUTSIDE = "O"
"""The tag of a word of no entity."""

WORDS = 10_000
"""Words of a sentence; with more it is a text whose sentences nobody told apart."""

_INSIDE = re.compile(r"[BI]-\S+")


def is_tag(tag: object) -> bool:
    """Whether it is one."""
    return isinstance(tag, str) and (tag == OUTSIDE or _INSIDE.fullmatch(tag) is not None)


def in_order(tags: Iterable[str]) -> tuple[str, ...]:
    """`O`, then by name both tags of every type that occurs."""
    types = {tag[2:] for tag in tags if tag != OUTSIDE}
    return (OUTSIDE, *(f"{place}-{kind}" for kind in sorted(types) for place in "BI"))


def check(words: list[object], tags: list[object], place: str) -> None:
    """Refuses what is no tagged sentence.

    Raises:
        ConfigError: Naming the place: not as many tags as words, more than `WORDS` words, a word that is empty, holds a
            space or is no string, or a tag that is none of IOB2.
    """
    if len(words) != len(tags):
        raise ConfigError(f"label_field: {len(words)} words have {len(tags)} tags in {place}")
    if len(words) > WORDS:
        raise ConfigError(f"text_field: {len(words):,} words, a tagged sentence has at most {WORDS:,}, in {place}")
    for word, tag in zip(words, tags, strict=True):
        if not isinstance(word, str) or not word or " " in word:
            raise ConfigError(f"text_field: {shown(word)} is no word (a string without a space) in {place}")
        if not is_tag(tag):
            found = f"{shown(tag)}, of the word {shown(word)}"
            raise ConfigError(f"label_field: {found}, is no tag of IOB2 in {place}")
