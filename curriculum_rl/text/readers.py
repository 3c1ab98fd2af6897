"""Reads the formats without fields, one generator for each: paragraphs, lines, tagged sentences."""

import re
from collections.abc import Iterator
from pathlib import Path

from curriculum_rl.errors import ConfigError, shown
from curriculum_rl.text import iob
from curriculum_rl.text.lines import LONGEST, numbered

_LANGUAGE = re.compile(r"[a-z]{2,3}:")


def paragraphs(path: Path) -> Iterator[str]:
    """The blocks of lines between blank lines.

    Raises:
        ConfigError: A block has more than `LONGEST` characters.
    """
    block: list[str] = []
    characters = 0
    for number, line in numbered(path):
        if line.strip():
            block.append(line)
            characters += len(line)
            if characters > LONGEST:
                raise ConfigError(
                    f"paths: {path}, line {number}: more than {LONGEST:,} characters without a blank line are no one "
                    "document; set format: lines where a line is one"
                )
        elif block:
            yield "".join(block).strip("\n")
            block, characters = [], 0
    if block:
        yield "".join(block).strip("\n")


def lines(path: Path) -> Iterator[str]:
    """The lines that are not blank."""
    for _, line in numbered(path):
        if line.strip():
            yield line.rstrip("\n")


def tagged_sentences(path: Path) -> Iterator[tuple[list[str], list[str]]]:
    """Words and tags of sentences: lines `token<TAB>tag`, a blank one after each sentence.

    Where every token of the file begins with a language, as `en:` in `en:word`, that is no part of the words.

    Raises:
        ConfigError: A line is no token and tag, or there are more than 10,000 without a blank one.
    """
    has_languages = all(_LANGUAGE.match(line) for _, line in numbered(path) if line.strip())
    words: list[str] = []
    tags: list[str] = []
    for number, line in numbered(path):
        if line.strip():
            word, tag = _tagged_word(line, has_languages, f"paths: {path}, line {number}")
            words.append(word)
            tags.append(tag)
            if len(words) > iob.WORDS:
                message = f"more than {iob.WORDS:,} words in a sentence; a blank line must follow each sentence"
                raise ConfigError(f"paths: {path}, line {number}: {message}")
        elif words:
            yield words, tags
            words, tags = [], []
    if words:
        yield words, tags


def _tagged_word(line: str, has_language: bool, place: str) -> tuple[str, str]:
    word, _, tag = line.strip().rpartition("\t")
    word = word.partition(":")[2] if has_language else word
    if not word or " " in word or "\t" in word or not iob.is_tag(tag):
        found = shown(line.rstrip("\n"))
        raise ConfigError(f"{place} is no token<TAB>tag of IOB2: {found}")
    return word, tag
