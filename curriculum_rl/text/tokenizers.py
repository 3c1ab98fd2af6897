"""Tokenizers: trained here or taken from transformers, with the special tokens that every objective needs."""

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tokenizers

from curriculum_rl.errors import ConfigError, wrong
from curriculum_rl.schema.corpora import LABELS
from curriculum_rl.text.cache import Cache
from curriculum_rl.text.runs import without_long_runs
from curriculum_rl.text.token_tables import TokenTables, token_texts

TOKENIZER_FILE = "tokenizer.json"  # the file of the `tokenizers` library
SPECIALS_FILE = "curriculum_rl_tokenizer.json"  # which of its tokens play which part here
_BYTES = 256  # byte-level BPE starts from one token for each byte
_SPECIALS = ("pad", "eos", "mask", "cls")


class Tokenizer:
    """Text to token ids and back, and the ids of the special tokens.

    Attributes:
        vocab_size: One more than the largest id: the rows an embedding needs.
        pad_id: Fills a row after its text; never scored, never attended to in bidirectional rows.
        eos_id: Stands after every document.
        mask_id: Hides a token that masked LM asks for.
        cls_id: The position after which a label is predicted.
        label_ids: Tokens reserved for labels (verbalisers); they never occur in text.
        fingerprint: sha256 of the tokenizer's content.
    """

    def __init__(
        self,
        backend: tokenizers.Tokenizer,
        *,
        pad_id: int,
        eos_id: int,
        mask_id: int,
        cls_id: int,
        label_ids: Sequence[int],
    ) -> None:
        """Wraps a tokenizer of the `tokenizers` library; the special ids must be in its vocabulary."""
        self._backend = tokenizers.Tokenizer.from_str(backend.to_str())  # a copy: the switches below stay here
        self._backend.no_padding()
        self._backend.no_truncation()
        self._backend.encode_special_tokens = True  # "<|eos|>" in a text is text, not the end of a document
        self._text = self._backend.to_str()
        self.pad_id, self.eos_id, self.mask_id, self.cls_id = pad_id, eos_id, mask_id, cls_id
        self.label_ids = tuple(label_ids)
        self.vocab_size = max(self._backend.get_vocab(with_added_tokens=True).values()) + 1
        self.fingerprint = hashlib.sha256((self._text + json.dumps(self._special_ids())).encode()).hexdigest()

    @cached_property
    def ordinary_ids(self) -> npt.NDArray[np.int64]:
        """The ids that text can have, sorted: what a corruption may insert, no special token among them."""
        ids = set(self._backend.get_vocab(with_added_tokens=True).values()) - self._special
        return np.array(sorted(ids), dtype=np.int64)

    @cached_property
    def tables(self) -> TokenTables:
        """What each id looks like as text."""
        return TokenTables.of(token_texts(self._backend, self.vocab_size, self._special))

    @cached_property
    def _special(self) -> set[int]:
        marked = {token_id for token_id, token in self._backend.get_added_tokens_decoder().items() if token.special}
        return marked | {self.pad_id, self.eos_id, self.mask_id, self.cls_id, *self.label_ids}

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """The token ids of each text, without special tokens."""
        return [row.ids for row in self._backend.encode_batch_fast(list(texts), add_special_tokens=False)]

    def decode(self, ids: Sequence[int] | npt.NDArray[np.integer[Any]]) -> str:
        """The text of token ids; special tokens show by their names."""
        return str(self._backend.decode([int(token_id) for token_id in ids], skip_special_tokens=False))

    def save(self, directory: Path) -> None:
        """Writes the two files that `load_tokenizer` reads; the directory is made if it is missing."""
        directory.mkdir(parents=True, exist_ok=True)
        (directory / TOKENIZER_FILE).write_text(self._text, encoding="utf-8")
        (directory / SPECIALS_FILE).write_text(json.dumps(self._special_ids(), indent=1), encoding="utf-8")

    def _special_ids(self) -> dict[str, int | list[int]]:
        return {
            "pad_id": self.pad_id,
            "eos_id": self.eos_id,
            "mask_id": self.mask_id,
            "cls_id": self.cls_id,
            "label_ids": list(self.label_ids),
        }


def train_bpe(texts: Iterable[str], *, vocab_size: int, labels: int = LABELS) -> Tokenizer:
    """Trains a byte-level BPE tokenizer: every text can be encoded, and decodes to itself.

    Args:
        texts: What to train on, a few million characters at most: more changes little and costs seconds. Of runs of
            more than 1,000 letters, signs or blanks the first 2 million characters are read, in pieces.
        vocab_size: Tokens in all, special ones included; a small text may yield fewer.
        labels: Label tokens to reserve.

    Raises:
        ConfigError: The vocabulary cannot hold the bytes and the special tokens.
    """
    least = _BYTES + len(_SPECIALS) + labels
    if vocab_size < least:
        raise wrong("vocab_size", vocab_size, f"at least {least} (256 bytes, 4 special tokens, {labels} labels)")
    names = [f"<|{name}|>" for name in _SPECIALS] + _label_names(labels)
    backend = tokenizers.Tokenizer(tokenizers.models.BPE())
    backend.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=names,
        initial_alphabet=sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    backend.train_from_iterator(without_long_runs(texts), trainer)
    pad, eos, mask, cls, *label_ids = (_id(backend, name) for name in names)
    return Tokenizer(backend, pad_id=pad, eos_id=eos, mask_id=mask, cls_id=cls, label_ids=label_ids)


