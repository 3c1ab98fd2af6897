"""A corpus: anything that yields documents."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from curriculum_rl.errors import wrong
from curriculum_rl.text.documents import Document, sha256_of


@dataclass(frozen=True)
class Sums:
    """Additions in digits, eight to a document: `17 + 4 = 21`.

    Attributes:
        largest: of the numbers that are added, at least 1.
        count: of documents, at least 1.
        seed: another seed gives other additions.
    """

    largest: int = 20
    count: int = 800
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the settings."""
        if self.largest < 1 or self.count < 1:
            raise wrong("largest and count", (self.largest, self.count), "at least 1")

    def fingerprint(self) -> str:
        """A hash of all that decides the text, its version included: tokens are kept under it."""
        return sha256_of("my_lab.corpus:Sums", 1, self.largest, self.count, self.seed)

    def documents(self) -> Iterator[Document]:
        """The documents, always in the same order; a library splits them into parts that share none."""
        for number in range(self.count):
            draw = random.Random(f"{self.seed} {number}")
            pairs = [(draw.randint(0, self.largest), draw.randint(0, self.largest)) for _ in range(8)]
            yield Document(", ".join(f"{first} + {second} = {first + second}" for first, second in pairs))
