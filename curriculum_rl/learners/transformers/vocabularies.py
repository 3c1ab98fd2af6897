"""Whether a tokenizer is the one that a checkpoint was trained with."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tokenizers

from curriculum_rl.errors import ConfigError
from curriculum_rl.learners.description import read_json
from curriculum_rl.learners.transformers.library import first_line, quiet
from curriculum_rl.text.tokenizers import SPECIALS_FILE, TOKENIZER_FILE, Tokenizer, fast_tokenizer

FILES = (TOKENIZER_FILE, "tokenizer_config.json", "vocab.txt", "vocab.json", "tokenizer.model", "spiece.model")
"""A folder with one of these has a tokenizer."""
PADDING = 0.1
"""Share of the embedding's rows that no token may have, where there is no tokenizer to compare with."""
PARTS = ("normalizer", "pre_tokenizer")
"""Of a tokenizer's content, what is compared beside the vocabulary."""


def check_vocabulary(source: str, tokenizer: Tokenizer) -> None:
    """Compare a tokenizer with that of a checkpoint, and with the rows of its embedding.

    Tokens that the tokenizer has beside are special and label tokens; their rows are new.

    Args:
        source: a local directory or a hub name.
        tokenizer: what the learner will read.

    Raises:
        ConfigError: It is another tokenizer, or has words that the embedding has no row for.
    """
    _check_saved(source, tokenizer)
    rows = embedding_rows(source)
    theirs = _tokenizer_of(source)
    if theirs is not None:
        _check_same(source, theirs, tokenizer)
    most = int(tokenizer.ordinary_ids[-1])
    if most >= rows:
        raise ConfigError(
            f"tokenizer: has words up to id {most}, the embedding of learner.model {source!r} has {rows} rows"
        )
    if theirs is None and tokenizer.vocab_size < (1 - PADDING) * rows:
        raise ConfigError(
            f"tokenizer: has {tokenizer.vocab_size} tokens, the embedding of learner.model {source!r} {rows} rows: "
            "it is another model's"
        )


def embedding_rows(source: str) -> int:
    """How many tokens the embedding of a checkpoint has rows for.

    Raises:
        ConfigError: Its configuration cannot be read.
    """
    from transformers import AutoConfig

    try:
        with quiet():
            config = AutoConfig.from_pretrained(str(_place(source)), trust_remote_code=False)
        return int(config.get_text_config().vocab_size)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"learner.model {source!r} has no configuration of a model: {first_line(error)}") from error


def _place(source: str) -> str:
    folder = Path(source).expanduser()
    return str(folder) if folder.is_dir() else source


def _check_saved(source: str, tokenizer: Tokenizer) -> None:
    """A learner of ours says beside its weights which tokens it knows."""
    path = Path(_place(source)) / "learner.json"
    if not path.is_file():
        return
    for name, value in read_json(path).get("vocabulary", {}).items():
        if getattr(tokenizer, name) != value:
            raise ConfigError(
                f"tokenizer: is not that of learner.model {source!r}: {name} is {value} there, "
                f"{getattr(tokenizer, name)} here"
            )


def _tokenizer_of(source: str) -> tokenizers.Tokenizer | None:
    """The tokenizer beside a checkpoint; None: there is none that can be read."""
    folder = Path(_place(source))
    if (folder / SPECIALS_FILE).is_file():
        return tokenizers.Tokenizer.from_file(str(folder / TOKENIZER_FILE))
    if folder.is_dir() and not any((folder / name).is_file() for name in FILES):
        return None
    try:
        with quiet():
            found: tokenizers.Tokenizer = fast_tokenizer(_place(source)).backend_tokenizer
    except ConfigError:
        return None
    return found


def _check_same(source: str, theirs: tokenizers.Tokenizer, tokenizer: Tokenizer) -> None:
    use = f"use tokenizer {{kind: transformers, path: {source}}}"
    for token, number in sorted(theirs.get_vocab(with_added_tokens=True).items(), key=lambda entry: entry[1]):
        here = tokenizer.vocabulary.get(token)
        if here != number:
            what = "is missing" if here is None else f"has id {here}"
            raise ConfigError(
                f"tokenizer: is not that of learner.model {source!r}: its token {number}, {token!r}, {what}: {use}"
            )
    ours = _content(tokenizer.text)
    for part, content in _content(theirs.to_str()).items():
        if ours[part] != content:
            raise ConfigError(f"tokenizer: is not that of learner.model {source!r}: another {part}: {use}")


def _content(text: str) -> Mapping[str, Any]:
    """What decides how a text is cut, beside the vocabulary."""
    whole = json.loads(text)
    return {part: whole[part] for part in PARTS} | {"merges": whole["model"].get("merges")}
