"""Documents, and sources made of documents at hand or of another source."""

import hashlib
import heapq
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import numpy as np

from curriculum_rl import draws
from curriculum_rl.errors import wrong


@dataclass(frozen=True, slots=True)
class Document:
    """One text.

    Attributes:
        text: Not empty.
        group: What must not be torn apart by a split (a speech, a category); "" where the text stands alone.
        label: The class, where the source has labels and this document has one.
        tagged: Whether the text is words joined by one space and the label as many tags of IOB2, joined alike.
    """

    text: str
    group: str = ""
    label: str | None = None
    tagged: bool = False

    @property
    def words(self) -> list[str]:
        """The text between spaces; of tagged words no other white space is one."""
        return self.text.split(" ") if self.tagged else self.text.split()

    @property
    def tags(self) -> list[str]:
        """The tag of each word, of a tagged document."""
        return str(self.label).split(" ") if self.tagged else []

    def start(self, characters: int) -> "Document":
        """At most so many characters of it: whole words where they have tags."""
        if not self.tagged:
            return replace(self, text=self.text[:characters])
        whole = f"{self.text} "[: characters + 1].count(" ")
        return replace(self, text=" ".join(self.words[:whole]), label=" ".join(self.tags[:whole]))


class Source(Protocol):
    """Anything that yields documents."""

    def fingerprint(self) -> str:
        """sha256 of the content that is read, the options and the reader's version; cheap, nothing is parsed."""
        ...

    def documents(self) -> Iterator[Document]:
        """The documents, in a fixed order."""
        ...


@dataclass
class Tally:
    """What was passed over on the way to a source's documents.

    Attributes:
        filtered: Rows that `where` left out.
        without_text: Rows whose text is null, NaN, empty or blank.
        beyond_cap: Documents that `max_characters` left out.
        cut: Documents without a group that `max_characters` cut in two: 0 or 1; the group is then the whole text.
        unbroken: Documents that are several lines of a text file without a blank one.
    """

    filtered: int = 0
    without_text: int = 0
    beyond_cap: int = 0
    cut: int = 0
    unbroken: int = 0


@runtime_checkable
class TallyingSource(Source, Protocol):
    """A source that passes rows over, and counts them."""

    def read(self, tally: Tally) -> Iterator[Document]:
        """The documents, in a fixed order; what is passed over is added to the tally on the way."""
        ...


def read(source: Source, tally: Tally) -> Iterator[Document]:
    """The documents of any source; only a `TallyingSource` has something to add to the tally."""
    return source.read(tally) if isinstance(source, TallyingSource) else source.documents()


@dataclass(frozen=True)
class MemorySource:
    """Documents that are at hand."""

    rows: Sequence[Document]

    def fingerprint(self) -> str:
        """sha256 of the documents."""
        return sha256_of("memory", [[row.text, row.group, row.label, row.tagged] for row in self.rows])

    def documents(self) -> Iterator[Document]:
        """The documents as given."""
        return iter(self.rows)


@dataclass(frozen=True)
class CappedSource:
    """A source cut to so many characters, spread over all of it: groups in a random but fixed order until it is full.

    A smaller cap takes a subset of what a larger one takes, but for the one document that is cut in two.

    Attributes:
        source: What to cut.
        max_characters: At most so many characters, 1 or more.
    """

    source: Source
    max_characters: int

    def __post_init__(self) -> None:
        """Checks the cap."""
        if self.max_characters < 1:
            raise wrong("max_characters", self.max_characters, "at least 1")

    def fingerprint(self) -> str:
        """sha256 of the source's fingerprint and the cap."""
        return sha256_of("capped", 1, self.source.fingerprint(), self.max_characters)

    def documents(self) -> Iterator[Document]:
        """The documents that fit, in the source's order."""
        return self.read(Tally())

    def read(self, tally: Tally) -> Iterator[Document]:
        """The same; memory holds no more than what fits, however much is read."""
        kept: list[tuple[int, int, Document]] = []  # a heap whose first is the last in the random order
        size = 0
        for place, row in enumerate(read(self.source, tally)):
            heapq.heappush(kept, (-draws.key("capped", row.group or row.text), -place, row))
            size += len(row.text)
            while size - len(kept[0][2].text) >= self.max_characters:
                size -= len(heapq.heappop(kept)[2].text)
                tally.beyond_cap += 1
        if size > self.max_characters:
            rank, place, row = heapq.heappop(kept)
            start = row.start(self.max_characters - size + len(row.text))
            if start.text.strip():
                tally.cut += not row.group
                kept.append((rank, place, replace(start, group=row.group or row.text)))
        return iter([row for _, _, row in sorted(kept, key=lambda entry: -entry[1])])


@dataclass(frozen=True)
class ShuffledSource:
    """A source with the words of each document in random order: only the frequency of words can be learned.

    Words keep their tags. A document stays in the part of a split that the original is in.

    Attributes:
        source: What to shuffle.
        seed: Another seed gives another order.
    """

    source: Source
    seed: int

    def fingerprint(self) -> str:
        """sha256 of the source's fingerprint and the seed."""
        return sha256_of("shuffled", 1, self.source.fingerprint(), self.seed)

    def documents(self) -> Iterator[Document]:
        """The documents, their words separated by single spaces."""
        for row in self.source.documents():
            words, tags = row.words, row.tags
            numbers = draws.spread(draws.key("shuffled", self.seed, row.text), np.arange(len(words)))
            order = np.argsort(numbers).tolist()
            text = " ".join(words[place] for place in order)
            label = " ".join(tags[place] for place in order) if row.tagged else row.label
            yield Document(text, row.group or row.text, label, row.tagged)


def sha256_of(*parts: object) -> str:
    """sha256 of anything that JSON can write."""
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode("utf-8", "surrogatepass")).hexdigest()
