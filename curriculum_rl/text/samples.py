"""Sources and a target without an environment: read, without texts on both sides, in tokens.

Shape letter: n tokens of one of them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from curriculum_rl.errors import ConfigError, cut, within
from curriculum_rl.text.corpora import Tokens, token_dtype
from curriculum_rl.text.counts import counted
from curriculum_rl.text.disjoint import shared
from curriculum_rl.text.documents import CappedSource, Document, Source
from curriculum_rl.text.overlap import HeldOutTexts
from curriculum_rl.text.sources import FileSource
from curriculum_rl.text.tokenising import token_rows
from curriculum_rl.text.tokenizers import Tokenizer

LEAST = 130
"""Tokens that a source or a target must have."""
ENOUGH = 2_000
"""Tokens of a target that suffice, where they are of `DOCUMENTS` documents or more."""
DOCUMENTS = 50


@dataclass(frozen=True)
class Sample:
    """One text.

    Attributes:
        tokens: (n,) documents, each with the end of one after it.
        documents: how many there are.
        removed: documents that went since they stand in the target, too.
        shortened: documents that lost lines for that.
        near: documents that share 13 words with the target and stay.
    """

    tokens: Tokens
    documents: int
    removed: int = 0
    shortened: int = 0
    near: int = 0


@dataclass(frozen=True)
class Samples:
    """All of them.

    Attributes:
        sources: by name.
        target: what matters downstream.
        tokenizer: of all of them.
    """

    sources: Mapping[str, Sample]
    target: Sample
    tokenizer: Tokenizer

    def remarks(self) -> list[str]:
        """What a reader should know of them, a line each."""
        found = [self._of_target()] if self._of_target() else []
        for name, sample in self.sources.items():
            counts = {
                "left out (in the target)": sample.removed,
                "shortened by lines of the target": sample.shortened,
                "share 13 words with the target and stay": sample.near,
            }
            said = ", ".join(f"{count:,} {what}" for what, count in counts.items() if count)
            found += [f"texts on both sides: {cut(name)}, {sample.documents:,} documents read: {said}"] if said else []
        return found

    def _of_target(self) -> str:
        tokens, documents = len(self.target.tokens), self.target.documents
        if tokens >= ENOUGH and documents >= DOCUMENTS:
            return ""
        return (
            f"the target has {tokens:,} tokens in {documents:,} document{'s' * (documents != 1)}: weights are "
            f"reliable from {ENOUGH:,} tokens in {DOCUMENTS} documents on"
        )


def read_samples(
    sources: Mapping[str, Source],
    target: Source,
    tokenizer: Callable[[Sequence[str]], Tokenizer],
    *,
    max_characters: int,
) -> Samples:
    """Read all texts; what a source shares with the target is taken out of the source, as an environment does.

    Args:
        sources: by name, two or more.
        target: what matters downstream.
        tokenizer: makes one of the texts of the sources.
        max_characters: read of each, spread over all of it.

    Raises:
        ConfigError: where a text cannot be read, is empty or too short, is the target's own file, or where nothing of
            it is left.
    """
    for name, source in sources.items():
        _check_other_file(name, source, target)
    read = {f"source {name}": CappedSource(source, max_characters) for name, source in sources.items()}
    rows = {place: _documents(place, source) for place, source in read.items()}
    wanted = _documents("target", CappedSource(target, max_characters))
    held = {"target": HeldOutTexts(row.text for row in wanted)}
    left, counts = {}, {}
    for place, documents in rows.items():
        found, counts[place] = shared(documents, held)
        left[place] = found(documents)
        if not left[place]:
            raise ConfigError(f"{place}: all of its {len(documents):,} documents stand in the target")
    made = tokenizer([row.text for documents in left.values() for row in documents])
    samples = {
        name: Sample(
            _tokens(f"source {name}", left[f"source {name}"], made),
            len(rows[f"source {name}"]),
            counts[f"source {name}"]["in_target"],
            counts[f"source {name}"]["shortened"],
            counts[f"source {name}"]["near_target"],
        )
        for name in sources
    }
    return Samples(samples, Sample(_tokens("target", wanted, made), len(wanted)), made)


def _documents(place: str, source: Source) -> list[Document]:
    with within(cut(place)):
        return counted(source).documents


def _tokens(place: str, documents: Sequence[Document], tokenizer: Tokenizer) -> Tokens:
    rows = token_rows(documents, tokenizer, end=[tokenizer.eos_id])
    tokens = np.concatenate([np.asarray(row, token_dtype(tokenizer)) for row in rows])
    if len(tokens) < LEAST:
        raise ConfigError(f"{cut(place)}: has {len(tokens):,} tokens, fewer than {LEAST}")
    return tokens


def _check_other_file(name: str, source: Source, target: Source) -> None:
    """See that a source is not what the target is read from, unless `where` tells their rows apart."""
    mine, theirs = _files(f"source {name}", source), _files("target", target)
    if not isinstance(source, FileSource) or not isinstance(target, FileSource) or source.where != target.where:
        return
    for file, path in mine.items():
        if file in theirs:
            raise ConfigError(f"target: {cut(str(path))} is read by source {cut(name)}, too")


def _files(place: str, source: Source) -> dict[tuple[int, int], Path]:
    """What a source reads, by device and inode; nothing where it reads no files."""
    if not isinstance(source, FileSource):
        return {}
    with within(cut(place)):
        return {(path.stat().st_dev, path.stat().st_ino): path for path in source.files}
