"""One of several random slices of a corpus, for tasks that are identical but for the documents that fell to them."""

import os
from collections.abc import Iterator

from curriculum_rl import draws
from curriculum_rl.errors import wrong
from curriculum_rl.text.documents import Document, sha256_of
from curriculum_rl.text.sources import FileSource


class Slice:
    """The documents of local files that a hash of their text gives to one part of several.

    Args:
        paths: a path or glob; `$VARIABLES` in it are expanded.
        part: which part, from 0.
        parts: how many there are.

    Raises:
        ConfigError: where there is no such part.
    """

    def __init__(self, *, paths: str, part: int, parts: int) -> None:
        if not 0 <= part < parts:
            raise wrong("part", part, f"at least 0 and below parts, which is {parts}")
        self._source = FileSource(
            paths=os.path.expandvars(paths),
            format="auto",
            text_field="text",
            label_field=None,
            group_field=None,
            where={},
        )
        self._part, self._parts = part, parts

    def fingerprint(self) -> str:
        """sha256 of the files' bytes, the options and the part."""
        return sha256_of("slice", self._source.fingerprint(), self._part, self._parts)

    def documents(self) -> Iterator[Document]:
        """Those of the part, in the order of the files."""
        for row in self._source.documents():
            if draws.key("slice", row.text) % self._parts == self._part:
                yield row
