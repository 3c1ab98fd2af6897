"""Text to token ids, and which characters each token holds; some ids are kept for those who mean them."""

from collections.abc import Sequence
from functools import cached_property

import tokenizers

from curriculum_rl.text.special_tokens import unknown_token

Offsets = list[tuple[int, int]]
"""Of each token, the first character that it holds and the one after its last."""


class Encoder:
    """Encodes by a tokenizer of the `tokenizers` library.

    Args:
        backend: the tokenizer.
        reserved: ids that no text may have: where a text has the name of one, its characters stand, one by one.
    """

    def __init__(self, backend: tokenizers.Tokenizer, reserved: set[int]) -> None:
        self._backend = backend
        self._reserved = reserved

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """The token ids of each text, without special tokens."""
        rows = [row.ids for row in self._backend.encode_batch_fast(list(texts), add_special_tokens=False)]
        return [row if self._reserved.isdisjoint(row) else [t for one in row for t in self._spelt(one)] for row in rows]

    def encode_with_offsets(self, texts: Sequence[str]) -> list[tuple[list[int], Offsets]]:
        """The same, and which characters of its text each token holds, as the library has it."""
        found = []
        for row in self._backend.encode_batch(list(texts), add_special_tokens=False):
            parts = [
                (token, offset) for one, offset in zip(row.ids, row.offsets, strict=True) for token in self._spelt(one)
            ]
            found.append(([token for token, _ in parts], [offset for _, offset in parts]))
        return found

    def added(self, ids: Sequence[int], offsets: Offsets) -> int:
        """How many tokens at the start of an encoded text hold nothing of it, only what the tokenizer put before it.

        The library says of these that they hold the first character.
        """
        left, count = len(self.lead), 0
        while left and count + 1 < len(ids) and offsets[count + 1][0] <= offsets[count][0]:
            left -= self._length(ids[count])
            if left < 0:
                break
            count += 1
        return count

    @cached_property
    def lead(self) -> str:
        """What the tokenizer puts before a text: the mark of a word's start, or nothing."""
        before, found, _ = self._pieces("x").partition("x")
        return before if found else ""

    @cached_property
    def marks_words(self) -> bool:
        """Whether a word alone is encoded as after a space, in the middle of a text."""
        return self._pieces("x x") == self._pieces("x") * 2

    def _pieces(self, text: str) -> str:
        """A text as the tokenizer's model gets it."""
        normalizer, pre_tokenizer = self._backend.normalizer, self._backend.pre_tokenizer
        normal = text if normalizer is None else normalizer.normalize_str(text)
        return (
            normal if pre_tokenizer is None else "".join(piece for piece, _ in pre_tokenizer.pre_tokenize_str(normal))
        )

    def _length(self, token: int) -> int:
        """Characters of a token; one that stands for something unknown stands for one."""
        return 1 if token == self._unknown else len(str(self._backend.id_to_token(token)))

    @cached_property
    def _unknown(self) -> int | None:
        name = unknown_token(self._backend)
        return self._backend.token_to_id(name) if name else None

    def _spelt(self, token: int) -> list[int]:
        return self._names[token] if token in self._reserved else [token]

    @cached_property
    def _names(self) -> dict[int, list[int]]:
        found = {}
        for number in self._reserved:
            letters = self._backend.encode_batch_fast(
                list(str(self._backend.id_to_token(number))), add_special_tokens=False
            )
            found[number] = [token for letter in letters for token in letter.ids if token not in self._reserved]
        return found
