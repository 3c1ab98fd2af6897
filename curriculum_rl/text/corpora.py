"""Text to tokens to windows: parts of a source, tokenised once into memory-mapped arrays.

Shape letters: R windows taken in one call.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from curriculum_rl import draws
from curriculum_rl.errors import ConfigError
from curriculum_rl.text.cache import Cache, checksums
from curriculum_rl.text.documents import sha256_of
from curriculum_rl.text.splits import SplitSource
from curriculum_rl.text.tokenising import token_rows, write_tokens
from curriculum_rl.text.tokenizers import Tokenizer

Tokens = npt.NDArray[np.uint16] | npt.NDArray[np.uint32]
Indices = npt.NDArray[np.int64]

_FORMAT = 2  # of the arrays below; a change makes every cached corpus stale


@dataclass(frozen=True)
class Corpus:
    """A named body of text as one array of tokens, documents separated by the end-of-document token.

    Attributes:
        name: Appears in task names, logs and errors.
        tokens: 1-D uint16 or uint32, usually memory-mapped.
        sha256: Of the tokens' bytes.
    """

    name: str
    tokens: Tokens
    sha256: str

    def size(self, context: int) -> int:
        """How many windows there are.

        Raises:
            ConfigError: Not even one, which takes context + 1 tokens.
        """
        windows = (len(self.tokens) - 1) // context
        if windows < 1:
            raise ConfigError(
                f"corpus {self.name!r} has {len(self.tokens)} tokens, fewer than one window of context {context} + 1"
            )
        return windows

    def windows(self, index: Indices, context: int) -> Indices:
        """Windows of context + 1 tokens; window i starts at token i * context, so neighbours share one token.

        Args:
            index: (R,) in [0, size(context)).
            context: Tokens that a learner reads at once.

        Returns:
            (R, context + 1) int64.
        """
        every_start = np.lib.stride_tricks.sliding_window_view(np.asarray(self.tokens), context + 1)
        return every_start[index * context].astype(np.int64)


@dataclass(frozen=True)
class LabelledCorpus:
    """Labelled texts whose label is read as a token after the text (a verbaliser).

    Attributes:
        name: Appears in logs and errors.
        tokens: 1-D, the texts one after the other without separators.
        offsets: (examples + 1,) int64, text i is tokens[offsets[i]:offsets[i + 1]].
        labels: (examples,) int64, indices into classes.
        classes: The class names, sorted, the same for every part of a source.
        cls_id: Token id after which the label stands.
        pad_id: Token id that fills a window after the label.
        label_ids: The token id that stands for each class.
        sha256: Of the arrays and the classes.
    """

    name: str
    tokens: Tokens
    offsets: Indices
    labels: Indices
    classes: tuple[str, ...]
    cls_id: int
    pad_id: int
    label_ids: tuple[int, ...]
    sha256: str

    def size(self, context: int) -> int:
        """How many examples there are, whatever the context: each is one window.

        Raises:
            ConfigError: The context leaves no room for text.
        """
        if context < 2:
            raise ConfigError(f"corpus {self.name!r}: context {context} holds no text before the label")
        return len(self.labels)

    def windows(self, index: Indices, context: int) -> Indices:
        """Windows of text (its first context - 1 tokens), cls_id, the label's token, then pad_id to the end.

        Args:
            index: (R,) in [0, size(context)).
            context: Tokens that a learner reads at once.

        Returns:
            (R, context + 1) int64.
        """
        starts = self.offsets[index]
        lengths = np.minimum(self.offsets[index + 1] - starts, context - 1)
        columns = np.arange(context + 1)
        places = np.minimum(starts[:, None] + columns, len(self.tokens) - 1)
        windows: Indices = np.asarray(self.tokens)[places].astype(np.int64)
        windows[columns >= lengths[:, None]] = self.pad_id
        rows = np.arange(len(index))
        windows[rows, lengths] = self.cls_id
        windows[rows, lengths + 1] = np.array(self.label_ids, dtype=np.int64)[self.labels[index]]
        return windows


def build_corpus(name: str, source: SplitSource, part: str, tokenizer: Tokenizer, cache: Cache) -> Corpus:
    """Tokenises one part of a source, or finds it in the cache, and maps it into memory.

    Args:
        name: The corpus's name.
        source: Where its text comes from.
        part: Which part of it.
        tokenizer: Turns it into tokens.
        cache: Where the tokens are kept; the key is all of the above but the name, by content.

    Raises:
        ConfigError: The part is empty, or the source is unreadable.
    """
    key = sha256_of("corpus", _FORMAT, source.fingerprint(part), tokenizer.fingerprint)

    def build(path: Path) -> None:
        rows = token_rows(source.documents(part), tokenizer, end=[tokenizer.eos_id])
        write_tokens(path / "tokens.bin", rows, token_dtype(tokenizer))

    entry = named_entry(name, cache, key, build)
    return Corpus(name, mapped_tokens(entry, tokenizer), checksums(entry)["tokens.bin"])


def build_labelled(name: str, source: SplitSource, part: str, tokenizer: Tokenizer, cache: Cache) -> LabelledCorpus:
    """Tokenises the labelled documents of one part of a source; see `build_corpus`.

    Documents without a label are left out. The classes are those of all parts of the source.

    Raises:
        ConfigError: There are more classes than the tokenizer has label tokens, or fewer than two, or no example.
    """
    key = sha256_of("labelled", _FORMAT, source.fingerprint(part), tokenizer.fingerprint)

    def build(path: Path) -> None:
        classes = source.classes()
        documents = [row for row in source.documents(part) if row.label is not None]
        if not documents:
            raise ConfigError(f"part {part!r} has no labelled document")
        rows = list(token_rows(documents, tokenizer, end=[]))
        write_tokens(path / "tokens.bin", rows, token_dtype(tokenizer))
        np.save(path / "offsets.npy", np.cumsum([0, *map(len, rows)], dtype=np.int64))
        np.save(path / "labels.npy", np.array([classes.index(str(row.label)) for row in documents], dtype=np.int64))
        (path / "classes.json").write_text(json.dumps(classes), encoding="utf-8")

    entry = named_entry(name, cache, key, build)
    classes = tuple(json.loads((entry / "classes.json").read_text(encoding="utf-8")))
    if len(classes) > len(tokenizer.label_ids):
        raise ConfigError(
            f"corpus {name!r} has {len(classes)} classes, the tokenizer {len(tokenizer.label_ids)} label tokens"
        )
    return LabelledCorpus(
        name=name,
        tokens=mapped_tokens(entry, tokenizer),
        offsets=np.load(entry / "offsets.npy"),
        labels=np.load(entry / "labels.npy"),
        classes=classes,
        cls_id=tokenizer.cls_id,
        pad_id=tokenizer.pad_id,
        label_ids=tokenizer.label_ids[: len(classes)],
        sha256=sha256_of(sorted(checksums(entry).items())),
    )


def noise_corpus(name: str, tokenizer: Tokenizer, *, tokens: int, seed: int = 0) -> Corpus:
    """Uniform random tokens that no text would have together: nothing can be learned from them.

    Args:
        name: The corpus's name.
        tokenizer: Whose ordinary tokens to draw from.
        tokens: How many.
        seed: Another seed gives other noise.
    """
    keys = draws.spread(draws.key("noise", seed), np.arange(tokens))
    chosen = tokenizer.ordinary_ids[keys % np.uint64(len(tokenizer.ordinary_ids))].astype(token_dtype(tokenizer))
    return Corpus(name, chosen, hashlib.sha256(chosen.tobytes()).hexdigest())


def named_entry(name: str, cache: Cache, key: str, build: Callable[[Path], None]) -> Path:
    """The cache entry; an error in the user's text names the corpus."""
    try:
        return cache.entry(key, build)
    except ConfigError as error:
        raise ConfigError(f"corpus {name!r}: {error}") from error


def token_dtype(tokenizer: Tokenizer) -> type[np.uint16] | type[np.uint32]:
    """Of a token array."""
    return np.uint16 if tokenizer.vocab_size <= 1 << 16 else np.uint32


def mapped_tokens(entry: Path, tokenizer: Tokenizer) -> Tokens:
    """The token array of a cache entry, mapped into memory."""
    return np.memmap(entry / "tokens.bin", dtype=token_dtype(tokenizer), mode="r")
