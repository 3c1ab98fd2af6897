"""Texts on both sides: what of a train part stands in the target's splits or in what the corpora hold out, too."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from curriculum_rl.text.documents import Document

Grams = npt.NDArray[np.uint64]

GRAM = 13
"""Words that near-duplicates share: Brown et al. 2020 (arXiv:2005.14165), appendix C; punctuation counts here."""
_AT_ONCE = 1 << 20  # characters whose words are hashed together
_BITS = 22
_REST = np.uint64(64 - _BITS)
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
    """Documents that must not be trained on.

    Args:
        texts: of the documents.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        documents = [lines_of(text) for text in texts]
        self._whole = {" ".join(lines) for lines in documents}
        self._lengths: dict[str, set[int]] = {}  # of the documents, by how they begin
        self._lines: list[str] = []
        self._places: dict[str, list[int]] = {}  # of every line, and of every two that follow each other
        for lines in documents:
            if lines:
                self._lengths.setdefault(_key(lines, 0, len(lines)), set()).add(len(lines))
            for n in range(len(lines)):
                for many in (1, 2)[: len(lines) - n]:
                    self._places.setdefault(_key(lines, n, many), []).append(len(self._lines) + n)
            self._lines += [*lines, ""]
        self._firsts = {lines[0] for lines in documents if lines}
        self._grams = np.unique(np.concatenate([grams for grams, _ in grams_of(documents)]))
        self._begun = np.zeros(1 << _BITS, np.bool_)  # by their first bits: few others come to the search
        self._begun[self._grams >> _REST] = True

    def found_in(self, lines: Sequence[str]) -> list[int]:
        """Which lines of a text (numbers into `lines_of`) are one of the documents, or stand in one as they are.

        A document counts as one, whatever its line breaks; so does a run of the text's lines that is a document, and a
        text that is a run of a document's lines.
        """
        if " ".join(lines) in self._whole or self._holds(lines):
            return list(range(len(lines)))
        found: set[int] = set()
        for n in [n for n, line in enumerate(lines) if line in self._firsts]:
            for many in (1, 2)[: len(lines) - n]:
                for length in self._lengths.get(_key(lines, n, many), ()):
                    if n + length <= len(lines) and " ".join(lines[n : n + length]) in self._whole:
                        found.update(range(n, n + length))
        return sorted(found)

    def _holds(self, lines: Sequence[str]) -> bool:
        """Whether the lines follow each other in a document."""
        places = self._places.get(_key(lines, 0, len(lines)), ()) if lines else ()
        return any(self._lines[place : place + len(lines)] == list(lines) for place in places)

    def shares(self, grams: Grams) -> npt.NDArray[np.bool_]:
        """Which of some `grams` stand in a document."""
        found = self._begun[grams >> _REST]
        some = grams[found]
        places = np.minimum(np.searchsorted(self._grams, some), len(self._grams) - 1)
        found[found] = self._grams[places] == some
        return found


def _key(lines: Sequence[str], first: int, many: int) -> str:
    """A line, or two where there are more: one alone begins too many texts."""
    return lines[first] if many == 1 else f"{lines[first]}\n{lines[first + 1]}"


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
