"""What each token of a vocabulary looks like as text: whether it starts a word, is capitalised, ends a sentence.

Shape letters: R rows, T tokens of a row, V vocabulary.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import tokenizers

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

_ENDS_SENTENCE = re.compile(r"\n|[.!?][\"')\]]*\s*$")
_BYTE = re.compile(r"<0x([0-9A-F]{2})>")  # how byte fallback writes a byte
_PART_OF_A_CHARACTER = "\ufffd"


@dataclass(frozen=True)
class TokenTables:
    """One entry for each id; special tokens have none of these properties.

    Attributes:
        starts_inside: (V,) bool, begins with a letter or digit, so it goes on with a word that stands before it.
        ends_inside: (V,) bool, ends with a letter or digit, so that the next token may go on with its word.
        is_word: (V,) bool, its first character (but for a space) is a letter.
        capitalised: (V,) bool, that letter is a capital one.
        ends_sentence: (V,) bool, ends with one of . ! ? (closing quotes and brackets may follow) or has a line break.
        lower: (V,) int64, the id of the same text in lower case; the id itself where nothing changes, -1 where the
            vocabulary has no such token.
    """

    starts_inside: Bools
    ends_inside: Bools
    is_word: Bools
    capitalised: Bools
    ends_sentence: Bools
    lower: Ints

    @classmethod
    def of(cls, texts: Sequence[str]) -> "TokenTables":
        """The tables of a vocabulary.

        Args:
            texts: V texts as `token_texts` returns them.
        """
        ids: dict[str, int] = {}
        for number, text in enumerate(texts):
            ids.setdefault(text, number)
        lower = [number if text.lower() == text else ids.get(text.lower(), -1) for number, text in enumerate(texts)]
        first = [text.strip()[:1] for text in texts]
        return cls(
            starts_inside=np.array([_inside(text[:1]) for text in texts], dtype=bool),
            ends_inside=np.array([_inside(text[-1:]) for text in texts], dtype=bool),
            is_word=np.array([letter.isalpha() for letter in first], dtype=bool),
            capitalised=np.array([letter.isupper() for letter in first], dtype=bool),
            ends_sentence=np.array([_ENDS_SENTENCE.search(text) is not None for text in texts], dtype=bool),
            lower=np.array(lower, dtype=np.int64),
        )

    def word_starts(self, tokens: Ints) -> Bools:
        """(R, T) bool, whether each of (R, T) tokens is the first of a word; a row's first token always is."""
        starts = np.ones(tokens.shape, dtype=bool)
        starts[:, 1:] = ~(self.starts_inside[tokens[:, 1:]] & self.ends_inside[tokens[:, :-1]])
        return starts

    def sentence_ends(self, tokens: Ints) -> Bools:
        """(R, T) bool, whether each of (R, T) tokens is the last of a sentence; of several ends in a row the last."""
        ends = self.ends_sentence[tokens]
        ends[:, :-1] &= ~ends[:, 1:]
        return ends


def token_texts(backend: tokenizers.Tokenizer, size: int, special: set[int]) -> list[str]:
    """The text of each id, with a leading space where the token starts a word; "" for special and missing ids.

    Byte-level BPE, WordPiece and SentencePiece vocabularies are understood.

    Args:
        backend: the tokenizer.
        size: V, one more than the largest id.
        special: ids that are no text.
    """
    texts = [""] * size
    for token, number in backend.get_vocab(with_added_tokens=True).items():
        if number not in special:
            texts[number] = _text(backend, token)
    return texts


def _text(backend: Any, token: str) -> str:
    if isinstance(backend.decoder, tokenizers.decoders.ByteLevel):
        return str(backend.decoder.decode([token]))
    if isinstance(backend.model, tokenizers.models.WordPiece):
        prefix = backend.model.continuing_subword_prefix
        return token.removeprefix(prefix) if token.startswith(prefix) else f" {token}"
    byte = _BYTE.fullmatch(token)
    if byte:
        return bytes.fromhex(byte[1]).decode("utf-8", errors="replace")
    return token.replace("▁", " ")


def _inside(character: str) -> bool:
    return character.isalnum() or character == _PART_OF_A_CHARACTER
