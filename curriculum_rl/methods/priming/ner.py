"""Named entities in text: files of one token and tag a line, and splits that share no sentence."""

import gzip
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from curriculum_rl.errors import ConfigError

PARTS = ("train", "dev", "test")
SPLITS = ("clean", "published")
_TAG = re.compile(r"[BI]-\S+")


@dataclass(frozen=True)
class Sentence:
    """One tagged sentence.

    Attributes:
        words: not empty.
        tags: as many, IOB2: `O`, `B-<type>` where an entity begins, `I-<type>` inside it.
    """

    words: tuple[str, ...]
    tags: tuple[str, ...]


Language = Mapping[str, Sequence[Sentence]]
"""The sentences of each of `PARTS`."""


def read_sentences(path: Path, *, limit: int | None = None) -> list[Sentence]:
    """The sentences of a file of `token<TAB>tag` or `language:token<TAB>tag` lines, a blank line after each.

    Args:
        path: of the file, gzipped where its name ends in .gz.
        limit: read only so many sentences; None: all.

    Raises:
        ConfigError: it cannot be read, a line is neither, or there is no sentence.
    """
    found: list[Sentence] = []
    pairs: list[tuple[str, str]] = []
    try:
        with _open(path) as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    pairs.append(_pair(line, path, number))
                elif pairs:
                    found.append(_sentence(pairs))
                    pairs = []
                if limit is not None and len(found) >= limit:
                    return found
    except (OSError, UnicodeDecodeError, EOFError) as error:
        raise ConfigError(f"data: cannot read {path}: {error}") from error
    if pairs:
        found.append(_sentence(pairs))
    if not found:
        raise ConfigError(f"data: no sentence in {path}")
    return found


def read_languages(folder: Path, names: Sequence[str], *, limit: int | None = None) -> dict[str, Language]:
    """The parts of some languages from the files `<language>/<part>.gz`, as published.

    Raises:
        ConfigError: a file is missing or wrong.
    """
    return {name: {part: read_sentences(folder / name / f"{part}.gz", limit=limit) for part in PARTS} for name in names}


def without_shared(languages: Mapping[str, Language]) -> dict[str, Language]:
    """The same without repeated sentences: in no train part what any dev or test part holds, in no dev part of a test.

    All languages are looked through: short titles are the same in several. Repetitions inside a part go as well.
    """
    tested = _words(row for parts in languages.values() for row in parts["test"])
    selected = _words(row for parts in languages.values() for row in parts["dev"])
    return {
        name: {
            "train": _new(parts["train"], tested | selected),
            "dev": _new(parts["dev"], tested),
            "test": _new(parts["test"], set()),
        }
        for name, parts in languages.items()
    }


def tags_of(languages: Mapping[str, Language]) -> tuple[str, ...]:
    """The tags of all train parts, `O` first, then by name; both tags of every type."""
    types = {tag[2:] for parts in languages.values() for row in parts["train"] for tag in row.tags if tag != "O"}
    return ("O", *(f"{place}-{kind}" for kind in sorted(types) for place in "BI"))


def _open(path: Path) -> TextIO:
    return gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8")


def _pair(line: str, path: Path, number: int) -> tuple[str, str]:
    token, _, tag = line.strip().rpartition("\t")
    language, colon, rest = token.partition(":")
    # A token ":" of a file without languages keeps its colon: what follows it is empty.
    word = rest if colon and rest and 2 <= len(language) <= 3 and language.islower() and language.isalpha() else token
    if not word or not (tag == "O" or _TAG.fullmatch(tag)):
        raise ConfigError(f"data: {path} line {number} is no token<TAB>tag of IOB2: {line.rstrip()!r}")
    return word, tag


def _sentence(pairs: Sequence[tuple[str, str]]) -> Sentence:
    return Sentence(tuple(word for word, _ in pairs), tuple(tag for _, tag in pairs))


def _words(rows: Iterable[Sentence]) -> set[tuple[str, ...]]:
    return {row.words for row in rows}


def _new(rows: Sequence[Sentence], seen: set[tuple[str, ...]]) -> list[Sentence]:
    """The rows whose words are not in `seen`, each once."""
    kept = {row.words: row for row in reversed(rows) if row.words not in seen}
    return [row for row in rows if kept.get(row.words) is row]
