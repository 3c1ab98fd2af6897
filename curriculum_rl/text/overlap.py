"""Texts on both sides: what of a train part stands in the target's splits or in what the corpora hold out, too."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from curriculum_rl.text.documents import Document

Grams = npt.NDArray[np.uint64]

GRAM = 13
"""Words that near-duplicates share: Brown et al. 2020 (arXiv:2005.14165), appendix C; punctuation counts here."""
MOST_GRAMS = 10_000_000
"""Runs of so many words of the target, and of the held-out parts, are looked for, at least; 8 bytes each."""
_AT_ONCE = 1 << 20  # characters whose words are hashed together
_BITS = 22
_REST, _LAST = np.uint64(64 - _BITS), (1 << _BITS) - 1
_WEIGHTS = np.random.default_rng(13).integers(0, 1 << 63, GRAM, np.uint64) | np.uint64(1)


@dataclass(frozen=True)
class Cut:
    """What is taken out of a part.

    Attributes:
        removed: numbers of the documents that go as a whole, ascending.
        lines: of the documents that only lose lines, by their number: the numbers of these lines.
    """

    removed: list[int] = field(default_factory=list)
    lines: dict[int, list[int]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether anything is."""
        return bool(self.removed or self.lines)

    def __call__(self, rows: Sequence[Document]) -> list[Document]:
        """What is left of the documents of the part, in their order."""
        gone = set(self.removed)
        return [self._shortened(number, row) for number, row in enumerate(rows) if number not in gone]

    def _shortened(self, number: int, row: Document) -> Document:
        if number not in self.lines:
            return row
        gone = set(self.lines[number])
        left = "\n".join(line for n, line in enumerate(row.text.splitlines()) if n not in gone).strip("\n")
        return replace(row, text=left, group=row.group or row.text)


def lines_of(text: str) -> list[str]:
    """Its lines that are not blank, casefolded as Unicode says, every run of white space one space, none at the ends.

    Joined by spaces they are the normalised text: two texts are identical if these are equal.
    """
    return [" ".join(words) for line in text.casefold().splitlines() if (words := line.split())]


