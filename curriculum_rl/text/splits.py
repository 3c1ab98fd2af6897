"""Splits a source into disjoint parts, by group."""

import copy
import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from curriculum_rl import draws
from curriculum_rl.errors import ConfigError, wrong
from curriculum_rl.text import iob
from curriculum_rl.text.cache import Cache
from curriculum_rl.text.counts import Counts, Reading, cached_counts, counted
from curriculum_rl.text.documents import Document, Source, sha256_of
from curriculum_rl.text.overlap import Cut

_RULE = 1  # version of the rule below; a change makes every cached corpus stale


def split(documents: Iterable[Document], fractions: Mapping[str, float]) -> dict[str, list[Document]]:
    """Splits documents into disjoint parts: whole groups, or single texts where there is no group, in hashed order.

    A group is never in two parts, and neither is a text: one that several groups have stays only in the last of its
    parts (train is listed first), so that nothing held out has been read in training.

    Args:
        documents: Kept in their order within each part.
        fractions: The share of each part in characters, adding up to 1; met to within one group.

    Raises:
        ConfigError: A fraction is not positive or they do not add up to 1.
    """
    if not fractions or min(fractions.values()) <= 0 or abs(sum(fractions.values()) - 1) > 1e-6:
        raise wrong("fractions", dict(fractions), "positive and add up to 1")
    rows = list(documents)
    names = list(fractions)
    part_of = _part_of_groups(rows, list(fractions.values()))
    parts: dict[str, list[Document]] = {name: [] for name in names}
    for row in rows:
        parts[names[part_of[row.group or row.text]]].append(row)
    seen: set[str] = set()
    for name in reversed(names):
        parts[name] = [row for row in parts[name] if row.text not in seen]
        seen.update(row.text for row in parts[name])
    return parts


def _part_of_groups(rows: Iterable[Document], shares: list[float]) -> dict[str, int]:
    """The number of the part that each group is in: groups in hashed order, cut where a share is full."""
    sizes: dict[str, int] = {}
    for row in rows:
        group = row.group or row.text
        sizes[group] = sizes.get(group, 0) + len(row.text)
    edges = list(itertools.accumulate(shares))[:-1]
    total, before = sum(sizes.values()), 0
    part_of = {}
    for group in sorted(sizes, key=lambda group: (draws.key("split", "", group), group)):
        middle = (before + sizes[group] / 2) / total
        part_of[group] = sum(middle >= edge for edge in edges)
        before += sizes[group]
    return part_of


class SplitSource:
    """A source and how it is split; the documents are read once, and only when something asks for them."""

    def __init__(self, source: Source, fractions: Mapping[str, float]) -> None:
        """See `split`; nothing is read yet."""
        self.source = source
        self.fractions = dict(fractions)
        self._cuts: Mapping[str, Cut] = {}

    def without(self, cuts: Mapping[str, Cut]) -> "SplitSource":
        """The same without something of its parts, by their names."""
        other = copy.copy(self)  # with what was read so far
        other._cuts = {part: cut for part, cut in cuts.items() if cut}
        return other

    def fingerprint(self, part: str) -> str:
        """sha256 of what a part's documents depend on, without parsing them."""
        if part not in self.fractions:
            raise wrong("part", part, f"one of {', '.join(self.fractions)}")
        whole = sha256_of("split", _RULE, self._source_fingerprint, list(self.fractions.items()), part)
        cut = self._cuts.get(part)
        return sha256_of("cut", whole, cut.removed, sorted(cut.lines.items())) if cut else whole

    def documents(self, part: str) -> list[Document]:
        """The documents of a part.

        Raises:
            ConfigError: There is no such part, or it is empty.
        """
        documents = self.parts.get(part)
        if not documents:
            sizes = ", ".join(f"{name}: {len(rows)}" for name, rows in self.parts.items())
            hint = "; set format: lines where a line is a document" if self._read.unbroken else ""
            raise ConfigError(f"part {part!r} has no document ({sizes}): too few documents or groups to split{hint}")
        return self._cuts[part](documents) if part in self._cuts else documents

    def counts(self, cache: Cache) -> Counts:
        """What reading counted, all parts together; kept in the cache, so that a source is not read for it again."""
        return cached_counts(self._source_fingerprint, lambda: self._read.counts, cache)

    def classes(self) -> tuple[str, ...]:
        """The labels of all parts, sorted.

        Raises:
            ConfigError: There are fewer than two, or some are written as numbers and others as booleans.
        """
        labels = {row.label for rows in self.parts.values() for row in rows if row.label is not None}
        if len(labels) < 2:
            raise ConfigError(f"label_field: a labelled target needs two classes, found {sorted(labels)}")
        numbers, booleans = labels & {"0", "1"}, labels & {"false", "true"}
        if numbers and booleans:
            both = f"{min(numbers)!r} and {min(booleans)!r}"
            raise ConfigError(f"label_field: {both} are both labels, a number and a boolean; write one kind everywhere")
        return tuple(sorted(labels))

    def tags(self) -> tuple[str, ...]:
        """The tags of the words of all parts, in the order of `iob.in_order`.

        Raises:
            ConfigError: A document has a label but no tags, or no word is tagged as part of an entity.
        """
        labelled = [row for rows in self.parts.values() for row in rows if row.label is not None]
        if not all(row.tagged for row in labelled):
            raise ConfigError("label_field: some labels are lists of tags, others are not")
        tags = iob.in_order(tag for row in labelled for tag in row.tags)
        if len(tags) < 2:
            raise ConfigError("label_field: tagging needs an entity, and no word has a tag but O")
        return tags

    @cached_property
    def _source_fingerprint(self) -> str:
        return self.source.fingerprint()

    @cached_property
    def parts(self) -> dict[str, list[Document]]:
        """The documents of all parts, before `without`."""
        return split(self._read.documents, self.fractions)

    @cached_property
    def _read(self) -> Reading:
        return counted(self.source)


@dataclass(frozen=True)
class PartSource:
    """One part of a split as a source, for what is derived from it without a look at the other parts."""

    split: SplitSource
    part: str

    def fingerprint(self) -> str:
        """The fingerprint of the part."""
        return self.split.fingerprint(self.part)

    def documents(self) -> Iterator[Document]:
        """The documents of the part."""
        return iter(self.split.documents(self.part))
