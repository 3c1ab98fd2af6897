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
from curriculum_rl.text.encoding import Encoder
from curriculum_rl.text.special_tokens import ROLES, label_names, require_own_ids, with_specials
from curriculum_rl.text.token_tables import TokenTables, token_texts

TOKENIZER_FILE = "tokenizer.json"  # the file of the `tokenizers` library
SPECIALS_FILE = "curriculum_rl_tokenizer.json"  # which of its tokens play which part here
_BYTES = 256  # byte-level BPE starts from one token for each byte


class Tokenizer:
    """Text to token ids and back, and the ids of the special tokens.

    Attributes:
        vocabulary: The id of each token, special ones included.
        vocab_size: One more than the largest id: the rows an embedding needs.
        pad_id: Fills a row after its text; never scored, never attended to in bidirectional rows.
        eos_id: Stands after every document.
        mask_id: Hides a token that masked LM asks for.
        cls_id: The position after which a label is predicted.
        label_ids: Tokens reserved for labels (verbalisers); they never occur in text.
        text: Its content, as the `tokenizers` library writes it.
        fingerprint: sha256 of that and of the special ids.
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
        """Wraps a tokenizer of the `tokenizers` library.

        Raises:
            ConfigError: Two tokens have one id, or a special id is not in the vocabulary or is another's, too.
        """
        self._backend = tokenizers.Tokenizer.from_str(backend.to_str())  # a copy: the switches below stay here
        self._backend.no_padding()
        self._backend.no_truncation()
        self._backend.encode_special_tokens = True  # "<|eos|>" in a text is text, not the end of a document
        self.text = self._backend.to_str()
        self.pad_id, self.eos_id, self.mask_id, self.cls_id = pad_id, eos_id, mask_id, cls_id
        self.label_ids = tuple(label_ids)
        self.vocabulary = self._backend.get_vocab(with_added_tokens=True)
        self.vocab_size = max(self.vocabulary.values()) + 1
        self._require_own_ids()
        self.fingerprint = hashlib.sha256((self.text + json.dumps(self._special_ids())).encode()).hexdigest()

    @cached_property
    def ordinary_ids(self) -> npt.NDArray[np.int64]:
        """The ids that text can have, sorted: what a corruption may insert, no special token among them."""
        ids = set(self.vocabulary.values()) - self._special
        return np.array(sorted(ids), dtype=np.int64)

    @cached_property
    def tables(self) -> TokenTables:
        """What each id looks like as text."""
        return TokenTables.of(token_texts(self._backend, self.vocab_size, self._special))

    @cached_property
    def _special(self) -> set[int]:
        marked = {token_id for token_id, token in self._backend.get_added_tokens_decoder().items() if token.special}
        return marked | self._roles

    @cached_property
    def _roles(self) -> set[int]:
        return {self.pad_id, self.eos_id, self.mask_id, self.cls_id, *self.label_ids}

    @cached_property
    def encoder(self) -> Encoder:
        """What encodes; no text yields an id with a part to play here."""
        return Encoder(self._backend, self._roles)

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """The token ids of each text, without special tokens."""
        return self.encoder.encode(texts)

    def decode(self, ids: Sequence[int] | npt.NDArray[np.integer[Any]]) -> str:
        """The text of token ids; special tokens show by their names."""
        return str(self._backend.decode([int(token_id) for token_id in ids], skip_special_tokens=False))

    def save(self, directory: Path) -> None:
        """Writes the two files that `load_tokenizer` reads; the directory is made if it is missing."""
        directory.mkdir(parents=True, exist_ok=True)
        (directory / TOKENIZER_FILE).write_text(self.text, encoding="utf-8")
        (directory / SPECIALS_FILE).write_text(json.dumps(self._special_ids(), indent=1), encoding="utf-8")

    def _require_own_ids(self) -> None:
        require_own_ids(self.vocabulary)
        roles = {"pad_id": self.pad_id, "eos_id": self.eos_id, "mask_id": self.mask_id, "cls_id": self.cls_id}
        roles |= {f"label_ids[{place}]": number for place, number in enumerate(self.label_ids)}
        known, owner = set(self.vocabulary.values()), dict[int, str]()
        for role, number in roles.items():
            if number not in known:
                raise wrong(f"tokenizer: {role}", number, "an id of the vocabulary")
            if number in owner:
                raise ConfigError(f"tokenizer: {owner[number]} and {role} are one id, {number}")
            owner[number] = role

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
        texts: What to train on, a few million characters at most: more changes little and costs seconds.
        vocab_size: Tokens in all, special ones included; a small text may yield fewer.
        labels: Label tokens to reserve.

    Raises:
        ConfigError: The vocabulary cannot hold the bytes and the special tokens.
    """
    least = _BYTES + len(ROLES) + labels
    if vocab_size < least:
        raise wrong("vocab_size", vocab_size, f"at least {least} (256 bytes, 4 special tokens, {labels} labels)")
    names = [f"<|{name}|>" for name in ROLES] + label_names(labels)
    backend = tokenizers.Tokenizer(tokenizers.models.BPE())
    backend.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=names,
        initial_alphabet=sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    backend.train_from_iterator(texts, trainer)
    ids = backend.get_vocab(with_added_tokens=True)
    pad, eos, mask, cls, *label_ids = (ids[name] for name in names)
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
        ConfigError: A file is missing or damaged.
    """
    for name in (TOKENIZER_FILE, SPECIALS_FILE):
        if not (directory / name).is_file():
            raise ConfigError(f"tokenizer: {directory} has no {name}; is it a directory saved by curriculum_rl?")
    try:
        ids = json.loads((directory / SPECIALS_FILE).read_text(encoding="utf-8"))
        return Tokenizer(tokenizers.Tokenizer.from_file(str(directory / TOKENIZER_FILE)), **ids)
    except Exception as error:  # the library raises no narrower class
        raise _unreadable(directory, error) from error


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
    fast = fast_tokenizer(name_or_dir)
    backend = tokenizers.Tokenizer.from_str(fast.backend_tokenizer.to_str())
    known = {
        "pad": fast.pad_token,
        "eos": fast.eos_token or fast.sep_token,
        "mask": fast.mask_token,
        "cls": fast.cls_token,
    }
    made, ids, label_ids = with_specials(backend, known, labels)
    return Tokenizer(
        made, pad_id=ids["pad"], eos_id=ids["eos"], mask_id=ids["mask"], cls_id=ids["cls"], label_ids=label_ids
    )


def fast_tokenizer(name_or_dir: str | Path) -> Any:
    """A fast tokenizer as `transformers` has it; no code of the hub is run.

    Raises:
        ConfigError: There is no such tokenizer, or it is not a fast one.
    """
    import transformers  # seconds to import, and only this function needs it

    try:
        fast = transformers.AutoTokenizer.from_pretrained(str(name_or_dir), trust_remote_code=False)
    except Exception as error:  # the library raises no narrower class
        raise _unreadable(name_or_dir, error) from error
    if not getattr(fast, "is_fast", False):
        raise ConfigError(f"tokenizer: {str(name_or_dir)!r} is a {type(fast).__name__}, which has no fast form")
    return fast


def _unreadable(name_or_dir: str | Path, error: Exception) -> ConfigError:
    reason = (str(error).strip() or type(error).__name__).split("\n")[0]
    return ConfigError(f"tokenizer: cannot load {str(name_or_dir)!r}: {reason}")