class HeldOutTexts:
    """Documents that must not be trained on; lines and documents by their 64-bit hashes, some 40 bytes a line.

    Args:
        texts: of the documents.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self._whole, self._starts, self._places = _Index(), _Index(), _Index()
        self._lines, self._firsts = array("q"), bytearray(1 << _BITS)
        grams, count = [np.zeros(0, np.uint64)], 0
        for found, _ in grams_of(map(self._add, map(lines_of, texts))):
            grams += [found] if count < MOST_GRAMS else []
            count += len(found)
        self._grams = np.unique(np.concatenate(grams))
        self._begun = np.zeros(1 << _BITS, np.bool_)  # by their first bits: few others come to the search
        self._begun[self._grams >> _REST] = True

    def _add(self, lines: list[str]) -> list[str]:
        self._whole.add(" ".join(lines), len(lines))
        if len(lines) > 1:
            self._starts.add(_pair(lines, 0), len(lines))
            self._firsts[hash(lines[0]) & _LAST] = 1
            for n, line in enumerate(lines):
                self._places.add(line, len(self._lines) + n)
                if n + 1 < len(lines):
                    self._places.add(_pair(lines, n), len(self._lines) + n)
            self._lines.extend(map(hash, lines))
            self._lines.append(0)  # no run of lines goes on into the next document
        return lines

    def found_in(self, lines: Sequence[str]) -> list[int]:
        """Which lines of a text (numbers into `lines_of`) are one of the documents, or stand in one as they are.

        A document counts as one, whatever its line breaks; so does a run of the text's lines that is a document, and a
        text that is a run of a document's lines.
        """
        if not lines:
            return []
        if self._whole.has(" ".join(lines)) or self._holds(lines):
            return list(range(len(lines)))
        codes = [hash(line) & _LAST for line in lines]
        found = {n for n, code in enumerate(codes) if self._whole.marked[code] and self._whole.has(lines[n])}
        for n in [n for n, code in enumerate(codes[:-1]) if self._firsts[code]]:
            for length in self._starts.of(_pair(lines, n)):
                if n + length <= len(lines) and self._whole.has(" ".join(lines[n : n + length])):
                    found.update(range(n, n + length))
        return sorted(found)

    def _holds(self, lines: Sequence[str]) -> bool:
        """Whether the lines follow each other in a document."""
        if len(lines) == 1:
            return self._places.has(lines[0])
        places = self._places.of(_pair(lines, 0))
        hashes = array("q", map(hash, lines) if places else ())
        return any(self._lines[place : place + len(lines)] == hashes for place in places)

    def shares(self, grams: Grams) -> npt.NDArray[np.bool_]:
        """Which of some `grams` stand in a document, of the first `MOST_GRAMS`."""
        found: npt.NDArray[np.bool_] = self._begun[grams >> _REST]
        some = grams[found]
        places = np.minimum(np.searchsorted(self._grams, some), len(self._grams) - 1)
        found[found] = self._grams[places] == some
        return found


class _Index:
    """Numbers by text: 16 bytes each, whatever the length of the text, of which only the hash is kept.

    Attributes:
        marked: whether there may be a text, by the last bits of its hash: few others come to the search.
    """

    def __init__(self) -> None:
        self._hashes, self._numbers = array("q"), array("q")
        self.marked = bytearray(1 << _BITS)

    def add(self, text: str, number: int) -> None:
        """One more number of a text."""
        code = hash(text)
        self._hashes.append(code)
        self._numbers.append(number)
        self.marked[code & _LAST] = 1

    def has(self, text: str) -> bool:
        """Whether a text has a number."""
        return bool(self.marked[hash(text) & _LAST]) and len(self._numbers_of(text)) > 0

    def of(self, text: str) -> list[int]:
        """The numbers of a text, each once."""
        return np.unique(self._numbers_of(text)).tolist() if self.marked[hash(text) & _LAST] else []

    def _numbers_of(self, text: str) -> npt.NDArray[np.int64]:
        hashes, numbers = self._sorted
        first, last = (np.searchsorted(hashes, hash(text), side) for side in ("left", "right"))
        return numbers[first:last]

    @cached_property
    def _sorted(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        hashes, numbers = (np.frombuffer(kept, np.int64) for kept in (self._hashes, self._numbers))
        order = np.argsort(hashes, kind="stable")
        return hashes[order], numbers[order]


def _pair(lines: Sequence[str], first: int) -> str:
    """Two lines that follow each other: one alone begins too many texts."""
    return f"{lines[first]}\n{lines[first + 1]}"


def grams_of(texts: Iterable[Sequence[str]]) -> Iterator[tuple[Grams, npt.NDArray[np.int64]]]:
    """Hashes of the runs of `GRAM` words of many texts (their `lines_of`), and the number of each one's text.

    Python's own hash of a word, which is another in every process: they are compared in one.
    """
    words: list[str] = []
    counts: list[int] = []
    size, first = 0, 0
    for lines in texts:
        before = len(words)
        for line in lines:
            words += line.split(" ")
            size += len(line)
        counts.append(len(words) - before)
        if size > _AT_ONCE:
            yield _hashed(words, counts, first)
            first += len(counts)
            words, counts, size = [], [], 0
    yield _hashed(words, counts, first)


def _hashed(words: list[str], counts: list[int], first: int) -> tuple[Grams, npt.NDArray[np.int64]]:
    numbers = np.repeat(np.arange(first, first + len(counts)), counts)
    runs = max(0, len(words) - GRAM + 1)
    hashes = np.fromiter(map(hash, words), np.int64, len(words)).view(np.uint64)
    grams = np.zeros(runs, np.uint64)
    for n, weight in enumerate(_WEIGHTS):
        grams += hashes[n : n + runs] * weight
    grams ^= grams >> np.uint64(32)
    within = numbers[:runs] == numbers[GRAM - 1 :]
    return grams[within], numbers[:runs][within]