@dataclass(frozen=True)
class TrainTexts:
    """What a tokenizer may be trained on.

    Attributes:
        texts: Gives the texts; called only if the cache does not hold the tokenizer.
        content: Strings that name what the texts are, the keys of the corpus parts for example.
        cache: Where a trained tokenizer is kept.
    """

    texts: Callable[[], Iterable[str]]
    content: Sequence[str]
    cache: Cache


def cached_bpe(train: TrainTexts, *, vocab_size: int, labels: int = LABELS) -> Tokenizer:
    """`train_bpe` once per content."""
    parts = ["bpe", tokenizers.__version__, str(vocab_size), str(labels), *train.content]
    key = hashlib.sha256(json.dumps(parts).encode()).hexdigest()
    return load_tokenizer(
        train.cache.entry(key, lambda path: train_bpe(train.texts(), vocab_size=vocab_size, labels=labels).save(path))
    )


def untrained(train: TrainTexts, *, path: str, labels: int) -> Tokenizer:
    """`from_transformers`, whatever the texts are."""
    return from_transformers(path, labels=labels)


def load_tokenizer(directory: Path) -> Tokenizer:
    """Loads what `Tokenizer.save` wrote.

    Raises:
        ConfigError: A file is missing.
    """
    for name in (TOKENIZER_FILE, SPECIALS_FILE):
        if not (directory / name).is_file():
            raise ConfigError(f"tokenizer: {directory} has no {name}; is it a directory saved by curriculum_rl?")
    ids = json.loads((directory / SPECIALS_FILE).read_text(encoding="utf-8"))
    return Tokenizer(tokenizers.Tokenizer.from_file(str(directory / TOKENIZER_FILE)), **ids)


def from_transformers(name_or_dir: str | Path, *, labels: int = LABELS) -> Tokenizer:
    """A fast tokenizer of transformers, by hub name or local directory; no code of the hub is run.

    A directory that a learner of ours was saved in has the very tokenizer that it was trained with. Special tokens that
    another one lacks are added at the end of its vocabulary (a separator serves as end of document), and so are the
    label tokens: the learner's embedding must grow to `vocab_size`.

    Raises:
        ConfigError: There is no such tokenizer, it is not a fast one, or it was saved with other label tokens.
    """
    if (Path(name_or_dir) / SPECIALS_FILE).is_file():
        saved = load_tokenizer(Path(name_or_dir))
        if len(saved.label_ids) != labels:
            raise ConfigError(f"tokenizer.labels: {name_or_dir} was saved with {len(saved.label_ids)} (got {labels})")
        return saved
    import transformers  # seconds to import, and only this function needs it

    try:
        fast = transformers.AutoTokenizer.from_pretrained(str(name_or_dir), trust_remote_code=False)
    except (OSError, ValueError, KeyError, ImportError) as error:
        reason = str(error).strip().split("\n")[0]
        raise ConfigError(f"tokenizer: cannot load {str(name_or_dir)!r}: {reason}") from error
    if not getattr(fast, "is_fast", False):
        raise ConfigError(f"tokenizer: {str(name_or_dir)!r} is a {type(fast).__name__}, which has no fast form")
    backend = tokenizers.Tokenizer.from_str(fast.backend_tokenizer.to_str())
    known = {
        "pad": fast.pad_token,
        "eos": fast.eos_token or fast.sep_token,
        "mask": fast.mask_token,
        "cls": fast.cls_token,
    }
    if known["pad"] == known["eos"]:
        known["pad"] = None  # a common stopgap (GPT-2), but padding must not look like the end of a document
    pad, eos, mask, cls = (_special_id(backend, known[name] or f"<|{name}|>") for name in _SPECIALS)
    label_ids = [_special_id(backend, name) for name in _label_names(labels)]
    return Tokenizer(backend, pad_id=pad, eos_id=eos, mask_id=mask, cls_id=cls, label_ids=label_ids)


def _label_names(labels: int) -> list[str]:
    return [f"<|label-{number}|>" for number in range(labels)]


def _special_id(backend: tokenizers.Tokenizer, token: str) -> int:
    """The id of a special token, which is added if it is missing."""
    backend.add_special_tokens([tokenizers.AddedToken(str(token), special=True, normalized=False)])
    return _id(backend, str(token))


def _id(backend: tokenizers.Tokenizer, token: str) -> int:
    token_id = backend.token_to_id(token)
    assert token_id is not None, f"{token} was just added"
    return token_id
